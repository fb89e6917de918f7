import type { ReindexedIndex, ReindexOptions, ReindexReport } from "../../contracts/embeddings.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { type CallSite, describe } from "../../contracts/validate.ts";
import type { VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { listGenerations } from "./generations.ts";
import { throwIfAborted } from "./tidy.ts";
import type { AnyVectorStore } from "./vector-side.ts";

/** One index that is to be made anew. */
interface Wanted {
  table: VectorTable;
  modelVersion: string;
}

/** Makes the indexes of all models, or of one, anew from their vectors. */
export async function reindexVectors(
  db: SqlDatabase,
  store: AnyVectorStore,
  { modelId, signal, onProgress }: ReindexOptions,
  site: CallSite,
): Promise<ReindexReport> {
  const start = performance.now();
  throwIfAborted(signal, site.operation);
  const wanted = await wantedIndexes(db, store, modelId, site);
  const indexes: ReindexedIndex[] = [];
  for (const { table, modelVersion } of wanted) {
    const { indexId, tableName, dimensions } = table;
    const begun = performance.now();
    const whole = { tableName, modelVersion, indexesDone: indexes.length, indexes: wanted.length };
    try {
      await store.rebuild(indexId, modelVersion, {
        ...(signal === undefined ? {} : { signal }),
        onProgress: (progress) => onProgress?.({ ...progress, ...whole }),
      });
    } catch (error) {
      if (error instanceof StorageError && error.code === "ABORTED") throwIfAborted(signal, site.operation);
      throw error;
    }
    const vectors = await store.count(indexId, modelVersion);
    indexes.push({
      tableName,
      modelId: table.modelId,
      modelVersion,
      dimensions,
      vectors,
      elapsedMs: performance.now() - begun,
    });
  }
  return { indexes, elapsedMs: performance.now() - start };
}

async function wantedIndexes(
  db: SqlDatabase,
  store: AnyVectorStore,
  modelId: string | undefined,
  site: CallSite,
): Promise<Wanted[]> {
  const tables = await store.tables();
  const all = (await listGenerations(db)).flatMap(({ role, committed, ...generation }): Wanted[] => {
    const table = tables.find((one) => one.modelId === generation.modelId && one.dimensions === generation.dimensions);
    // What is retired is being deleted.
    if (table === undefined || committed === 0 || role === "retired") return [];
    return [{ table, modelVersion: generation.modelVersion }];
  });
  const wanted = all.filter(({ table }) => modelId === undefined || table.modelId === modelId);
  if (modelId !== undefined && wanted.length === 0) {
    const known = [...new Set(all.map(({ table }) => describe(table.modelId)))];
    const there = known.length === 0 ? "it has none of any model" : `it has those of ${known.join(", ")}`;
    throw new StorageError("NOT_FOUND", `the store has no vectors of the model ${describe(modelId)}; ${there}`, site);
  }
  return wanted;
}
