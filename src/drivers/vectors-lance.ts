import {
  MAX_DIMENSIONS,
  MAX_VECTOR_BATCH,
  MAX_VECTOR_EF,
  MAX_VECTOR_K,
  requireModelVersion,
} from "../contracts/check-vectors.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import { requireBoolean, requireInteger, requireObject, requireSignal } from "../contracts/validate.ts";
import type {
  FindAllowed,
  NearChunk,
  OrphanSweepOptions,
  OrphanSweepReport,
  VectorCapabilities,
  VectorExamination,
  VectorExamineOptions,
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
import { describeTable } from "./lance/describe-table.ts";
import { ofVersion } from "./lance/key-condition.ts";
import { deletedTable } from "./lance/lance-error.ts";
import type { LiveTable } from "./lance/live-table.ts";
import { OpenReports } from "./lance/open-reports.ts";
import { OpenTables } from "./lance/open-tables.ts";
import { measureLanceRecall } from "./lance/recall.ts";
import { damageOf, moveAside } from "./lance/set-aside.ts";
import { sweepLanceOrphans } from "./lance/sweep-orphans.ts";
import { type RegisteredTable, TableRegister } from "./lance/table-register.ts";
import { publicTable } from "./vectors/public-table.ts";
import { type LanceResult, LanceTableReader } from "./lance/table-reader.ts";
import { LanceTableWriter } from "./lance/table-writer.ts";
import { TableUpkeep } from "./lance/table-upkeep.ts";
import { throwIfAborted } from "./vectors/throw-if-aborted.ts";
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
  readonly #reports: OpenReports;
  readonly #writer: LanceTableWriter;
  readonly #reader: LanceTableReader;
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
    const readOnly = options.readOnly === true;
    // What another process left to do.
    this.#reports = new OpenReports((live) => (readOnly ? undefined : this.#upkeep.note(live)));
    const parts = { db, register: this.#register, tables: this.#tables, upkeep: this.#upkeep, readOnly };
    this.#writer = new LanceTableWriter(parts);
    this.#reader = new LanceTableReader(parts, options.allowedChunks, this.#reports);
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
      storedAs: "f32",
      costlyUpserts: true,
    };
  }

  ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    return this.#run("ensureTable", () => this.#writer.ensureTable(spec));
  }

  tables(): Promise<VectorTable[]> {
    return this.#run("tables", async () => (await this.#register.all()).map(publicTable));
  }

  upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    return this.#run("upsert", () => this.#writer.upsert(indexId, records));
  }

  deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    return this.#run("deleteByChunkIds", () => this.#writer.deleteByChunkIds(indexId, chunkIds, modelVersion));
  }

  dropEmptyTable(indexId: string): Promise<boolean> {
    return this.#run("dropEmptyTable", () => this.#writer.dropEmptyTable(indexId));
  }

  deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    return this.#run("deleteGeneration", () => this.#writer.deleteGeneration(indexId, modelVersion));
  }

  search(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<VectorResult> {
    return this.#run("search", async (site) => {
      this.#activity.note();
      return publicResult(await this.#reader.search(site, indexId, vector, query, options));
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
      const { hits, plan } = await this.#reader.search(site, indexId, vector, query, options);
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
      return (await this.#reader.searchEach(site, indexId, vectors, query, options)).map(publicResult);
    });
  }

  count(indexId: string, modelVersion?: string): Promise<number> {
    return this.#run("count", (site) => this.#reader.count(site, indexId, modelVersion));
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
        if (live !== undefined) await this.#reports.noteRead(live, version, "info");
        generations.push(await describeTable(live, version));
      }
      return { ...publicTable(entry), generations, lastError };
    });
  }

  batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    return this.#run("batchExists", (site) => this.#reader.exist(site, indexId, embeddingIds));
  }

  vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return this.#run("vectorsOf", (site) => this.#reader.vectorsOf(site, indexId, embeddingIds));
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
        found.push(
          await examineGeneration(this.#db, entry, live, await describeTable(live, version), { quick, signal }),
        );
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
      this.#writer.checkWritable(site.operation);
      throwIfAborted(signal, site.operation);
      const start = performance.now();
      const total = await live.count(site.operation, ofVersion(modelVersion));
      options.onProgress?.({ phase: "reading", done: 0, total });
      throwIfAborted(signal, site.operation);
      // From here on it comes to its end: Lance cannot be stopped, and what it has made serves.
      await this.#upkeep.tend(live, true);
      this.#reports.noteRebuilt(live, modelVersion, total, performance.now() - start);
      options.onProgress?.({ phase: "reading", done: total, total });
    });
  }

  orphanSweep(indexId: string, options: OrphanSweepOptions = {}): Promise<OrphanSweepReport> {
    return this.#run("orphanSweep", async (site) => {
      const entry = await this.#register.get(indexId, site.operation);
      const live = await this.#tables.find(entry, site.operation);
      const report = await sweepLanceOrphans(this.#db, live, options, () => this.#writer.checkWritable(site.operation));
      if (live !== undefined && report.deleted > 0) this.#upkeep.note(live);
      return report;
    });
  }

  setAsideDamaged(
    indexId: string,
    options: { dryRun?: boolean; signal?: AbortSignal } = {},
  ): Promise<{ problem: string; movedTo: string | null } | undefined> {
    return this.#run("setAsideDamaged", async (site) => {
      const given = requireObject(site, "options", options, ["dryRun", "signal"]);
      const dryRun = requireBoolean(site, "dryRun", given["dryRun"] ?? false);
      const signal = requireSignal(site, options);
      const entry = await this.#register.get(indexId, site.operation);
      if (!dryRun) this.#writer.checkWritable(site.operation);
      const problem = await damageOf(this.#tables, entry, signal);
      if (problem === undefined) return undefined;
      return { problem, movedTo: dryRun ? null : await moveAside(this.#tables, entry, this.#options.dir) };
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
    return this.#reports.all();
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#upkeep.stop();
      await Promise.allSettled(this.#running);
      await this.#tables.close();
    })();
    return this.#closed;
  }

  async #known(entry: RegisteredTable, modelVersion: string, operation: string): Promise<LiveTable> {
    const site = { capability: "vectors", operation } as const;
    requireModelVersion(site, "modelVersion", modelVersion);
    if (entry.generations.includes(modelVersion)) return this.#tables.get(entry, operation);
    throw new StorageError("NOT_FOUND", `"${entry.tableName}" has no vectors of the version "${modelVersion}"`, site);
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

function publicResult({ hits, plan }: LanceResult): VectorResult {
  return { hits: hits.map(({ chunkId, embeddingId, score }) => ({ chunkId, embeddingId, score })), plan };
}
