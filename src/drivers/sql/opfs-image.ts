import type { Database, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { StorageError } from "../../errors.ts";
import { isOutOfRoom } from "../out-of-room.ts";
import type { EngineImage, EngineTurn, SqlEngine } from "./engine.ts";
import { IMAGE_PIECE_BYTES, throwIfCopyAborted } from "./image-bytes.ts";
import type { OpfsPool } from "./opfs-pool.ts";
import type { UserFunctions } from "./user-functions.ts";
import { WasmSqlEngine, type WasmImages } from "./wasm-engine.ts";

/** Pages that one step copies, 4 MiB of 16 KiB pages: what others wait for. */
const COPY_PAGES = 256;
/** For a file that is thrown away. The locking mode comes first, as for the database itself. */
const PRAGMAS = `PRAGMA locking_mode = exclusive; PRAGMA journal_mode = memory; PRAGMA synchronous = off;
  PRAGMA cache_size = -4096; PRAGMA temp_store = memory;`;

/** Images as files of the store's own pool of access handles. */
export function opfsImages(sqlite3: Sqlite3Static, pool: OpfsPool): WasmImages {
  const open = (file: string): Database => {
    const database = new sqlite3.oo1.DB({ filename: file, flags: "c", vfs: pool.vfs });
    database.exec(PRAGMAS);
    return database;
  };
  return {
    copy: async (source, turn, signal) => {
      const file = await pool.reserveImage();
      try {
        const target = open(file);
        try {
          await copy(sqlite3, source, target, turn, signal);
        } finally {
          target.close();
        }
        // A copy of a database with a WAL says that it has one: opening it for a moment changes that.
        open(file).close();
      } catch (error) {
        pool.remove(file);
        throw error;
      }
      return new OpfsImage(sqlite3, pool, source, file, open);
    },
    receive: async (source, bytes) => {
      const file = await pool.reserveImage();
      try {
        // Makes the file: until it has a name, its place in the pool could be taken for a journal.
        open(file).close();
        const pieces = bytes[Symbol.asyncIterator]();
        await pool.write(file, async () => {
          const next = await pieces.next();
          return next.done === true ? undefined : next.value;
        });
      } catch (error) {
        pool.remove(file);
        throw receiveError(error);
      }
      return new OpfsImage(sqlite3, pool, source, file, open);
    },
  };
}

/** SQLite's online backup: what is written to the source between two steps, it writes to the copy as well.
 *  @see https://www.sqlite.org/c3ref/backup_finish.html */
async function copy(
  { capi }: Sqlite3Static,
  source: Database,
  target: Database,
  turn: EngineTurn,
  signal: AbortSignal | undefined,
): Promise<void> {
  const backup = capi.sqlite3_backup_init(target, "main", source, "main");
  if (backup === 0) throw new Error(`the copy cannot be begun: ${capi.sqlite3_errmsg(target)}`);
  let last: number = capi.SQLITE_OK;
  let finished: number;
  try {
    while (last === capi.SQLITE_OK) {
      throwIfCopyAborted(signal);
      last = await turn(() => capi.sqlite3_backup_step(backup, COPY_PAGES));
    }
  } finally {
    finished = capi.sqlite3_backup_finish(backup);
  }
  if (last !== capi.SQLITE_DONE) source.checkRc(finished === capi.SQLITE_OK ? last : finished);
}

class OpfsImage implements EngineImage {
  readonly #sqlite3: Sqlite3Static;
  readonly #pool: OpfsPool;
  readonly #home: Database;
  readonly #file: string;
  readonly #open: (file: string) => Database;

  constructor(sqlite3: Sqlite3Static, pool: OpfsPool, home: Database, file: string, open: (file: string) => Database) {
    this.#sqlite3 = sqlite3;
    this.#pool = pool;
    this.#home = home;
    this.#file = file;
    this.#open = open;
  }

  sizeBytes(): number {
    const database = this.#open(this.#file);
    try {
      const { count, size } = pagesOf(database);
      return count * size;
    } finally {
      database.close();
    }
  }

  /** Page by page: the file itself is behind SQLite's pool. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const database = this.#open(this.#file);
    try {
      const { count, size } = pagesOf(database);
      const pagesAtOnce = Math.max(1, Math.floor(IMAGE_PIECE_BYTES / size));
      const page = database.prepare("SELECT data FROM sqlite_dbpage('main') WHERE pgno = ?");
      try {
        for (let first = 1; first <= count; first += pagesAtOnce) {
          const piece = new Uint8Array(Math.min(pagesAtOnce, count - first + 1) * size);
          for (let at = 0; at * size < piece.byteLength; at++) {
            page.bind(1, first + at);
            page.step();
            piece.set(page.get(0) as Uint8Array, at * size);
            page.reset();
          }
          yield piece;
        }
      } finally {
        page.finalize();
      }
    } finally {
      database.close();
    }
  }

  open(functions: UserFunctions): SqlEngine {
    return new WasmSqlEngine({
      sqlite3: this.#sqlite3,
      functions,
      driver: "sql-opfs",
      fileName: this.#file,
      vfs: this.#pool.vfs,
      connectionPragmas: PRAGMAS,
      newFilePragmas: "",
      filePragmas: "",
      images: opfsImages(this.#sqlite3, this.#pool),
    });
  }

  attach(schema: string): void {
    // Without a VFS of its own an attached file is in the one of the connection.
    this.#home.exec(`ATTACH '${this.#file}' AS ${schema}`);
    try {
      this.#home.exec(`PRAGMA ${schema}.journal_mode = memory; PRAGMA ${schema}.synchronous = off`);
      this.#home.exec(`SELECT count(*) FROM ${schema}.sqlite_schema`);
    } catch (error) {
      this.detach(schema);
      throw error;
    }
  }

  detach(schema: string): void {
    this.#home.exec(`DETACH ${schema}`);
  }

  remove(): void {
    this.#pool.remove(this.#file);
  }
}

function pagesOf(database: Database): { count: number; size: number } {
  return {
    count: Number(database.selectValue("PRAGMA page_count")),
    size: Number(database.selectValue("PRAGMA page_size")),
  };
}

/** What sqlite-wasm says of bytes that are no database, and of a disk that is full, are plain errors. */
function receiveError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const context = { capability: "sql", operation: "imageFrom", cause: error } as const;
  if (isOutOfRoom(error) || error.message.includes("bytes but wrote")) {
    return new StorageError("QUOTA_EXCEEDED", `no storage is left for the file: ${error.message}`, context);
  }
  if (error.message.includes("SQLite") || error.message.includes("database")) {
    return new StorageError("CORRUPT", `the bytes are no SQLite database: ${error.message}`, context);
  }
  return error;
}
