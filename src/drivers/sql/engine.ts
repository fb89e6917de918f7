import type { SqlCapabilities, SqlParams, SqlRow, SqlRunResult } from "../../contracts/sql.ts";
import type { SqlStatementKind } from "../../contracts/sql-text.ts";
import type { UserFunctions } from "./user-functions.ts";

/** One SQLite technology: synchronous, one connection, throws what its library throws.
 *  Queueing, transactions, caching and error codes are `SqlConnection`'s, written once above all engines. */
export interface SqlEngine {
  /** How a transaction begins: a write lock at once, except where nothing can be written. */
  readonly begin: "BEGIN IMMEDIATE" | "BEGIN";
  /** @param sql Parameters are `?1`, `?2`, … and all of them are bound on every execution. */
  prepare(sql: string, kind: SqlStatementKind): SqlEngineStatement;
  exec(script: string): void;
  inTransaction(): boolean;
  lastInsertRowid(): number;
  /** Settles what may only be settled when the file is written anyway (page size, journal mode). Called once. */
  beforeFirstWrite(): void;
  /** The SQLite (extended) result code and text behind something this engine threw; code 0 where there is none. */
  failure(error: unknown): SqlEngineFailure;
  describe(): SqlCapabilities;
  /** Copies what is committed into a file beside the database. `turn` runs a job while no transaction and no statement does. */
  image(turn: EngineTurn, signal: AbortSignal | undefined): Promise<EngineImage>;
  /** Takes a file in; what `bytes` throws ends it, and nothing of it is left. */
  imageFrom(bytes: AsyncIterable<Uint8Array>): Promise<EngineImage>;
  /** Closes the file. Every statement has been finalised before. */
  close(): void | Promise<void>;
}

export type EngineTurn = <T>(job: () => T | Promise<T>) => Promise<T>;

/** A SQLite file beside the database of an engine. Who may use it when is decided above, in `ConnectionImage`. */
export interface EngineImage {
  sizeBytes(): number | Promise<number>;
  /** The bytes in pieces; the file is neither open nor attached. */
  read(): AsyncIterableIterator<Uint8Array>;
  /** An engine over the file alone, which is not durable. */
  open(functions: UserFunctions): SqlEngine;
  /** Puts the file into the engine's connection as `schema`. */
  attach(schema: string): void;
  detach(schema: string): void;
  /** Deletes the file, which is neither open nor attached. */
  remove(): void | Promise<void>;
}

export interface SqlEngineFailure {
  code: number;
  message: string;
}

/** A prepared statement. Parameters were checked before. */
export interface SqlEngineStatement {
  /** Runs to the end, rows dropped. `changes` is only meaningful for the kind `change`. */
  run(params: SqlParams): SqlRunResult;
  all(params: SqlParams): SqlRow[];
  /** The first row. A statement that writes has done all of its work by then. */
  get(params: SqlParams): SqlRow | undefined;
  /** Starts a read; the statement is the cursor's until that is closed. */
  open(params: SqlParams): SqlCursor;
  finalize(): void;
}

export interface SqlCursor {
  next(): SqlRow | undefined;
  /** Resets the statement. */
  close(): void;
}
