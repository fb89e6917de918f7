import { checkSqlParams } from "../../contracts/check-sql-params.ts";
import type { SqlParams, SqlRow, SqlRunResult } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import type { SqlCursor, SqlEngine } from "./engine.ts";
import { sqlError } from "./result-codes.ts";
import { StatementCache, type CachedStatement } from "./statement-cache.ts";
import type { UserFunctions } from "./user-functions.ts";

/** One connection's work, synchronous: runs statements, keeps track of its transaction, turns failures into `StorageError`.
 *  Who may run when is decided above, in `SqlScope`. */
export class SqlSession {
  readonly #engine: SqlEngine;
  readonly #functions: UserFunctions;
  readonly #cache: StatementCache;
  #written = false;
  #depth = 0;
  #cursors = 0;
  readonly #onCommit = new Set<() => void>();
  /** The failure on which SQLite itself rolled the running transaction back. */
  #lostBy: StorageError | undefined;

  constructor(engine: SqlEngine, functions: UserFunctions, statementCacheSize: number) {
    this.#engine = engine;
    this.#functions = functions;
    this.#cache = new StatementCache(engine, statementCacheSize);
  }

  run(sql: string, params: SqlParams): SqlRunResult {
    return this.#execute("run", sql, params, runStatement);
  }

  all(sql: string, params: SqlParams): SqlRow[] {
    return this.#execute("all", sql, params, allRows);
  }

  get(sql: string, params: SqlParams): SqlRow | undefined {
    return this.#execute("get", sql, params, firstRow);
  }

  /** @returns what ends it. */
  onCommit(listener: () => void): () => void {
    this.#onCommit.add(listener);
    return () => void this.#onCommit.delete(listener);
  }

  /** Runs `sql` once per row between `begin` and `commit`, all rows checked before the first is written. */
  runMany(sql: string, rows: readonly SqlParams[]): SqlRunResult {
    const { parameterCount, kind } = this.#use("runMany", sql);
    for (const [index, row] of rows.entries()) checkRow(row, parameterCount, index);
    if (rows.length === 0) return { changes: 0, lastInsertRowid: this.#engine.lastInsertRowid() };
    this.begin();
    let changes = 0;
    let lastInsertRowid = 0;
    try {
      const { statement } = this.#use("runMany", sql);
      for (const row of rows) {
        const result = statement.run(row);
        changes += result.changes;
        lastInsertRowid = result.lastInsertRowid;
      }
    } catch (error) {
      const failure = this.#failed(error, "runMany", sql);
      this.rollback();
      throw failure;
    }
    this.commit();
    return { changes: kind === "change" ? changes : 0, lastInsertRowid };
  }

  /** Starts a read row by row. Statements that write run to their end first: they cannot stay half done. */
  open(sql: string, params: SqlParams): SqlCursor {
    const { kind } = this.#use("iterate", sql);
    if (kind !== "read") return cursorOver(this.all(sql, params));
    const taken = this.#cache.take(sql);
    const giveBack = (): void => this.#cache.giveBack(taken);
    try {
      checkSqlParams(params, taken.parameterCount, "iterate");
      const cursor = taken.statement.open(params);
      this.#cursors++;
      return {
        next: () => this.#guard("iterate", sql, () => cursor.next()),
        close: () => {
          this.#cursors--;
          cursor.close();
          giveBack();
        },
      };
    } catch (error) {
      giveBack();
      throw this.#failed(error, "iterate", sql);
    }
  }

  exec(script: string): void {
    this.#beforeWrite("exec");
    let leftOpen = false;
    try {
      this.#guard("exec", undefined, () => this.#engine.exec(script));
    } finally {
      leftOpen = this.#engine.inTransaction();
      if (leftOpen) this.#control("ROLLBACK");
    }
    this.#committed();
    if (leftOpen) throw invalid("exec", "the script left a transaction open; it was rolled back");
  }

  /** Runs what the engine does itself, outside of transactions. */
  perform(operation: string, action: () => void): void {
    this.#beforeWrite(operation);
    this.#guard(operation, undefined, action);
  }

  /** What an engine threw, as `StorageError`. */
  failed(error: unknown, operation: string): StorageError {
    return this.#failed(error, operation, undefined);
  }

  /** Opens a transaction, or a savepoint inside one. */
  begin(): void {
    this.#assertNotLost("transaction");
    if (this.#depth === 0) {
      this.#beforeWrite("transaction");
      if (this.#engine.inTransaction()) this.#control("ROLLBACK");
      this.#control(this.#engine.begin);
    } else {
      this.#control(`SAVEPOINT s${this.#depth}`);
    }
    this.#depth++;
  }

  /** Makes the innermost transaction or savepoint permanent; if that fails it is rolled back. */
  commit(): void {
    try {
      this.#assertNotLost("commit");
      this.#control(this.#depth === 1 ? "COMMIT" : `RELEASE s${this.#depth - 1}`);
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.#depth--;
    this.#committed();
  }

  /** Undoes the innermost transaction or savepoint. The caller has an error to report already, so a failure here is
   *  not thrown: it ends the whole transaction, or is made up for by the next `begin`. */
  rollback(): void {
    this.#depth--;
    const lost = this.#lostBy !== undefined;
    if (this.#depth === 0) this.#lostBy = undefined;
    try {
      if (this.#depth === 0) {
        if (this.#engine.inTransaction()) this.#control("ROLLBACK");
      } else if (!lost) {
        this.#control(`ROLLBACK TO s${this.#depth}`);
        this.#control(`RELEASE s${this.#depth}`);
      }
    } catch (error) {
      if (this.#depth > 0) this.#lostBy = this.#failed(error, "rollback", undefined);
    }
  }

  clear(): void {
    this.#cache.clear();
  }

  #execute<T>(
    operation: string,
    sql: string,
    params: SqlParams,
    execute: (statement: CachedStatement, params: SqlParams) => T,
  ): T {
    const statement = this.#use(operation, sql);
    checkSqlParams(params, statement.parameterCount, operation);
    let result: T;
    try {
      result = execute(statement, params);
    } catch (error) {
      throw this.#failed(error, operation, sql);
    }
    if (statement.kind !== "read") this.#committed();
    return result;
  }

  /** Outside of transactions every statement commits itself. */
  #committed(): void {
    if (this.#depth === 0) for (const tell of this.#onCommit) tell();
  }

  #use(operation: string, sql: string): CachedStatement {
    if (this.#lostBy !== undefined) this.#assertNotLost(operation);
    try {
      const statement = this.#cache.use(sql);
      if (statement.kind === "control") {
        throw invalid(operation, "transactions are opened and ended by transaction(), not by SQL");
      }
      if (!this.#written && isWrite(statement)) this.#beforeWrite(operation);
      return statement;
    } catch (error) {
      throw this.#failed(error, operation, sql);
    }
  }

  #beforeWrite(operation: string): void {
    // The journal mode cannot change under an open read: then the next write tries again.
    if (this.#written || this.#cursors > 0) return;
    this.#guard(operation, undefined, () => this.#engine.beforeFirstWrite());
    this.#written = true;
  }

  #control(sql: string): void {
    this.#guard("transaction", sql, () => this.#cache.use(sql).statement.run([]));
  }

  #assertNotLost(operation: string): void {
    if (this.#lostBy === undefined) return;
    throw new StorageError("TRANSACTION", `the transaction was rolled back: ${this.#lostBy.message}`, {
      capability: "sql",
      operation,
      cause: this.#lostBy,
    });
  }

  #guard<T>(operation: string, sql: string | undefined, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.#failed(error, operation, sql);
    }
  }

  #failed(error: unknown, operation: string, sql: string | undefined): StorageError {
    const thrown = this.#functions.takeFailure();
    if (thrown === undefined && error instanceof StorageError) return error;
    const failure =
      thrown === undefined
        ? sqlError(this.#engine.failure(error), operation, sql, error)
        : functionError(thrown.name, thrown.error, operation);
    if (this.#depth > 0 && this.#lostBy === undefined && !this.#engine.inTransaction()) {
      this.#lostBy = failure;
    }
    return failure;
  }
}

const MAKES_TEMPORARY = /^\s*CREATE\s+(?:TEMP(?:ORARY)?\s|VIRTUAL\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?temp\s*\.)/iu;

/** Whether a statement may change the file. What is temporary belongs to the connection. */
function isWrite({ kind, sql }: CachedStatement): boolean {
  return kind === "change" || (kind === "schema" && !MAKES_TEMPORARY.test(sql));
}

function runStatement({ kind, statement }: CachedStatement, params: SqlParams): SqlRunResult {
  const result = statement.run(params);
  if (kind !== "change") result.changes = 0;
  return result;
}

function allRows({ statement }: CachedStatement, params: SqlParams): SqlRow[] {
  return statement.all(params);
}

function firstRow({ statement }: CachedStatement, params: SqlParams): SqlRow | undefined {
  return statement.get(params);
}

function cursorOver(rows: readonly SqlRow[]): SqlCursor {
  let index = 0;
  return { next: () => rows[index++], close: () => (index = rows.length) };
}

function checkRow(row: SqlParams, count: number, index: number): void {
  try {
    checkSqlParams(row, count, "runMany");
  } catch (error) {
    if (error instanceof StorageError) throw invalid("runMany", `row ${index}: ${error.message}`);
    throw error;
  }
}

function functionError(name: string, error: unknown, operation: string): StorageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError("DRIVER", `the SQL function ${name} failed: ${reason}`, {
    capability: "sql",
    operation,
    cause: error,
  });
}

function invalid(operation: string, message: string): StorageError {
  return new StorageError("INVALID_INPUT", message, { capability: "sql", operation });
}
