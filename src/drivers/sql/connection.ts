import type {
  SqlCapabilities,
  SqlDatabase,
  SqlFunctions,
  SqlParams,
  SqlReadOptions,
  SqlRow,
  SqlRunResult,
  SqlTransaction,
} from "../../contracts/sql.ts";
import type { SqlEngine } from "./engine.ts";
import { SqlScope } from "./scope.ts";
import { SqlSession } from "./session.ts";
import { UserFunctions } from "./user-functions.ts";

export const STATEMENT_CACHE_SIZE = 200;
export const BUSY_TIMEOUT_MS = 5_000;

export interface SqlConnectionOptions {
  functions: SqlFunctions;
  /** Opens the technology; what it throws, it throws as `StorageError`. */
  engine: (functions: UserFunctions) => SqlEngine;
  /** Prepared statements kept, 200 by default. */
  statementCacheSize?: number;
  /** How long a lock of another connection is waited for, 5000 ms by default; 0: not at all. */
  busyTimeoutMs?: number;
}

/** A SQL database over one SQLite engine: what all three drivers return. */
export class SqlConnection implements SqlDatabase {
  readonly #engine: SqlEngine;
  readonly #session: SqlSession;
  readonly #scope: SqlScope;
  #closing: Promise<void> | undefined;

  constructor(options: SqlConnectionOptions) {
    const functions = new UserFunctions(options.functions);
    this.#engine = options.engine(functions);
    this.#session = new SqlSession(this.#engine, functions, options.statementCacheSize ?? STATEMENT_CACHE_SIZE);
    this.#scope = new SqlScope(this.#session, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  }

  run(sql: string, params?: SqlParams): Promise<SqlRunResult> {
    return this.#scope.run(sql, params);
  }

  runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult> {
    return this.#scope.runMany(sql, rows);
  }

  all<Row extends object = SqlRow>(sql: string, params?: SqlParams, options?: SqlReadOptions): Promise<Row[]> {
    return this.#scope.all<Row>(sql, params, options);
  }

  get<Row extends object = SqlRow>(sql: string, params?: SqlParams): Promise<Row | undefined> {
    return this.#scope.get<Row>(sql, params);
  }

  iterate<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: SqlReadOptions,
  ): AsyncIterableIterator<Row> {
    return this.#scope.iterate<Row>(sql, params, options);
  }

  transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    return this.#scope.transaction(body);
  }

  exec(script: string): Promise<void> {
    return this.#scope.turn("exec", () => this.#session.exec(script));
  }

  capabilities(): Promise<SqlCapabilities> {
    return this.#scope.turn("capabilities", () => this.#engine.describe());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#scope.finish("CLOSED", "the database is closed");
    this.#scope.closeIterators();
    this.#session.clear();
    await this.#engine.close();
  }
}
