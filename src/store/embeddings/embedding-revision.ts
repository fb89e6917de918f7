import type { SqlExecutor } from "../../contracts/sql.ts";

/** Raises the counter of what searches by vectors stand on, in the transaction of the change. Triggers raise it when embeddings are
 *  committed or go, and when another version serves; a vector that takes the place of another changes no record. */
export async function bumpEmbeddingRevision(tx: SqlExecutor): Promise<void> {
  await tx.run(
    `INSERT INTO kv (key, value) VALUES ('embedding_revision', $1)
     ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(kv.value AS INTEGER) + 1 AS TEXT)`,
    [String(Date.now())],
  );
}
