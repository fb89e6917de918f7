import type { SqlDatabase } from "../../contracts/sql.ts";
import type { AnyVectorStore } from "../embeddings/vector-side.ts";
import { archiveTables, emptyTables } from "./archive-tables.ts";
import { endImport, isImportUnfinished } from "./import-mark.ts";
import { changeCorpus } from "./merge-counters.ts";

interface Model {
  modelId: string;
  dimensions: number;
}

/** Deletes what an import wrote that did not come to its end: the store was empty before.
 *  @param models Those whose vectors it may have written.
 *  @param made Those whose tables it may have made. */
export async function undoImport(
  db: SqlDatabase,
  vectors: AnyVectorStore | undefined,
  models: readonly Model[],
  made: readonly Model[],
): Promise<void> {
  const versions = await db.all<{ version: string }>("SELECT DISTINCT model_version AS version FROM embedding_records");
  const tables = await archiveTables(db);
  await db.transaction(async (tx) => {
    await emptyTables(tx, tables);
    await changeCorpus(tx);
  });
  for (const { indexId, modelId, dimensions } of (await vectors?.tables()) ?? []) {
    const isOne = (model: Model): boolean => model.modelId === modelId && model.dimensions === dimensions;
    if (!models.some(isOne)) continue;
    for (const { version } of versions) await vectors?.deleteGeneration(indexId, version);
    if (made.some(isOne)) await vectors?.dropEmptyTable?.(indexId);
  }
  await endImport(db);
}

/** Undoes what a process left that ended within an import.
 *  @returns what was undone, for the open report. */
export async function undoUnfinishedImport(db: SqlDatabase, vectors: AnyVectorStore | undefined): Promise<string[]> {
  if (!(await isImportUnfinished(db))) return [];
  const models = await db.all<Model>('SELECT DISTINCT model_id AS "modelId", dimensions FROM embedding_records');
  await undoImport(db, vectors, models, models);
  return ["store: an import that did not come to its end was undone"];
}
