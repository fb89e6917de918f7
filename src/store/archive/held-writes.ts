import type { SqlExecutor, SqlParams, SqlRunResult, SqlTransaction } from "../../contracts/sql.ts";

/** Keeps others from writing while rows of an import are committed that may still be undone: undoing them takes all that the store holds. */
export class HeldWrites {
  #over: Promise<unknown> | undefined;

  /** Whoever begins to write while `work` runs waits for its end. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const run = work();
    const over = run.then(nothing, nothing);
    this.#over = over;
    try {
      return await run;
    } finally {
      if (this.#over === over) this.#over = undefined;
    }
  }

  /** Resolves when nothing is held. */
  async free(): Promise<void> {
    while (this.#over !== undefined) await this.#over;
  }

  /** Returns the database for those who wait. */
  over(db: SqlExecutor): SqlExecutor {
    return new HeldExecutor(db, this);
  }
}

class HeldExecutor implements SqlExecutor {
  readonly #db: SqlExecutor;
  readonly #held: HeldWrites;
  readonly all: SqlExecutor["all"];
  readonly get: SqlExecutor["get"];
  readonly iterate: SqlExecutor["iterate"];

  constructor(db: SqlExecutor, held: HeldWrites) {
    this.#db = db;
    this.#held = held;
    this.all = db.all.bind(db);
    this.get = db.get.bind(db);
    this.iterate = db.iterate.bind(db);
  }

  async run(sql: string, params?: SqlParams): Promise<SqlRunResult> {
    await this.#held.free();
    return this.#db.run(sql, params);
  }

  async runMany(sql: string, rows: readonly SqlParams[]): Promise<SqlRunResult> {
    await this.#held.free();
    return this.#db.runMany(sql, rows);
  }

  async transaction<T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    await this.#held.free();
    return this.#db.transaction(body);
  }
}

function nothing(): void {}
