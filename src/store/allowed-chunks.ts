import type { DocumentFilter } from "../contracts/documents.ts";
import type { SqlDatabase, SqlValue } from "../contracts/sql.ts";
import type { AllowedKeys } from "../contracts/vectors.ts";
import { compileDocumentFilter } from "./document-filter.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** Answers that are kept. */
const KEPT = 16;

/** Which chunks a filter allows: the ranking by words and the vector store ask the same. The last answers are kept until the corpus changes. */
export class AllowedChunks {
  readonly #db: SqlDatabase;
  readonly #kept = new Map<string, AllowedKeys>();
  #revision: SqlValue = null;

  constructor(db: SqlDatabase) {
    this.#db = db;
  }

  /** @throws StorageError INVALID_INPUT, naming the field */
  readonly matching = async (filter: DocumentFilter): Promise<AllowedKeys> => {
    const { sql, params } = compileDocumentFilter(filter, 1, SITE);
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
    const allowed = { keys: Uint32Array.from(JSON.parse(row?.keys ?? "[]") as number[]).sort() };
    // Written meanwhile, it would be kept as of before.
    if (revision !== this.#revision) return allowed;
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(question, allowed);
    return allowed;
  };
}
