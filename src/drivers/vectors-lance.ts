import {
  checkVectorQuery,
  type CheckedVectorQuery,
  checkVectorRecords,
  MAX_DIMENSIONS,
  MAX_VECTOR_BATCH,
  MAX_VECTOR_EF,
  MAX_VECTOR_K,
  requireModelVersion,
  requireVector,
} from "../contracts/check-vectors.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import {
  requireBoolean,
  requireId,
  requireInteger,
  requireList,
  requireObject,
  requireSignal,
} from "../contracts/validate.ts";
import type {
  FindAllowed,
  NearChunk,
  OrphanSweepOptions,
  OrphanSweepReport,
  VectorCapabilities,
  VectorExamination,
  VectorExamineOptions,
  VectorHit,
  VectorIndexInfo,
  VectorOpenReport,
  VectorPlan,
  VectorRebuildProgress,
  VectorQuery,
  VectorRecord,
  VectorResult,
  VectorStore,
  VectorTable,
  VectorTableInfo,
  VectorTableSpec,
} from "../contracts/vectors.ts";
import { StorageError } from "../errors.ts";
import { SearchActivity } from "../turns.ts";
import { examineGeneration } from "./lance/examine-table.ts";
import { checkLancePolicy, type LancePolicyOptions } from "./lance/lance-policy.ts";
import { type FoundEmbedding, findNearest } from "./lance/find-nearest.ts";
import { oneOfTexts, textLiteral } from "./lance/key-condition.ts";
import { deletedTable } from "./lance/lance-error.ts";
import type { LiveTable } from "./lance/live-table.ts";
import { OpenTables } from "./lance/open-tables.ts";
import { readVectors } from "./lance/read-vectors.ts";
import { measureLanceRecall } from "./lance/recall.ts";
import { sweepLanceOrphans } from "./lance/sweep-orphans.ts";
import { publicTable, type RegisteredTable, TableRegister } from "./lance/table-register.ts";
import { TableUpkeep } from "./lance/table-upkeep.ts";
import { defaultEf } from "./vectors/search-plan.ts";
import { throwIfAborted } from "./vectors/throw-if-aborted.ts";
import { chunkKeys, lastOfEach } from "./vectors/vector-batch.ts";
import type { VectorIndexIdentity } from "./vectors/vector-tables.ts";

/** What vectors in Lance tables are made of. */
export interface LanceVectorOptions extends LancePolicyOptions {
  /** Folder of the tables; made with the first of them. */
  dir: string;
  /** Says which chunks a filter allows. */
  allowedChunks: FindAllowed;
  /** Makes the id of an index. */
  indexId: (identity: VectorIndexIdentity) => string;
  /** Noted here is every search; upkeep waits for those that run. */
  activity?: SearchActivity;
  /** Refuses every write, and does no upkeep; false by default. */
  readOnly?: boolean;
}

/** Searches of a batch that run at once. */
const AT_ONCE = 4;

/**
 * Vectors in native Lance tables, `<dir>/chunk_embeddings_<model>_<dimensions>.lance`, through `@lancedb/lancedb`.
 *
 * Writes commit on their own, each durable when it resolves; what a search may show is decided by the records of the store's database,
 * which is asked about every hit. Other threads and processes may read the same tables; one writes. A search sees every write that was
 * done when it began, whoever did it.
 *
 * Under cosine unit vectors are stored. Up to `indexAbove` vectors all are compared; beyond it an inverted file with full-precision
 * vectors is made and kept in the background.
 * @see https://lance.org/format/
 */
export class LanceVectorStore implements VectorStore {
  readonly #db: SqlDatabase;
  readonly #options: LanceVectorOptions;
  readonly #register: TableRegister;
  readonly #tables: OpenTables;
  readonly #activity: SearchActivity;
  readonly #upkeep: TableUpkeep;
  readonly #running = new Set<Promise<unknown>>();
  readonly #reports = new Map<string, VectorOpenReport>();
  #closed: Promise<void> | undefined;

  constructor(db: SqlDatabase, options: LanceVectorOptions) {
    this.#db = db;
    this.#options = options;
    this.#register = new TableRegister(db, options.indexId);
    this.#tables = new OpenTables(options.dir);
    this.#activity = options.activity ?? new SearchActivity();
    const policy = checkLancePolicy({ capability: "vectors", operation: "open" }, options);
    this.#upkeep = new TableUpkeep(policy, this.#activity, (live, partitions) =>
      this.#register.notePartitions(live.entry, partitions),
    );
  }

  /** Loads the packages that the driver needs, which else the first call does.
   *  @throws StorageError UNSUPPORTED (they are not installed) */
  async load(): Promise<void> {
    await this.#tables.modules();
  }

  async capabilities(): Promise<VectorCapabilities> {
    return {
      driver: "vectors-lance",
      persistent: true,
      transactional: false,
      metrics: ["cosine", "dot", "l2"],
      maxDimensions: MAX_DIMENSIONS,
      maxK: MAX_VECTOR_K,
      maxEf: MAX_VECTOR_EF,
      maxBatch: MAX_VECTOR_BATCH,
      costlyUpserts: true,
    };
  }

  ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    return this.#run("ensureTable", async () => {
      this.#checkWritable("ensureTable");
      const entry = await this.#register.ensure(spec);
      await this.#forWriting(entry, "ensureTable");
      return publicTable(entry);
    });
  }

  tables(): Promise<VectorTable[]> {
    return this.#run("tables", async () => (await this.#register.all()).map(publicTable));
  }

  upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    return this.#run("upsert", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const checked = lastOfEach(checkVectorRecords(site, records, entry));
      this.#checkWritable(site.operation);
      if (checked.length === 0) return;
      const keys = await chunkKeys(this.#db, checked);
      const live = await this.#forWriting(entry, site.operation);
      await this.#register.addGenerations(entry, new Set(checked.map(({ modelVersion }) => modelVersion)));
      await live.upsert(site.operation, checked, keys);
      this.#upkeep.note(live);
    });
  }

  deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    return this.#run("deleteByChunkIds", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const ids = requireList(site, "chunkIds", chunkIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
        requireId(site, `chunkIds[${i}]`, id),
      );
      const version = modelVersion === undefined ? undefined : requireModelVersion(site, "modelVersion", modelVersion);
      this.#checkWritable(site.operation);
      if (ids.length === 0) return 0;
      const chosen = oneOfTexts("chunk_id", ids);
      return this.#delete(
        entry,
        site.operation,
        version === undefined ? chosen : `${chosen} AND model_version = ${textLiteral(version)}`,
      );
    });
  }

  deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    return this.#run("deleteGeneration", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      requireModelVersion(site, "modelVersion", modelVersion);
      this.#checkWritable(site.operation);
      if (!entry.generations.includes(modelVersion)) return 0;
      const deleted = await this.#delete(entry, site.operation, `model_version = ${textLiteral(modelVersion)}`);
      await this.#register.dropGeneration(entry, modelVersion);
      return deleted;
    });
  }

  search(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<VectorResult> {
    return this.#run("search", async (site) => {
      this.#activity.note();
      const entry = await this.#register.get(indexId, site.operation);
      requireVector(site, "vector", vector, entry);
      const { hits, plan } = await this.#nearest(
        entry,
        vector,
        checkVectorQuery(site, query),
        requireSignal(site, options),
      );
      return { hits: hits.map(vectorHit), plan };
    });
  }

  /** Searches as `search` does, and returns keys instead of ids, which spares reading the rows. Ties by key. */
  nearest(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<{ hits: NearChunk[]; plan: VectorPlan }> {
    return this.#run("search", async (site) => {
      this.#activity.note();
      const entry = await this.#register.get(indexId, site.operation);
      requireVector(site, "vector", vector, entry);
      const { hits, plan } = await this.#nearest(
        entry,
        vector,
        checkVectorQuery(site, query),
        requireSignal(site, options),
      );
      // Which of those that tie are among the k their ids say, so that more of them go on where fewer ended.
      const keys = hits.map(({ chunkKey, score }) => ({ chunkKey, score }));
      return { hits: keys.sort((a, b) => b.score - a.score || a.chunkKey - b.chunkKey), plan };
    });
  }

  searchBatch(
    indexId: string,
    vectors: readonly Float32Array[],
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<VectorResult[]> {
    return this.#run("searchBatch", async (site) => {
      this.#activity.note();
      const entry = await this.#register.get(indexId, site.operation);
      const checked = checkVectorQuery(site, query);
      const list = requireList(site, "vectors", vectors, 0, MAX_VECTOR_BATCH).map((vector, i) =>
        requireVector(site, `vectors[${i}]`, vector, entry),
      );
      const signal = requireSignal(site, options);
      throwIfAborted(signal, site.operation);
      const results = new Array<VectorResult>(list.length);
      let next = 0;
      const work = async (): Promise<void> => {
        for (let at = next++; at < list.length; at = next++) {
          const { hits, plan } = await this.#nearest(entry, list[at] as Float32Array, checked, signal);
          results[at] = { hits: hits.map(vectorHit), plan };
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return results;
    });
  }

  count(indexId: string, modelVersion?: string): Promise<number> {
    return this.#run("count", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const version = modelVersion === undefined ? undefined : requireModelVersion(site, "modelVersion", modelVersion);
      const live = await this.#tables.find(entry, site.operation);
      return (
        live?.count(site.operation, version === undefined ? undefined : `model_version = ${textLiteral(version)}`) ?? 0
      );
    });
  }

  generations(indexId: string): Promise<string[]> {
    return this.#run("generations", async (site) => {
      return [...(await this.#register.get(indexId, site.operation)).generations];
    });
  }

  info(indexId: string): Promise<VectorTableInfo> {
    return this.#run("info", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const live = await this.#tables.find(entry, site.operation);
      const lastError = live === undefined ? deletedTable(entry, site.operation) : (this.#upkeep.error ?? null);
      const generations: VectorIndexInfo[] = [];
      for (const version of entry.generations) {
        if (live !== undefined) await this.#noteOpened(entry, live, version, "info");
        generations.push(await describe(live, version));
      }
      return { ...publicTable(entry), generations, lastError };
    });
  }

  batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    return this.#run("batchExists", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const ids = requireList(site, "embeddingIds", embeddingIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
        requireId(site, `embeddingIds[${i}]`, id),
      );
      const live = await this.#tables.find(entry, site.operation);
      if (live === undefined || ids.length === 0) return ids.map(() => false);
      const there = new Set<unknown>();
      const condition = oneOfTexts("embedding_id", [...new Set(ids)]);
      for await (const rows of live.rows(site.operation, ["embedding_id"], condition)) {
        const column = rows.getChild("embedding_id");
        for (let at = 0; at < rows.numRows; at++) there.add(column?.get(at));
      }
      return ids.map((id) => there.has(id));
    });
  }

  vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return this.#run("vectorsOf", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const ids = requireList(site, "embeddingIds", embeddingIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
        requireId(site, `embeddingIds[${i}]`, id),
      );
      const live = await this.#tables.find(entry, site.operation);
      const found = live === undefined ? undefined : await readVectors(live, site.operation, ids);
      return ids.map((id) => found?.get(id));
    });
  }

  examine(indexId: string, options: VectorExamineOptions = {}): Promise<VectorExamination[]> {
    return this.#run("examine", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const given = requireObject(site, "options", options, ["quick", "signal"]);
      const quick = requireBoolean(site, "quick", given["quick"] ?? false);
      const signal = requireSignal(site, options);
      throwIfAborted(signal, site.operation);
      const live = await this.#tables.find(entry, site.operation);
      const found: VectorExamination[] = [];
      for (const version of entry.generations) {
        found.push(await examineGeneration(this.#db, entry, live, await describe(live, version), { quick, signal }));
      }
      return found;
    });
  }

  rebuild(
    indexId: string,
    modelVersion: string,
    options: { signal?: AbortSignal; onProgress?: (progress: VectorRebuildProgress) => void } = {},
  ): Promise<void> {
    return this.#run("rebuild", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const signal = requireSignal(site, options);
      const live = await this.#known(entry, modelVersion, site.operation);
      this.#checkWritable(site.operation);
      throwIfAborted(signal, site.operation);
      const start = performance.now();
      const total = await live.count(site.operation, `model_version = ${textLiteral(modelVersion)}`);
      options.onProgress?.({ phase: "reading", done: 0, total });
      throwIfAborted(signal, site.operation);
      // From here on it comes to its end: Lance cannot be stopped, and what it has made serves.
      await this.#upkeep.tend(live, true);
      this.#reports.set(`${indexId} ${modelVersion}`, {
        tableName: entry.tableName,
        modelVersion,
        source: "rebuilt",
        reason: "it was asked for",
        vectors: total,
        replayed: 0,
        elapsedMs: performance.now() - start,
      });
      options.onProgress?.({ phase: "reading", done: total, total });
    });
  }

  orphanSweep(indexId: string, options: OrphanSweepOptions = {}): Promise<OrphanSweepReport> {
    return this.#run("orphanSweep", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const live = await this.#tables.find(entry, site.operation);
      const report = await sweepLanceOrphans(this.#db, live, options, () => this.#checkWritable(site.operation));
      if (live !== undefined && report.deleted > 0) this.#upkeep.note(live);
      return report;
    });
  }

  selfCheck(
    indexId: string,
    modelVersion: string,
    options: { sample?: number } = {},
  ): Promise<{ recall: number; sample: number }> {
    return this.#run("selfCheck", async (site) => {
      const sample = requireInteger(site, "sample", options.sample ?? 100, 1, 1000);
      const entry = await this.#register.get(indexId, site.operation);
      return measureLanceRecall(await this.#known(entry, modelVersion, site.operation), modelVersion, sample);
    });
  }

  flush(): Promise<void> {
    return this.#run("flush", async () => {
      if (this.#options.readOnly === true) return;
      for (const entry of await this.#register.all()) {
        const live = await this.#tables.find(entry, "flush");
        if (live !== undefined) this.#upkeep.note(live);
      }
      await this.#upkeep.finish();
    });
  }

  async openReports(): Promise<VectorOpenReport[]> {
    return [...this.#reports.values()];
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#upkeep.stop();
      await Promise.allSettled(this.#running);
      await this.#tables.close();
    })();
    return this.#closed;
  }

  async #nearest(
    entry: RegisteredTable,
    vector: Float32Array,
    query: CheckedVectorQuery,
    signal: AbortSignal | undefined,
  ): Promise<{ hits: FoundEmbedding[]; plan: VectorPlan }> {
    throwIfAborted(signal, "search");
    const allowed = query.filters === undefined ? undefined : (await this.#options.allowedChunks(query.filters)).keys;
    throwIfAborted(signal, "search");
    const { k, ef, modelVersion } = query;
    if (!entry.generations.includes(modelVersion)) return { hits: [], plan: nothing(query) };
    const live = await this.#tables.get(entry, "search");
    await this.#noteOpened(entry, live, modelVersion, "search");
    const found = await findNearest(this.#db, live, entry, vector, { modelVersion, k, ef, allowed });
    throwIfAborted(signal, "search");
    return found;
  }

  /** Notes that a generation is read, in the reports when it is for the first time. */
  async #noteOpened(
    { indexId, tableName }: RegisteredTable,
    live: LiveTable,
    modelVersion: string,
    operation: string,
  ): Promise<void> {
    const key = `${indexId} ${modelVersion}`;
    if (this.#reports.has(key)) return;
    const start = performance.now();
    const vectors = await live.count(operation, `model_version = ${textLiteral(modelVersion)}`);
    if (this.#reports.has(key)) return;
    const elapsedMs = performance.now() - start;
    this.#reports.set(key, {
      tableName,
      modelVersion,
      source: "stored",
      reason: null,
      vectors,
      replayed: 0,
      elapsedMs,
    });
    // What another process left to do.
    if (this.#options.readOnly !== true) this.#upkeep.note(live);
  }

  /** The table, made where nothing was ever lost with it.
   *  @throws StorageError CORRUPT: it was deleted, and the database has committed embeddings that were in it */
  async #forWriting(entry: RegisteredTable, operation: string): Promise<LiveTable> {
    const live = await this.#tables.find(entry, operation);
    if (live !== undefined) return live;
    const lost = await this.#db.get(
      `SELECT 1 FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = $1 AND r.model_version IN
         (SELECT value FROM json_each($3)) AND r.dimensions = $2 LIMIT 1`,
      [entry.modelId, entry.dimensions, JSON.stringify(entry.generations)],
    );
    if (lost !== undefined) throw deletedTable(entry, operation);
    return this.#tables.make(entry, operation);
  }

  async #delete(entry: RegisteredTable, operation: string, condition: string): Promise<number> {
    const live = await this.#tables.find(entry, operation);
    if (live === undefined) return 0;
    const deleted = await live.delete(operation, condition);
    this.#upkeep.note(live);
    return deleted;
  }

  async #known(entry: RegisteredTable, modelVersion: string, operation: string): Promise<LiveTable> {
    const site = { capability: "vectors", operation } as const;
    requireModelVersion(site, "modelVersion", modelVersion);
    if (entry.generations.includes(modelVersion)) return this.#tables.get(entry, operation);
    throw new StorageError("NOT_FOUND", `"${entry.tableName}" has no vectors of the version "${modelVersion}"`, site);
  }

  #checkWritable(operation: string): void {
    if (this.#options.readOnly !== true) return;
    const message = "the vector store was opened for reading only";
    throw new StorageError("UNSUPPORTED", message, { capability: "vectors", operation });
  }

  /** Runs an operation, which closing waits for. */
  async #run<T>(
    operation: string,
    work: (site: { capability: "vectors"; operation: string }) => Promise<T>,
  ): Promise<T> {
    const site = { capability: "vectors", operation } as const;
    if (this.#closed !== undefined) throw new StorageError("CLOSED", "the vector store is closed", site);
    const running = work(site);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

/** Opens vectors in Lance tables.
 *  @throws StorageError UNSUPPORTED (the packages are not installed), INVALID_INPUT */
export async function openLanceVectors(db: SqlDatabase, options: LanceVectorOptions): Promise<LanceVectorStore> {
  const vectors = new LanceVectorStore(db, options);
  await vectors.load();
  return vectors;
}

async function describe(live: LiveTable | undefined, modelVersion: string): Promise<VectorIndexInfo> {
  const state = await live?.state("info");
  const vectors = (await live?.count("info", `model_version = ${textLiteral(modelVersion)}`)) ?? 0;
  const isIndexed = (state?.indexed ?? 0) > 0;
  // The index is over all generations of the table: what it lacks is counted as if it were of this one.
  const unlinked = isIndexed ? Math.min(vectors, state?.unindexed ?? 0) : vectors;
  return {
    modelVersion,
    vectors,
    engine: isIndexed ? "ivf" : "flat",
    quantization: "f32",
    linked: vectors - unlinked,
    unlinked,
    levels: [],
    memoryBytes: state?.indexBytes ?? 0,
    resident: false,
    revision: state?.version ?? 0,
    snapshot: null,
  };
}

/** What no index finds. */
function nothing(query: CheckedVectorQuery): VectorPlan {
  const ef = query.ef ?? defaultEf(query.k);
  return { kind: "scan", allowed: 0, total: 0, unlinked: 0, ef, evaluations: 0, fellBack: false };
}

function vectorHit({ chunkId, embeddingId, score }: FoundEmbedding): VectorHit {
  return { chunkId, embeddingId, score };
}
