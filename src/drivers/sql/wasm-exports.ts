import type { Sqlite3Static } from "@sqlite.org/sqlite-wasm";

/** A pointer into SQLite's memory. */
export type Pointer = number;

/** The C functions that the engine calls, without sqlite-wasm's argument conversion.
 *  @see https://www.sqlite.org/c3ref/funclist.html */
export interface SqliteExports {
  sqlite3_bind_blob(stmt: Pointer, index: number, bytes: Pointer, size: number, free: Pointer): number;
  sqlite3_bind_double(stmt: Pointer, index: number, value: number): number;
  sqlite3_bind_int(stmt: Pointer, index: number, value: number): number;
  sqlite3_bind_int64(stmt: Pointer, index: number, value: bigint): number;
  sqlite3_bind_null(stmt: Pointer, index: number): number;
  sqlite3_bind_text(stmt: Pointer, index: number, text: Pointer, size: number, free: Pointer): number;
  sqlite3_changes(db: Pointer): number;
  sqlite3_column_blob(stmt: Pointer, index: number): Pointer;
  sqlite3_column_bytes(stmt: Pointer, index: number): number;
  sqlite3_column_count(stmt: Pointer): number;
  sqlite3_column_double(stmt: Pointer, index: number): number;
  sqlite3_column_int64(stmt: Pointer, index: number): bigint;
  sqlite3_column_name(stmt: Pointer, index: number): Pointer;
  sqlite3_column_text(stmt: Pointer, index: number): Pointer;
  sqlite3_column_type(stmt: Pointer, index: number): number;
  sqlite3_create_function_v2(
    db: Pointer,
    name: Pointer,
    argCount: number,
    flags: number,
    app: Pointer,
    call: Pointer,
    step: Pointer,
    final: Pointer,
    destroy: Pointer,
  ): number;
  sqlite3_errmsg(db: Pointer): Pointer;
  sqlite3_extended_errcode(db: Pointer): number;
  sqlite3_finalize(stmt: Pointer): number;
  sqlite3_free(pointer: Pointer): void;
  sqlite3_get_autocommit(db: Pointer): number;
  sqlite3_last_insert_rowid(db: Pointer): bigint;
  sqlite3_malloc(size: number): Pointer;
  sqlite3_prepare_v3(db: Pointer, sql: Pointer, size: number, flags: number, stmt: Pointer, tail: Pointer): number;
  sqlite3_reset(stmt: Pointer): number;
  sqlite3_result_blob(context: Pointer, bytes: Pointer, size: number, free: Pointer): void;
  sqlite3_result_double(context: Pointer, value: number): void;
  sqlite3_result_error(context: Pointer, message: Pointer, size: number): void;
  sqlite3_result_int64(context: Pointer, value: bigint): void;
  sqlite3_result_null(context: Pointer): void;
  sqlite3_result_text(context: Pointer, text: Pointer, size: number, free: Pointer): void;
  sqlite3_step(stmt: Pointer): number;
  sqlite3_stmt_status(stmt: Pointer, counter: number, reset: number): number;
  sqlite3_value_blob(value: Pointer): Pointer;
  sqlite3_value_bytes(value: Pointer): number;
  sqlite3_value_double(value: Pointer): number;
  sqlite3_value_int64(value: Pointer): bigint;
  sqlite3_value_text(value: Pointer): Pointer;
  sqlite3_value_type(value: Pointer): number;
}

export const SQLITE_OK = 0;
export const SQLITE_ROW = 100;
export const SQLITE_DONE = 101;

export const SQLITE_INTEGER = 1;
export const SQLITE_FLOAT = 2;
export const SQLITE_TEXT = 3;
export const SQLITE_BLOB = 4;

/** Destructor arguments: bytes that stay as they are while the statement runs, and bytes that SQLite copies. */
export const SQLITE_STATIC = 0;
export const SQLITE_TRANSIENT = -1;

export function sqliteExports(sqlite3: Sqlite3Static): SqliteExports {
  return sqlite3.wasm.exports as SqliteExports;
}
