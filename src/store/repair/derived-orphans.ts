import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { bumpCorpusRevision } from "../documents/corpus-revision.ts";
import { remakeTextIndex } from "../search/text-index.ts";

/** Rows that are made from something else, and the statement that deletes those whose parent is gone. */
const ORPHANS = [
  ["chunks", "DELETE FROM chunks WHERE document_key NOT IN (SELECT document_key FROM documents)"],
  ["blocks", "DELETE FROM blocks WHERE document_key NOT IN (SELECT document_key FROM documents)"],
  ["tags", "DELETE FROM document_tags WHERE document_key NOT IN (SELECT document_key FROM documents)"],
  [
    "vector changes",
    `DELETE FROM vector_changes WHERE generation_key IN
       (SELECT generation_key FROM vector_generations WHERE table_key NOT IN (SELECT table_key FROM vector_tables))`,
  ],
  ["vector generations", "DELETE FROM vector_generations WHERE table_key NOT IN (SELECT table_key FROM vector_tables)"],
] as const;

/** Deletes derived rows whose parent is gone, all of them or none. What people or other programs made stays: it is not made again.
 *  @returns what was deleted, for people; empty where nothing was. */
export async function deleteDerivedOrphans(db: SqlDatabase): Promise<string> {
  const chunk = await db.get(
    "SELECT 1 FROM chunks WHERE document_key NOT IN (SELECT document_key FROM documents) LIMIT 1",
  );
  // FTS5 counts what is deleted from the index among the chunks for ever, and its triggers fail where it is damaged.
  return chunk === undefined ? db.transaction(deleteOrphans) : remakeTextIndex(db, deleteOrphans);
}

async function deleteOrphans(tx: SqlExecutor): Promise<string> {
  const deleted: string[] = [];
  for (const [what, sql] of ORPHANS) {
    const { changes } = await tx.run(sql);
    if (changes > 0) deleted.push(`${changes} ${what}`);
  }
  // Passages may have been found until now.
  if (deleted.length > 0) await bumpCorpusRevision(tx);
  return deleted.length === 0 ? "" : `deleted what had lost its document or table: ${deleted.join(", ")}`;
}
