import { readSqlStatement, type SqlStatementKind } from "../../contracts/sql-text.ts";
import type { SqlEngine, SqlEngineStatement } from "./engine.ts";

/** A statement as the cache hands it out. */
export interface CachedStatement {
  /** The text as the caller wrote it. */
  readonly sql: string;
  readonly kind: SqlStatementKind;
  readonly parameterCount: number;
  readonly statement: SqlEngineStatement;
}

/** Prepared statements by SQL text; the least recently used goes when there are more than `capacity`. */
export class StatementCache {
  readonly #engine: SqlEngine;
  readonly #capacity: number;
  readonly #statements = new Map<string, CachedStatement>();
  #last: CachedStatement | undefined;

  constructor(engine: SqlEngine, capacity: number) {
    this.#engine = engine;
    this.#capacity = capacity;
  }

  /** The statement of this text, prepared now if it is not there. It stays in the cache: use it up before the next call. */
  use(sql: string): CachedStatement {
    if (this.#last?.sql === sql) return this.#last;
    const known = this.#statements.get(sql);
    if (known === undefined) return this.#add(this.#prepare(sql));
    this.#statements.delete(sql);
    this.#statements.set(sql, known);
    this.#last = known;
    return known;
  }

  /** Like `use`, but out of the cache until `giveBack`: nobody else gets this statement while it has a cursor. */
  take(sql: string): CachedStatement {
    const known = this.#statements.get(sql);
    if (known === undefined) return this.#prepare(sql);
    this.#forget(known);
    return known;
  }

  giveBack(statement: CachedStatement): void {
    if (this.#statements.has(statement.sql)) statement.statement.finalize();
    else this.#add(statement);
  }

  clear(): void {
    for (const { statement } of this.#statements.values()) statement.finalize();
    this.#statements.clear();
    this.#last = undefined;
  }

  #prepare(sql: string): CachedStatement {
    const { kind, parameterCount, parameterOffsets } = readSqlStatement(sql);
    const statement = this.#engine.prepare(numbered(sql, parameterOffsets), kind);
    return { sql, kind, parameterCount, statement };
  }

  #add(statement: CachedStatement): CachedStatement {
    if (this.#statements.size >= this.#capacity) {
      for (const oldest of this.#statements.values()) {
        this.#forget(oldest);
        oldest.statement.finalize();
        break;
      }
    }
    this.#statements.set(statement.sql, statement);
    this.#last = statement;
    return statement;
  }

  #forget(statement: CachedStatement): void {
    this.#statements.delete(statement.sql);
    if (this.#last === statement) this.#last = undefined;
  }
}

/** `$1` is a name to SQLite; `?1` is the position that we bind by. */
function numbered(sql: string, parameterOffsets: readonly number[]): string {
  let text = "";
  let from = 0;
  for (const offset of parameterOffsets) {
    text += `${sql.slice(from, offset)}?`;
    from = offset + 1;
  }
  return text + sql.slice(from);
}
