import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobCapabilities, BlobStore } from "../contracts/blobs.ts";
import { requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { StorageError } from "../errors.ts";
import { blobKey, blobPath } from "./blobs/blob-path.ts";

const MAX_BLOB_BYTES: number = 2 ** 31 - 1;
/** What a crash left behind is swept away when it is this old: no put takes so long. */
const LEFTOVER_MS = 3_600_000;
const LEFTOVER = /^\.put-/u;

/** Opens the blobs in a folder, made when absent; what a crash left half-written there is removed.
 *  @param options.dir The folder: nothing else should be in it.
 *  @throws StorageError DRIVER (it cannot be made or read) */
export async function openFsBlobs(options: { dir: string }): Promise<FsBlobStore> {
  await attempt("open", options.dir, () => mkdir(options.dir, { recursive: true }));
  const store = new FsBlobStore(options.dir);
  await attempt("open", options.dir, () => sweep(options.dir));
  return store;
}

/** Blobs as files in a folder: written aside, flushed and renamed, so that a file is whole or absent. */
export class FsBlobStore implements BlobStore {
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
      await mkdir(folder, { recursive: true });
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

  async capabilities(): Promise<BlobCapabilities> {
    return { driver: "blobs-fs", persistent: true, transactional: false, maxBlobBytes: MAX_BLOB_BYTES };
  }

  #path(key: string): string {
    const { folders, file } = blobPath(key);
    return join(this.#dir, ...folders, file);
  }
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

async function sweep(dir: string): Promise<void> {
  for await (const { folders, entry } of filesBelow(dir)) {
    if (!LEFTOVER.test(entry.name)) continue;
    const path = join(dir, ...folders, entry.name);
    const found = await absentAs(undefined, stat(path));
    if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
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
    const context = { capability: "blobs", operation, cause } as const;
    const code = codeOf(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (code === "ENOENT" && operation === "get")
      throw new StorageError("NOT_FOUND", `there is no blob "${what}"`, context);
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new StorageError("QUOTA_EXCEEDED", `no space is left for the blob "${what}"`, context);
    }
    throw new StorageError("DRIVER", `the file system failed at "${what}": ${reason}`, context);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
