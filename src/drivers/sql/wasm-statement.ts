import type { SqlParams, SqlRow, SqlRunResult, SqlValue } from "../../contracts/sql.ts";
import type { SqlCursor, SqlEngineStatement } from "./engine.ts";
import { narrow } from "./user-functions.ts";
import {
  SQLITE_BLOB,
  SQLITE_DONE,
  SQLITE_FLOAT,
  SQLITE_INTEGER,
  SQLITE_OK,
  SQLITE_ROW,
  SQLITE_STATIC,
  SQLITE_TEXT,
  SQLITE_TRANSIENT,
  type Pointer,
  type SqliteExports,
} from "./wasm-exports.ts";
import type { WasmMemory } from "./wasm-memory.ts";

/** What the statements of one connection share. */
export interface WasmConnection {
  readonly exports: SqliteExports;
  readonly memory: WasmMemory;
  readonly db: Pointer;
  /** Destructor argument for bytes that SQLite frees itself. */
  readonly freePointer: Pointer;
  /** Throws the connection's error for a result code other than OK. */
  check(resultCode: number): void;
}

/** sqlite3_stmt_status: how often SQLite prepared the statement again because the schema had changed. */
const STATUS_REPREPARE = 5;
const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/** A statement of sqlite-wasm, on the C functions themselves. */
export class WasmStatement implements SqlEngineStatement {
  readonly #connection: WasmConnection;
  readonly #exports: SqliteExports;
  readonly #stmt: Pointer;
  #columns: string[] | undefined;
  #prepares = 0;

  constructor(connection: WasmConnection, stmt: Pointer) {
    this.#connection = connection;
    this.#exports = connection.exports;
    this.#stmt = stmt;
  }

  run(params: SqlParams): SqlRunResult {
    const { db } = this.#connection;
    this.#bind(params, SQLITE_STATIC);
    let resultCode = SQLITE_ROW;
    while (resultCode === SQLITE_ROW) resultCode = this.#exports.sqlite3_step(this.#stmt);
    this.#end(resultCode);
    return {
      changes: this.#exports.sqlite3_changes(db),
      lastInsertRowid: Number(this.#exports.sqlite3_last_insert_rowid(db)),
    };
  }

  all(params: SqlParams): SqlRow[] {
    this.#bind(params, SQLITE_STATIC);
    const rows: SqlRow[] = [];
    let resultCode: number;
    while ((resultCode = this.#exports.sqlite3_step(this.#stmt)) === SQLITE_ROW) {
      rows.push(this.#row(rows.length === 0));
    }
    this.#end(resultCode);
    return rows;
  }

  get(params: SqlParams): SqlRow | undefined {
    this.#bind(params, SQLITE_STATIC);
    const resultCode = this.#exports.sqlite3_step(this.#stmt);
    const row = resultCode === SQLITE_ROW ? this.#row(true) : undefined;
    this.#end(resultCode === SQLITE_ROW ? SQLITE_DONE : resultCode);
    return row;
  }

  open(params: SqlParams): SqlCursor {
    this.#bind(params, SQLITE_TRANSIENT);
    let isFirst = true;
    let isOpen = true;
    return {
      next: () => {
        if (!isOpen) return undefined;
        const resultCode = this.#exports.sqlite3_step(this.#stmt);
        if (resultCode === SQLITE_ROW) {
          const row = this.#row(isFirst);
          isFirst = false;
          return row;
        }
        isOpen = false;
        this.#end(resultCode);
        return undefined;
      },
      close: () => {
        isOpen = false;
        this.#exports.sqlite3_reset(this.#stmt);
      },
    };
  }

  finalize(): void {
    this.#exports.sqlite3_finalize(this.#stmt);
  }

  /** Resets, and throws if the last step failed. The connection's message is read before the reset can change it. */
  #end(resultCode: number): void {
    if (resultCode === SQLITE_DONE) {
      this.#connection.check(this.#exports.sqlite3_reset(this.#stmt));
      return;
    }
    try {
      this.#connection.check(resultCode);
    } finally {
      this.#exports.sqlite3_reset(this.#stmt);
    }
  }

  #bind(params: SqlParams, lifetime: number): void {
    this.#connection.memory.reset();
    for (let i = 0; i < params.length; i++) {
      const resultCode = this.#bindOne(i + 1, params[i] as SqlValue, lifetime);
      if (resultCode !== SQLITE_OK) this.#connection.check(resultCode);
    }
  }

  #bindOne(index: number, value: SqlValue, lifetime: number): number {
    const { memory, freePointer } = this.#connection;
    switch (typeof value) {
      case "number":
        if (!Number.isSafeInteger(value)) return this.#exports.sqlite3_bind_double(this.#stmt, index, value);
        if (value >= MIN_INT32 && value <= MAX_INT32) {
          return this.#exports.sqlite3_bind_int(this.#stmt, index, value);
        }
        return this.#exports.sqlite3_bind_int64(this.#stmt, index, BigInt(value));
      case "string": {
        memory.writeText(value);
        const { pointer, size, owned } = memory.written;
        return this.#exports.sqlite3_bind_text(this.#stmt, index, pointer, size, owned ? freePointer : lifetime);
      }
      case "bigint":
        return this.#exports.sqlite3_bind_int64(this.#stmt, index, value);
      default: {
        if (value === null) return this.#exports.sqlite3_bind_null(this.#stmt, index);
        memory.writeBytes(value);
        const { pointer, size, owned } = memory.written;
        return this.#exports.sqlite3_bind_blob(this.#stmt, index, pointer, size, owned ? freePointer : lifetime);
      }
    }
  }

  /** The row the statement stands on. The first row of a run looks whether the columns are still the same. */
  #row(isFirst: boolean): SqlRow {
    const columns = isFirst ? this.#currentColumns() : (this.#columns as string[]);
    const row: SqlRow = {};
    for (let i = 0; i < columns.length; i++) row[columns[i] as string] = this.#value(i);
    return row;
  }

  #currentColumns(): string[] {
    const prepares = this.#exports.sqlite3_stmt_status(this.#stmt, STATUS_REPREPARE, 0);
    if (this.#columns !== undefined && prepares === this.#prepares) return this.#columns;
    const columns: string[] = [];
    const count = this.#exports.sqlite3_column_count(this.#stmt);
    for (let i = 0; i < count; i++) {
      const name = this.#exports.sqlite3_column_name(this.#stmt, i);
      columns.push(this.#connection.memory.readCString(name));
    }
    this.#prepares = prepares;
    this.#columns = columns;
    return columns;
  }

  #value(column: number): SqlValue {
    const exports = this.#exports;
    const stmt = this.#stmt;
    switch (exports.sqlite3_column_type(stmt, column)) {
      case SQLITE_INTEGER: {
        // Exact as a double up to 2^53, and cheaper than a bigint.
        const value = exports.sqlite3_column_double(stmt, column);
        return Number.isSafeInteger(value) ? value : narrow(exports.sqlite3_column_int64(stmt, column));
      }
      case SQLITE_FLOAT:
        return exports.sqlite3_column_double(stmt, column);
      case SQLITE_TEXT: {
        const text = exports.sqlite3_column_text(stmt, column);
        return this.#connection.memory.readText(text, exports.sqlite3_column_bytes(stmt, column));
      }
      case SQLITE_BLOB: {
        const bytes = exports.sqlite3_column_blob(stmt, column);
        return this.#connection.memory.readBytes(bytes, exports.sqlite3_column_bytes(stmt, column));
      }
      default:
        return null;
    }
  }
}
