import type { Database, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import type { SqlCapabilities } from "../../contracts/sql.ts";
import { isOutOfRoom } from "../out-of-room.ts";
import type { EngineImage, EngineTurn, SqlEngine, SqlEngineFailure, SqlEngineStatement } from "./engine.ts";
import { isIoError, SQLITE_FULL } from "./result-codes.ts";
import type { UserFunctions } from "./user-functions.ts";
import { sqliteExports, type Pointer, type SqliteExports } from "./wasm-exports.ts";
import { registerFunctions } from "./wasm-functions.ts";
import { WasmMemory } from "./wasm-memory.ts";
import { takeIoError } from "./wasm-module.ts";
import { WasmStatement, type WasmConnection } from "./wasm-statement.ts";

export interface WasmEngineOptions {
  sqlite3: Sqlite3Static;
  functions: UserFunctions;
  /** Driver name, and what `capabilities()` says of it. */
  driver: "sql-memory" | "sql-opfs";
  fileName: string;
  vfs?: string;
  /** PRAGMAs of every connection, run at once. */
  connectionPragmas: string;
  /** PRAGMAs that count when the file is made, run before its first page is written, */
  newFilePragmas: string;
  /** and those that change the file, run before the first write of each connection. */
  filePragmas: string;
  /** Makes files beside the database. */
  images: WasmImages;
  /** Runs before anything else is done with the database, */
  onOpened?: (database: Database) => void;
  /** before it is closed, */
  onClosing?: (database: Database) => void;
  /** and after that. */
  afterClose?: () => void | Promise<void>;
}

/** How a database of sqlite-wasm gets files beside it. */
export interface WasmImages {
  copy(source: Database, turn: EngineTurn, signal: AbortSignal | undefined): Promise<EngineImage>;
  receive(source: Database, bytes: AsyncIterable<Uint8Array>): Promise<EngineImage>;
}

const PREPARE_PERSISTENT = 0x1;

/** What a C function returned, with SQLite's text. */
class SqliteResultError extends Error {
  readonly resultCode: number;

  constructor(resultCode: number, message: string) {
    super(message);
    this.name = "SqliteResultError";
    this.resultCode = resultCode;
  }
}

/** A database of sqlite-wasm, in memory or on a VFS. */
export class WasmSqlEngine implements SqlEngine, WasmConnection {
  readonly begin = "BEGIN IMMEDIATE";
  readonly exports: SqliteExports;
  readonly memory: WasmMemory;
  readonly db: Pointer;
  readonly freePointer: Pointer;
  readonly #options: WasmEngineOptions;
  readonly #database: Database;
  /** Where prepare puts the statement's address. */
  readonly #out: Pointer;
  readonly #unregister: () => void;

  constructor(options: WasmEngineOptions) {
    const { sqlite3, fileName, vfs, functions } = options;
    this.#options = options;
    this.exports = sqliteExports(sqlite3);
    this.freePointer = sqlite3.capi.SQLITE_WASM_DEALLOC;
    this.#database = new sqlite3.oo1.DB({ filename: fileName, flags: "c", ...(vfs === undefined ? {} : { vfs }) });
    this.db = this.#database.pointer as Pointer;
    this.memory = new WasmMemory(sqlite3);
    this.#out = this.exports.sqlite3_malloc(4);
    try {
      options.onOpened?.(this.#database);
      this.#database.exec(`PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON; ${options.connectionPragmas}`);
      this.#database.exec("SELECT count(*) FROM sqlite_schema");
      this.#unregister = registerFunctions(sqlite3, this, functions);
    } catch (error) {
      this.#database.close();
      this.#free();
      throw error;
    }
  }

  prepare(sql: string): SqlEngineStatement {
    this.memory.reset();
    this.memory.writeText(sql);
    const { pointer, size, owned } = this.memory.written;
    try {
      this.check(this.exports.sqlite3_prepare_v3(this.db, pointer, size, PREPARE_PERSISTENT, this.#out, 0));
    } finally {
      if (owned) this.exports.sqlite3_free(pointer);
    }
    return new WasmStatement(this, this.#options.sqlite3.wasm.peekPtr(this.#out));
  }

  exec(script: string): void {
    if (script !== "") this.#database.exec(script);
  }

  inTransaction(): boolean {
    return this.exports.sqlite3_get_autocommit(this.db) === 0;
  }

  lastInsertRowid(): number {
    return Number(this.exports.sqlite3_last_insert_rowid(this.db));
  }

  beforeFirstWrite(): void {
    // Asking for auto_vacuum writes to a file that is there.
    if (this.#database.selectValue("PRAGMA page_count") === 0) this.exec(this.#options.newFilePragmas);
    this.exec(this.#options.filePragmas);
  }

  check(resultCode: number): void {
    if (resultCode === 0) return;
    const message = this.memory.readCString(this.exports.sqlite3_errmsg(this.db));
    const extended = this.exports.sqlite3_extended_errcode(this.db);
    throw new SqliteResultError(extended === 0 ? resultCode : extended, message);
  }

  failure(error: unknown): SqlEngineFailure {
    const io = takeIoError();
    const message = error instanceof Error ? error.message : String(error);
    const code: unknown = error instanceof Error && "resultCode" in error ? error.resultCode : 0;
    if (typeof code !== "number") return { code: 0, message };
    if (io === undefined || !isIoError(code)) return { code, message };
    return { code: isOutOfSpace(io) ? SQLITE_FULL : code, message: `${message}: ${io.message}` };
  }

  describe(): SqlCapabilities {
    const { sqlite3, driver } = this.#options;
    const pragma = (name: string): string | number => {
      const value = this.#database.selectValue(`PRAGMA ${name}`);
      return typeof value === "number" || typeof value === "string" ? value : "";
    };
    const isPersistent = driver === "sql-opfs";
    return {
      driver,
      dialect: "sqlite",
      engine: `SQLite ${sqlite3.version.libVersion}`,
      vfs: isPersistent ? "opfs-sahpool" : "memory",
      persistent: isPersistent,
      fullText: true,
      settings: {
        journal_mode: pragma("journal_mode"),
        page_size: pragma("page_size"),
        cache_size: pragma("cache_size"),
        synchronous: pragma("synchronous"),
        locking_mode: pragma("locking_mode"),
        auto_vacuum: pragma("auto_vacuum"),
      },
    };
  }

  image(turn: EngineTurn, signal: AbortSignal | undefined): Promise<EngineImage> {
    return this.#options.images.copy(this.#database, turn, signal);
  }

  imageFrom(bytes: AsyncIterable<Uint8Array>): Promise<EngineImage> {
    return this.#options.images.receive(this.#database, bytes);
  }

  async close(): Promise<void> {
    try {
      this.#options.onClosing?.(this.#database);
    } finally {
      this.#database.close();
      this.#unregister();
      this.#free();
    }
    await this.#options.afterClose?.();
  }

  #free(): void {
    this.exports.sqlite3_free(this.#out);
    this.memory.dispose();
  }
}

/** Where no space is left, browsers throw QuotaExceededError or write less than they were asked to, which the VFS calls
 *  a failure of `write()`. */
function isOutOfSpace(error: Error): boolean {
  return isOutOfRoom(error) || error.message.includes("write() failure");
}
