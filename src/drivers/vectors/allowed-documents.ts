import type { DocumentFilter } from "../../contracts/documents.ts";
import type { SqlDatabase, SqlValue } from "../../contracts/sql.ts";

/** Compiles a filter into a boolean SQL expression over the alias `d` of `documents`. */
export type CompileFilter = (filter: DocumentFilter, firstParam: number) => { sql: string; params: SqlValue[] };

/** Which documents a filter allows. The last answers are kept until the corpus changes. */
export class AllowedDocuments {
  readonly #db: SqlDatabase;
  readonly #compile: CompileFilter;
  readonly #kept = new Map<string, ReadonlySet<number>>();
  #revision: SqlValue = null;

  constructor(db: SqlDatabase, compile: CompileFilter) {
    this.#db = db;
    this.#compile = compile;
  }

  /** Keys of the documents that match, and a text that equal questions at equal revisions share. */
  async matching(filter: DocumentFilter): Promise<{ keys: ReadonlySet<number>; id: string }> {
    const { sql, params } = this.#compile(filter, 1);
    const revision = (await this.#db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'corpus_revision'"))
      ?.value;
    if (revision !== this.#revision) {
      this.#kept.clear();
      this.#revision = revision ?? null;
    }
    const id = JSON.stringify([revision, sql, params]);
    const kept = this.#kept.get(id);
    if (kept !== undefined) return { keys: kept, id };
    const rows = await this.#db.all<{ key: number }>(
      `SELECT d.document_key AS key FROM documents d WHERE ${sql}`,
      params,
    );
    const keys = new Set(rows.map(({ key }) => key));
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(id, keys);
    return { keys, id };
  }
}

/** Answers that are kept. */
const KEPT = 16;
