import type { SqlDatabase } from "../../contracts/sql.ts";
import type { AnyVectorStore } from "../embeddings/vector-side.ts";
import { archiveTables, emptyTables } from "./archive-tables.ts";
import { endImport, isImportUnfinished } from "./import-mark.ts";
import { changeCorpus } from "./merge-counters.ts";

/** Deletes what an import wrote that did not come to its end: the store was empty before. */
export async function undoImport(
  db: SqlDatabase,
  vectors: AnyVectorStore | undefined,
  models: readonly { modelId: string; dimensions: number }[],
): Promise<void> {
  const versions = await db.all<{ version: string }>("SELECT DISTINCT model_version AS version FROM embedding_records");
  const tables = await archiveTables(db);
  await db.transaction(async (tx) => {
    await emptyTables(tx, tables);
    await changeCorpus(tx);
  });
  for (const { indexId, modelId, dimensions } of (await vectors?.tables()) ?? []) {
    if (!models.some((model) => model.modelId === modelId && model.dimensions === dimensions)) continue;
    for (const { version } of versions) await vectors?.deleteGeneration(indexId, version);
  }
  await endImport(db);
}

/** Undoes what a process left that ended within an import.
 *  @returns what was undone, for the open report. */
export async function undoUnfinishedImport(db: SqlDatabase, vectors: AnyVectorStore | undefined): Promise<string[]> {
  if (!(await isImportUnfinished(db))) return [];
  const models = await db.all<{ modelId: string; dimensions: number }>(
    'SELECT DISTINCT model_id AS "modelId", dimensions FROM embedding_records',
  );
  await undoImport(db, vectors, models);
  return ["store: an import that did not come to its end was undone"];
}
