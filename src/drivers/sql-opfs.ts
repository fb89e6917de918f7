import type { SqlDatabase, SqlFunctions } from "../contracts/sql.ts";
import { SqlConnection } from "./sql/connection.ts";
import { assertAccessHandles, checkStoreName, storesDirectory } from "./sql/opfs-directory.ts";
import { withOpfsLock, type OpfsLock } from "./sql/opfs-lock.ts";
import { opfsImages } from "./sql/opfs-image.ts";
import { openOpfsPool } from "./sql/opfs-pool.ts";
import { sqlError } from "./sql/result-codes.ts";
import { WasmSqlEngine } from "./sql/wasm-engine.ts";
import { loadSqlite, type SqliteWasmSource } from "./sql/wasm-module.ts";

export { deleteOpfsStore, opfsStoreBytes } from "./sql/delete-opfs-store.ts";
export { openOpfsReserve } from "./sql/opfs-reserve.ts";

/** SQLite settings of the file and the connection. The defaults are the fastest that keep every commit through power
 *  loss; DESIGN.md has the measurements. */
export interface SqlOpfsSettings {
  /** `wal` by default. `memory` and `off` lose the database in a crash. */
  journalMode: "wal" | "delete" | "truncate" | "persist" | "memory" | "off";
  /** Bytes of a page, a power of two from 512 to 65536; 16384 by default. Counts when the database is made. */
  pageSize: number;
  /** Page cache in KiB; 16384 by default. */
  cacheKib: number;
  /** `full` by default. `normal` and `off` may lose the last commits in a power loss. */
  synchronous: "off" | "normal" | "full" | "extra";
  /** `exclusive` by default, which `wal` needs on this VFS. */
  lockingMode: "normal" | "exclusive";
}

export const SQL_OPFS_SETTINGS: SqlOpfsSettings = {
  journalMode: "wal",
  pageSize: 16_384,
  cacheKib: 16_384,
  synchronous: "full",
  lockingMode: "exclusive",
};

export interface SqlOpfsOptions {
  /** Name of the store within the origin: 1 to 64 of `A–Z a–z 0–9 . _ -`. Stores are independent of each other. */
  name: string;
  functions: SqlFunctions;
  settings?: Partial<SqlOpfsSettings>;
  /** Where `sqlite3.wasm` is; by default next to the module of `@sqlite.org/sqlite-wasm`. The first open of a thread decides. */
  module?: SqliteWasmSource;
}

const FILE = "/store.sqlite3";
/** Pages in the WAL after which a commit moves them into the database: 4 MB, for which searches wait; SQLite's 1000 are 16 MB. */
const CHECKPOINT_PAGES = 250;
/** A WAL larger than this is cut back when its content has moved into the database. */
const JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * Opens the store's SQLite database in the origin private file system. Only in dedicated workers.
 *
 * One worker of one tab has it at a time; while another one does, this waits up to a second, for the worker of a
 * reloaded page to end, and then gives up. `close()` hands the files over at once. What fails leaves nothing open.
 * @throws StorageError CONFLICT (open elsewhere), UNSUPPORTED (no OPFS, not a dedicated worker), CORRUPT (not a
 *   database), QUOTA_EXCEEDED, INVALID_INPUT (name), DRIVER
 */
export async function openSqlOpfs(options: SqlOpfsOptions): Promise<SqlDatabase> {
  const name = checkStoreName(options.name);
  assertAccessHandles("open");
  const stores = await storesDirectory("open");
  const directory = await stores.getDirectoryHandle(name, { create: true });
  return await withOpfsLock(directory, name, (lock) => open(options, lock));
}

async function open(options: SqlOpfsOptions, lock: OpfsLock): Promise<SqlDatabase> {
  const sqlite3 = await loadSqlite(options.module);
  const pool = await openOpfsPool(sqlite3, options.name);
  const settings = { ...SQL_OPFS_SETTINGS, ...options.settings };
  try {
    return new SqlConnection({
      functions: options.functions,
      busyTimeoutMs: 0,
      engine: (functions) =>
        new WasmSqlEngine({
          sqlite3,
          functions,
          driver: "sql-opfs",
          fileName: FILE,
          vfs: pool.vfs,
          ...pragmas(settings),
          images: opfsImages(sqlite3, pool),
          afterClose: () => {
            pool.release();
            lock.release();
          },
        }),
    });
  } catch (error) {
    pool.release();
    throw openError(error);
  }
}

function pragmas(settings: SqlOpfsSettings): {
  connectionPragmas: string;
  newFilePragmas: string;
  filePragmas: string;
} {
  const { journalMode, pageSize, cacheKib, synchronous, lockingMode } = settings;
  return {
    // The locking mode comes first: WAL without shared memory needs it before the first access.
    connectionPragmas: `PRAGMA locking_mode = ${lockingMode}; PRAGMA cache_size = -${cacheKib};
      PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = ${JOURNAL_SIZE_LIMIT};
      PRAGMA temp_store = memory; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`,
    newFilePragmas: `PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = INCREMENTAL;`,
    filePragmas: `PRAGMA journal_mode = ${journalMode};`,
  };
}

function openError(error: unknown): unknown {
  const code: unknown = error instanceof Error && "resultCode" in error ? error.resultCode : undefined;
  if (typeof code !== "number") return error;
  return sqlError({ code, message: `cannot open the store: ${(error as Error).message}` }, "open", undefined, error);
}
