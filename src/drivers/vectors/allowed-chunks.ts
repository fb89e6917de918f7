import type { DocumentFilter } from "../../contracts/documents.ts";
import type { SqlDatabase, SqlValue } from "../../contracts/sql.ts";

/** Compiles a filter into a boolean SQL expression over the alias `d` of `documents`. */
export type CompileFilter = (filter: DocumentFilter, firstParam: number) => { sql: string; params: SqlValue[] };

/** Keys of the chunks that a filter allows; the same object for equal filters of an unchanged corpus. */
export interface AllowedKeys {
  keys: Uint32Array;
}

/** Answers that are kept. */
const KEPT = 16;

/** Which chunks a filter allows. The last answers are kept until the corpus changes. */
export class AllowedChunks {
  readonly #db: SqlDatabase;
  readonly #compile: CompileFilter;
  readonly #kept = new Map<string, AllowedKeys>();
  #revision: SqlValue = null;

  constructor(db: SqlDatabase, compile: CompileFilter) {
    this.#db = db;
    this.#compile = compile;
  }

  async matching(filter: DocumentFilter): Promise<AllowedKeys> {
    const { sql, params } = this.#compile(filter, 1);
    const revision = (await this.#db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'corpus_revision'"))
      ?.value;
    if (revision !== this.#revision) {
      this.#kept.clear();
      this.#revision = revision ?? null;
    }
    const question = JSON.stringify([sql, params]);
    const kept = this.#kept.get(question);
    if (kept !== undefined) return kept;
    // One text instead of a row each: a filter may allow every chunk there is.
    const row = await this.#db.get<{ keys: string }>(
      `SELECT json_group_array(c.chunk_key) AS keys
       FROM documents d JOIN chunks c ON c.document_key = d.document_key WHERE ${sql}`,
      params,
    );
    const allowed = { keys: Uint32Array.from(JSON.parse(row?.keys ?? "[]") as number[]) };
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(question, allowed);
    return allowed;
  }
}
