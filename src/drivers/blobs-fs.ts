import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobCapabilities, BlobReadOptions, BlobWriter, StreamingBlobStore } from "../contracts/blobs.ts";
import { checkBlobRead, requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { StorageError } from "../errors.ts";
import { type AsideFile, AsideWriter } from "./blobs/aside-writer.ts";
import { blobKey, blobPath } from "./blobs/blob-path.ts";
import { putStream } from "./blobs/put-stream.ts";
import { cutOff, noBlob, readPieces } from "./blobs/read-pieces.ts";

const MAX_BLOB_BYTES: number = 2 ** 31 - 1;
const MAX_STREAM_BYTES: number = 2 ** 43;
/** What a crash left behind is swept away when nothing was written to it for so long: another process may be writing it. */
const LEFTOVER_MS = 3_600_000;
const LEFTOVER = /^\.put-/u;

/** Opens the blobs in a folder, made when absent; what a crash left half-written there is removed.
 *  @param options.dir The folder: nothing else should be in it.
 *  @param options.alone Whether nobody else writes there: then all that is half-written is removed, and else what is an hour old.
 *  @throws StorageError DRIVER (it cannot be made or read) */
export async function openFsBlobs(options: { dir: string; alone?: boolean }): Promise<FsBlobStore> {
  const { dir, alone = false } = options;
  await attempt("open", dir, () => mkdir(dir, { recursive: true }));
  const store = new FsBlobStore(dir);
  await attempt("open", dir, () => sweep(dir, alone ? Number.NEGATIVE_INFINITY : LEFTOVER_MS));
  return store;
}

/** Blobs as files in a folder: written aside, flushed and renamed, so that a file is whole or absent. */
export class FsBlobStore implements StreamingBlobStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    const path = this.#path(requireBlobKey(site, key));
    const content = requireBlobBytes(site, bytes, MAX_BLOB_BYTES);
    await attempt("put", key, async () => {
      const folder = dirname(path);
      await makeFolder(folder);
      const aside = join(folder, `.put-${randomUUID()}`);
      try {
        await writeFlushed(aside, content);
        await rename(aside, path);
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
      await flushFolder(folder);
    });
  }

  async get(key: string): Promise<Uint8Array> {
    const path = this.#path(requireBlobKey({ capability: "blobs", operation: "get" }, key));
    return attempt("get", key, async () => {
      const { buffer, byteOffset, byteLength } = await readFile(path);
      return new Uint8Array(buffer, byteOffset, byteLength);
    });
  }

  async has(key: string): Promise<boolean> {
    const path = this.#path(requireBlobKey({ capability: "blobs", operation: "has" }, key));
    return attempt("has", key, async () => (await absentAs(undefined, stat(path)))?.isFile() === true);
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(requireBlobKey({ capability: "blobs", operation: "delete" }, key));
    await attempt("delete", key, () => rm(path, { force: true }));
  }

  async list(prefix: string): Promise<string[]> {
    requireBlobPrefix({ capability: "blobs", operation: "list" }, prefix);
    const keys: string[] = [];
    await attempt("list", prefix, async () => {
      for await (const { folders, entry } of filesBelow(this.#dir)) {
        const key = blobKey(folders, entry.name);
        if (key?.startsWith(prefix) === true) keys.push(key);
      }
    });
    return keys.sort();
  }

  /** The file aside lies at the top of the folder, since its place is known when its key is. */
  async createWriter(): Promise<BlobWriter> {
    const aside = join(this.#dir, `.put-${randomUUID()}`);
    const handle = await attempt("createWriter", aside, async () => {
      await makeFolder(this.#dir);
      return open(aside, "wx");
    });
    return new AsideWriter(new FileAside(aside, handle, (key) => this.#path(key)), MAX_STREAM_BYTES);
  }

  putStream(key: string, bytes: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<number> {
    return putStream(() => this.createWriter(), key, bytes, options);
  }

  async *getStream(key: string, options: BlobReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const site = { capability: "blobs", operation: "getStream" } as const;
    const path = this.#path(requireBlobKey(site, key));
    const range = checkBlobRead(site, options);
    const handle = await attempt("getStream", key, () => absentAs(undefined, open(path, "r")));
    if (handle === undefined) throw noBlob("getStream", key);
    try {
      const { size } = await attempt("getStream", key, () => handle.stat());
      yield* readPieces(range, size, (at, length) =>
        attempt("getStream", key, () => readWhole(handle, key, at, length)),
      );
    } finally {
      await handle.close();
    }
  }

  async sizeOf(key: string): Promise<number | undefined> {
    const path = this.#path(requireBlobKey({ capability: "blobs", operation: "sizeOf" }, key));
    const found = await attempt("sizeOf", key, () => absentAs(undefined, stat(path)));
    return found?.isFile() === true ? found.size : undefined;
  }

  async capabilities(): Promise<BlobCapabilities> {
    return {
      driver: "blobs-fs",
      persistent: true,
      transactional: false,
      maxBlobBytes: MAX_BLOB_BYTES,
      streaming: true,
      maxStreamBytes: MAX_STREAM_BYTES,
    };
  }

  #path(key: string): string {
    const { folders, file } = blobPath(key);
    return join(this.#dir, ...folders, file);
  }
}

/** A file that becomes a blob when it is renamed. */
class FileAside implements AsideFile {
  readonly #aside: string;
  readonly #handle: FileHandle;
  readonly #place: (key: string) => string;

  constructor(aside: string, handle: FileHandle, place: (key: string) => string) {
    this.#aside = aside;
    this.#handle = handle;
    this.#place = place;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await attempt("write", this.#aside, async () => {
      for (let at = 0; at < bytes.byteLength;) {
        at += (await this.#handle.write(bytes, at, bytes.byteLength - at)).bytesWritten;
      }
    });
  }

  async become(key: string): Promise<void> {
    const path = this.#place(key);
    await attempt("commit", key, async () => {
      await this.#handle.sync();
      await this.#handle.close();
      const folder = dirname(path);
      await makeFolder(folder);
      await rename(this.#aside, path);
      await flushFolder(folder);
    });
  }

  async drop(): Promise<void> {
    await attempt("abort", this.#aside, async () => {
      await this.#handle.close();
      await rm(this.#aside, { force: true });
    });
  }
}

async function readWhole(handle: FileHandle, key: string, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await handle.read(bytes, read, length - read, at + read);
    if (bytesRead === 0) throw cutOff(key, length - read);
    read += bytesRead;
  }
  return bytes;
}

/** Makes a folder with those above it, each of which outlasts a power cut. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made));
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename outlast a power cut; Windows neither needs nor allows it. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files below a folder, links left out, with the folders that lead to each. */
async function* filesBelow(dir: string, folders: string[] = []): AsyncGenerator<{ folders: string[]; entry: Dirent }> {
  const entries = (await absentAs(undefined, readdir(join(dir, ...folders), { withFileTypes: true }))) ?? [];
  for (const entry of entries) {
    if (entry.isDirectory()) yield* filesBelow(dir, [...folders, entry.name]);
    else if (entry.isFile()) yield { folders, entry };
  }
}

async function sweep(dir: string, olderThanMs: number): Promise<void> {
  for await (const { folders, entry } of filesBelow(dir)) {
    if (!LEFTOVER.test(entry.name)) continue;
    const path = join(dir, ...folders, entry.name);
    const found = await absentAs(undefined, stat(path));
    if (found !== undefined && Date.now() - found.mtimeMs > olderThanMs) await rm(path, { force: true });
  }
}

async function absentAs<T, Absent>(absent: Absent, work: Promise<T>): Promise<T | Absent> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return absent;
    throw error;
  }
}

async function attempt<T>(operation: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const context = { capability: "blobs", operation, cause } as const;
    const code = codeOf(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (code === "ENOENT" && operation === "get") throw noBlob("get", what, cause);
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new StorageError("QUOTA_EXCEEDED", `no space is left for the blob "${what}"`, context);
    }
    throw new StorageError("DRIVER", `the file system failed at "${what}": ${reason}`, context);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
