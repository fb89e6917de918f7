import type { SqlDatabase } from "../../contracts/sql.ts";

/** How many chunks an expression matches, and how many there are. */
export interface CorpusStatistics {
  chunks(): Promise<number>;
  matches(expression: string): Promise<number>;
}

/** Counts of one state of the corpus. */
export interface RevisionStatistics extends CorpusStatistics {
  revision: number;
}

/** Most expressions whose count is remembered. */
const MAX_REMEMBERED = 2000;

/** Counts chunks per expression and remembers them until the corpus changes. */
export class TermStatistics {
  readonly #db: SqlDatabase;
  #current: RevisionStatistics | undefined;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  /** Returns the counts for the corpus as it is now. */
  async current(): Promise<RevisionStatistics> {
    const row = await this.#db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'corpus_revision'");
    const revision = Number(row?.value ?? 0);
    if (this.#current?.revision !== revision) this.#current = counts(this.#db, revision);
    return this.#current;
  }
}

function counts(db: SqlDatabase, revision: number): RevisionStatistics {
  const remembered = new Map<string, number>();
  let chunks: number | undefined;
  return {
    revision,
    async chunks(): Promise<number> {
      chunks ??= await count(db, "SELECT count(*) AS n FROM chunks", []);
      return chunks;
    },
    async matches(expression: string): Promise<number> {
      const known = remembered.get(expression);
      if (known !== undefined) return known;
      const found = await count(db, "SELECT count(*) AS n FROM chunks_fts WHERE chunks_fts MATCH $1", [expression]);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(expression, found);
      return found;
    },
  };
}

async function count(db: SqlDatabase, sql: string, params: string[]): Promise<number> {
  const row = await db.get<{ n: number }>(sql, params);
  return row?.n ?? 0;
}
