import { anySignal } from "../../contracts/any-signal.ts";
import type { ReindexedIndex, ReindexOptions, ReindexReport } from "../../contracts/embeddings.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { type CallSite, describe } from "../../contracts/validate.ts";
import type { VectorTable } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import type { StoreJob } from "../jobs/store-job.ts";
import { listGenerations } from "./generations.ts";
import { throwIfAborted } from "./tidy.ts";
import type { AnyVectorStore } from "./vector-side.ts";

/** One index that is to be made anew. */
interface Wanted {
  table: VectorTable;
  modelVersion: string;
}

/** What a reindex works with. */
export interface ReindexParts {
  db: SqlDatabase;
  vectors: AnyVectorStore;
  desk: JobDesk;
}

/** Makes the indexes of all models, or of one, anew from their vectors.
 *  @param resumed Id of the job that goes on with it. */
export async function reindexVectors(
  parts: ReindexParts,
  options: ReindexOptions,
  site: CallSite,
  resumed?: string,
): Promise<ReindexReport> {
  const { db, vectors, desk } = parts;
  const { modelId, signal } = options;
  const start = performance.now();
  throwIfAborted(signal, site.operation);
  const wanted = await wantedIndexes(db, vectors, modelId, site);
  if (wanted.length === 0 && resumed === undefined) {
    return { jobId: null, indexes: [], elapsedMs: performance.now() - start };
  }
  const job = resumed === undefined ? desk.begin("reindex", { modelId }) : await desk.reopen(resumed);
  let indexes: ReindexedIndex[];
  try {
    await job.write(db);
    const ends = anySignal(signal, job.signal);
    indexes = await makeIndexes(vectors, wanted, { ...options, signal: ends }, job, site);
  } catch (error) {
    await desk.fail(job, error);
    throw error;
  }
  const elapsedMs = performance.now() - start;
  job.note({ indexesDone: wanted.length, indexes: wanted.length, vectors: sum(indexes), elapsedMs });
  await desk.settle(job);
  return { jobId: job.id, indexes, elapsedMs };
}

function sum(indexes: readonly ReindexedIndex[]): number {
  return indexes.reduce((all, { vectors }) => all + vectors, 0);
}

async function makeIndexes(
  store: AnyVectorStore,
  wanted: readonly Wanted[],
  { signal, onProgress }: ReindexOptions,
  job: StoreJob,
  site: CallSite,
): Promise<ReindexedIndex[]> {
  const indexes: ReindexedIndex[] = [];
  for (const { table, modelVersion } of wanted) {
    const { indexId, tableName, dimensions } = table;
    const begun = performance.now();
    const whole = { tableName, modelVersion, indexesDone: indexes.length, indexes: wanted.length };
    try {
      await store.rebuild(indexId, modelVersion, {
        ...(signal === undefined ? {} : { signal }),
        onProgress: (progress) => {
          job.note({ ...progress, ...whole });
          return onProgress?.({ ...progress, ...whole });
        },
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
  return indexes;
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
