import { randomUUID } from "node:crypto";
import { access, constants, type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { StorageError } from "../errors.ts";
import type { EngineImage, EngineTurn, SqlEngine } from "./sql/engine.ts";
import { IMAGE_PIECE_BYTES, throwIfCopyAborted, withoutWal } from "./sql/image-bytes.ts";
import type { UserFunctions } from "./sql/user-functions.ts";

/** Pages copied between two looks at the signal: 4 MiB of 4 KiB pages. */
const COPY_PAGES = 1024;
/** What a crash left is deleted when it is this old: no archive takes so long. */
const LEFTOVER_MS = 24 * 3_600_000;
/** An image's own files: SQLite's journals bear its name. */
const JOURNALS = ["", "-journal", "-wal", "-shm"];

/** In the names of images of the one that has the writer lock. */
const OF_WRITER = "writer-";

/** Deletes the images that a killed writer left beside a database.
 *  @param path The database; its folder's writer lock is the caller's, so that nobody is at one of them. */
export async function removeImagesOfWriter(path: string): Promise<void> {
  const prefix = `${basename(path)}.image-${OF_WRITER}`;
  const names = await attempt(dirname(path), () => readdir(dirname(path)));
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    await attempt(name, () => rm(join(dirname(path), name), { force: true }));
  }
}

/** The database that images stand beside. */
export interface FileImageHome {
  /** Its file, or `:memory:`. */
  path: string | URL;
  readOnly: boolean;
  /** Whether images bear the mark of the writer. */
  ofWriter: boolean;
  connection: DatabaseSync;
  open(path: string, functions: UserFunctions): SqlEngine;
}

/** Copies a database into a file beside it. One in memory is copied while nothing else is done with it; one in a file through a
 *  connection of its own, which reads one state of it: others write meanwhile, and the copy is not begun anew. */
export async function copyFileImage(
  home: FileImageHome,
  turn: EngineTurn,
  signal: AbortSignal | undefined,
): Promise<EngineImage> {
  const path = await imagePath(home);
  try {
    if (isInMemory(home)) {
      await turn(() => copy(home.connection, path, signal));
    } else {
      const source = new DatabaseSync(home.path, { readOnly: true });
      try {
        source.exec("PRAGMA busy_timeout = 5000; BEGIN; SELECT count(*) FROM sqlite_schema;");
        await copy(source, path, signal);
      } finally {
        source.close();
      }
    }
  } catch (error) {
    await removeImage(path);
    throw error;
  }
  return new FileImage(path, home);
}

async function copy(source: DatabaseSync, path: string, signal: AbortSignal | undefined): Promise<void> {
  throwIfCopyAborted(signal);
  await backup(source, path, { rate: COPY_PAGES, progress: () => throwIfCopyAborted(signal) });
}

/** Takes bytes into a file beside the database. */
export async function receiveFileImage(home: FileImageHome, bytes: AsyncIterable<Uint8Array>): Promise<EngineImage> {
  const path = await imagePath(home);
  try {
    const file = await attempt(path, () => open(path, "wx"));
    try {
      let at = 0;
      for await (const piece of bytes) {
        await attempt(path, () => writeAll(file, withoutWal(piece, at)));
        at += piece.byteLength;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeImage(path);
    throw error;
  }
  return new FileImage(path, home);
}

class FileImage implements EngineImage {
  readonly #path: string;
  readonly #home: FileImageHome;

  constructor(path: string, home: FileImageHome) {
    this.#path = path;
    this.#home = home;
  }

  async sizeBytes(): Promise<number> {
    return (await attempt(this.#path, () => stat(this.#path))).size;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await attempt(this.#path, () => open(this.#path, "r"));
    try {
      for (let at = 0; ;) {
        // A buffer of its own for each: whoever gets it may keep it, or move it to another thread.
        const room = new Uint8Array(IMAGE_PIECE_BYTES);
        const { bytesRead } = await attempt(this.#path, () => file.read(room, 0, room.byteLength, at));
        if (bytesRead === 0) return;
        yield withoutWal(bytesRead === room.byteLength ? room : room.slice(0, bytesRead), at);
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  open(functions: UserFunctions): SqlEngine {
    return this.#home.open(this.#path, functions);
  }

  attach(schema: string): void {
    this.#home.connection.exec(`ATTACH '${this.#path.replaceAll("'", "''")}' AS ${schema}`);
    try {
      // Looks at the file: attaching alone does not.
      this.#home.connection.exec(`SELECT count(*) FROM ${schema}.sqlite_schema`);
    } catch (error) {
      this.detach(schema);
      throw error;
    }
  }

  detach(schema: string): void {
    this.#home.connection.exec(`DETACH ${schema}`);
  }

  remove(): Promise<void> {
    return removeImage(this.#path);
  }
}

/** A new file beside the database, where there is as much room as for that, or among temporary files if nothing can be written there. */
async function imagePath(home: FileImageHome): Promise<string> {
  const path = home.path instanceof URL ? fileURLToPath(home.path) : resolve(home.path);
  const apart = isInMemory(home) || !(await isWritable(dirname(path)));
  const folder = apart ? tmpdir() : dirname(path);
  const prefix = `${apart ? "lodestore" : basename(path)}.image-`;
  await removeLeftovers(folder, prefix);
  return join(folder, `${prefix}${home.ofWriter && !apart ? OF_WRITER : ""}${randomUUID()}`);
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  const names = await attempt(folder, () => readdir(folder));
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(absent);
    if (found === undefined || Date.now() - found.mtimeMs <= LEFTOVER_MS) continue;
    await attempt(path, () => rm(path, { force: true }));
  }
}

async function removeImage(path: string): Promise<void> {
  for (const end of JOURNALS) await attempt(path, () => rm(`${path}${end}`, { force: true }));
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at);
    at += bytesWritten;
  }
}

function isInMemory({ path }: FileImageHome): boolean {
  return path === ":memory:";
}

/** Another process may have deleted it meanwhile. */
function absent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const context = { capability: "sql", operation: "image", cause } as const;
    const code = codeOf(cause);
    if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
      throw new StorageError("QUOTA_EXCEEDED", `no space is left for ${path}`, context);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DRIVER", `the file system failed at ${path}: ${reason}`, context);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
