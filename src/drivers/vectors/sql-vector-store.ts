import {
  checkVectorQuery,
  type CheckedVectorQuery,
  MAX_DIMENSIONS,
  MAX_VECTOR_BATCH,
  MAX_VECTOR_EF,
  MAX_VECTOR_K,
  requireEmbeddingIds,
  requireModelVersion,
  requireVector,
} from "../../contracts/check-vectors.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorKeeper, VectorUpkeep } from "../../contracts/vector-upkeep.ts";
import { requireBoolean, requireInteger, requireList, requireObject, requireSignal } from "../../contracts/validate.ts";
import type {
  FindAllowed,
  NearChunk,
  OrphanSweepOptions,
  OrphanSweepReport,
  TransactionalVectorStore,
  VectorCapabilities,
  VectorExamination,
  VectorExamineOptions,
  VectorOpenReport,
  VectorPlan,
  VectorQuery,
  VectorRebuildProgress,
  VectorRecord,
  VectorResult,
  VectorTable,
  VectorTableInfo,
  VectorTableSpec,
  VectorTableWriter,
} from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { SearchActivity } from "../../turns.ts";
import { describeIndex } from "./describe-index.ts";
import { examineIndex } from "./examine-index.ts";
import type { IndexPolicy } from "./index-policy.ts";
import type { LiveIndex } from "./live-index.ts";
import { LiveIndexes } from "./live-indexes.ts";
import { nearChunks, nothing } from "./near-chunks.ts";
import { countVectors, existing, namedHits, vectorsById } from "./stored-vectors.ts";
import { sweepOrphans } from "./orphan-sweep.ts";
import { find, findEach } from "./find.ts";
import { measureRecall } from "./self-check.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { SqlVectorUpkeep } from "./sql-upkeep.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import type { AllowedVectors } from "./index-search.ts";
import { VectorRowWriter } from "./vector-rows.ts";
import { publicTable } from "./public-table.ts";
import { type KnownTable, type VectorIndexIdentity, VectorTables } from "./vector-tables.ts";

/** What a vector store in the store's SQL database is made of. */
export interface SqlVectorParts {
  policy: IndexPolicy;
  /** Says which chunks a filter allows. */
  allowedChunks: FindAllowed;
  /** Makes the id of an index. */
  indexId: (identity: VectorIndexIdentity) => string;
  /** Where snapshots go; without it every index is made from its rows. */
  snapshots?: SnapshotStore;
  /** Noted here is every search, here and by whoever shares it: while somebody searches, work in the background takes small steps. */
  activity?: SearchActivity;
  /** Writes for the indexes, where the database is open for reading only. `none`: nobody does, and no snapshot is made. */
  upkeep?: VectorUpkeep | "none";
  /** Keeps the indexes, where another connection does. Nothing is searched here then. */
  keeper?: VectorKeeper;
}

/** Vectors in tables of the store's database, and an index in memory for each generation that is searched. The rows are the
 *  truth; the indexes follow them. */
export abstract class SqlVectorStore implements TransactionalVectorStore {
  protected abstract readonly driver: string;
  readonly #db: SqlDatabase;
  readonly #parts: SqlVectorParts;
  readonly #tables: VectorTables;
  readonly #indexes: LiveIndexes;
  #rebuilds = 0;
  readonly #activity: SearchActivity;
  #closed = false;

  constructor(db: SqlDatabase, parts: SqlVectorParts) {
    this.#db = db;
    this.#parts = parts;
    this.#tables = new VectorTables(db, parts.indexId, parts.policy.storedAs);
    this.#activity = parts.activity ?? new SearchActivity();
    this.#indexes = new LiveIndexes(db, {
      tables: this.#tables,
      policy: parts.policy,
      activity: this.#activity,
      snapshots: parts.snapshots,
      upkeep: parts.upkeep === "none" ? undefined : (parts.upkeep ?? new SqlVectorUpkeep(db)),
      keptElsewhere: parts.keeper !== undefined,
    });
  }

  async capabilities(): Promise<VectorCapabilities> {
    const { persistent } = await this.#db.capabilities();
    return {
      driver: this.driver,
      persistent,
      transactional: true,
      metrics: ["cosine", "dot", "l2"],
      maxDimensions: MAX_DIMENSIONS,
      maxK: MAX_VECTOR_K,
      maxEf: MAX_VECTOR_EF,
      maxBatch: MAX_VECTOR_BATCH,
      storedAs: this.#parts.policy.storedAs,
    };
  }

  async ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    this.#checkOpen("ensureTable");
    return publicTable(await this.#tables.ensure(spec));
  }

  async tables(): Promise<VectorTable[]> {
    this.#checkOpen("tables");
    return (await this.#tables.all()).map(publicTable);
  }

  over(executor: SqlExecutor): VectorTableWriter {
    return new VectorRowWriter(this.#tables, executor, (table, versions) => {
      const { keeper } = this.#parts;
      if (keeper !== undefined) return void this.#tell(keeper, table, versions);
      for (const version of versions) this.#indexes.noteWritten(table, version);
    });
  }

  /** Takes in, in the background, what another connection wrote. */
  async follow(indexId: string, modelVersion: string): Promise<void> {
    this.#checkOpen("follow");
    const table = await this.#tables.get(indexId, "follow");
    this.#indexes.noteWritten(table, modelVersion);
  }

  async upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    this.#checkOpen("upsert");
    await this.over(this.#db).upsert(indexId, records);
  }

  async deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    this.#checkOpen("deleteByChunkIds");
    return this.over(this.#db).deleteByChunkIds(indexId, chunkIds, modelVersion);
  }

  async deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    this.#checkOpen("deleteGeneration");
    return this.over(this.#db).deleteGeneration(indexId, modelVersion);
  }

  async search(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<VectorResult> {
    this.#checkOpen("search");
    this.#activity.note();
    const site = { capability: "vectors", operation: "search" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    requireVector(site, "vector", vector, table);
    const checked = checkVectorQuery(site, query);
    const signal = requireSignal(site, options);
    const { hits, plan } = await this.#nearest(table, vector, checked, signal);
    const [named] = await namedHits(this.#db, table, checked.modelVersion, [hits]);
    throwIfAborted(signal, site.operation);
    return { hits: named ?? [], plan };
  }

  async nearest(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<{ hits: NearChunk[]; plan: VectorPlan }> {
    this.#checkOpen("search");
    this.#activity.note();
    const site = { capability: "vectors", operation: "search" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    requireVector(site, "vector", vector, table);
    return this.#nearest(table, vector, checkVectorQuery(site, query), requireSignal(site, options));
  }

  async searchBatch(
    indexId: string,
    vectors: readonly Float32Array[],
    query: VectorQuery,
    options: { signal?: AbortSignal } = {},
  ): Promise<VectorResult[]> {
    this.#checkOpen("searchBatch");
    this.#activity.note();
    const site = { capability: "vectors", operation: "searchBatch" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const checked = checkVectorQuery(site, query);
    const list = requireList(site, "vectors", vectors, 0, MAX_VECTOR_BATCH).map((vector, i) =>
      requireVector(site, `vectors[${i}]`, vector, table),
    );
    const signal = requireSignal(site, options);
    throwIfAborted(signal, site.operation);
    const live = await this.#indexes.current(table, checked.modelVersion, signal);
    if (live === undefined) return list.map(() => ({ hits: [], plan: nothing(checked) }));
    const found = await findEach(live, list, checked, await this.#allowedVectors(live, checked));
    const named = await namedHits(
      this.#db,
      table,
      checked.modelVersion,
      found.map(({ hits }) => nearChunks(table.metric, hits)),
    );
    throwIfAborted(signal, site.operation);
    return found.map(({ plan }, at) => ({ hits: named[at] ?? [], plan }));
  }

  async count(indexId: string, modelVersion?: string): Promise<number> {
    this.#checkOpen("count");
    const site = { capability: "vectors", operation: "count" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    if (modelVersion !== undefined) requireModelVersion(site, "modelVersion", modelVersion);
    return countVectors(this.#db, table, modelVersion);
  }

  async generations(indexId: string): Promise<string[]> {
    this.#checkOpen("generations");
    const table = await this.#tables.get(indexId, "generations");
    return (await this.#tables.generations(table)).map(({ modelVersion }) => modelVersion);
  }

  async info(indexId: string): Promise<VectorTableInfo> {
    this.#checkOpen("info");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.info(indexId);
    const table = await this.#tables.get(indexId, "info");
    const generations = [];
    for (const { modelVersion } of await this.#tables.generations(table)) {
      const live = await this.#indexes.current(table, modelVersion);
      if (live !== undefined) generations.push(describeIndex(live));
    }
    return { ...publicTable(table), generations, lastError: this.#indexes.error ?? null };
  }

  async batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    this.#checkOpen("batchExists");
    const site = { capability: "vectors", operation: "batchExists" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const ids = requireEmbeddingIds(site, embeddingIds);
    const there = await existing(this.#db, table, ids);
    return ids.map((id) => there.has(id));
  }

  async vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]> {
    this.#checkOpen("vectorsOf");
    const site = { capability: "vectors", operation: "vectorsOf" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const ids = requireEmbeddingIds(site, embeddingIds);
    const found = await vectorsById(this.#db, table, ids);
    return ids.map((id) => found.get(id));
  }

  /** How often an index was made anew since the store was opened: it may find better than before. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  async rebuild(
    indexId: string,
    modelVersion: string,
    options: { signal?: AbortSignal; onProgress?: (progress: VectorRebuildProgress) => void } = {},
  ): Promise<void> {
    this.#checkOpen("rebuild");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.rebuild(indexId, modelVersion, options);
    const site = { capability: "vectors", operation: "rebuild" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const signal = requireSignal(site, options);
    const live = await this.#indexes.known(table, modelVersion, site.operation);
    try {
      await this.#indexes.rebuild(live, signal, options.onProgress);
    } finally {
      // The new index may serve although its snapshot could not be stored.
      this.#rebuilds++;
    }
  }

  async examine(indexId: string, options: VectorExamineOptions = {}): Promise<VectorExamination[]> {
    this.#checkOpen("examine");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.examine(indexId, options);
    const site = { capability: "vectors", operation: "examine" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const given = requireObject(site, "options", options, ["quick", "signal"]);
    const quick = requireBoolean(site, "quick", given["quick"] ?? false);
    const signal = requireSignal(site, options);
    throwIfAborted(signal, site.operation);
    const { policy, snapshots } = this.#parts;
    const parts = { db: this.#db, policy, snapshots, open: (key: number) => this.#indexes.opened(key) };
    const found: VectorExamination[] = [];
    for (const generation of await this.#tables.generations(table)) {
      found.push(await examineIndex(parts, table, generation, { quick, signal }));
    }
    return found;
  }

  async orphanSweep(indexId: string, options: OrphanSweepOptions = {}): Promise<OrphanSweepReport> {
    this.#checkOpen("orphanSweep");
    return sweepOrphans(this.#db, await this.#tables.get(indexId, "orphanSweep"), options);
  }

  async selfCheck(
    indexId: string,
    modelVersion: string,
    options: { sample?: number } = {},
  ): Promise<{ recall: number; sample: number }> {
    this.#checkOpen("selfCheck");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.selfCheck(indexId, modelVersion, options);
    const site = { capability: "vectors", operation: "selfCheck" } as const;
    const sample = requireInteger(site, "sample", options.sample ?? 100, 1, 1000);
    const live = await this.#indexes.known(
      await this.#tables.get(indexId, site.operation),
      modelVersion,
      site.operation,
    );
    return measureRecall(this.#db, live, sample);
  }

  async flush(): Promise<void> {
    this.#checkOpen("flush");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.flush();
    await this.#indexes.flush();
  }

  async openReports(): Promise<VectorOpenReport[]> {
    return this.#indexes.reports;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#indexes.close();
  }

  /** Tells the keeper of what was written once that is committed: a statement on the database waits for the transaction at hand.
   *  Where that fails the database is closing, and the keeper sees it at the next search. */
  async #tell(keeper: VectorKeeper, table: KnownTable, versions: ReadonlySet<string>): Promise<void> {
    const committed = await this.#db.get("SELECT 1").catch(() => undefined);
    if (committed !== undefined) for (const version of versions) keeper.written(table.indexId, version);
  }

  async #nearest(
    table: KnownTable,
    vector: Float32Array,
    query: CheckedVectorQuery,
    signal?: AbortSignal,
  ): Promise<{ hits: NearChunk[]; plan: VectorPlan }> {
    throwIfAborted(signal, "search");
    const live = await this.#indexes.current(table, query.modelVersion, signal);
    if (live === undefined) return { hits: [], plan: nothing(query) };
    const { hits, plan } = await find(live, vector, query, await this.#allowedVectors(live, query));
    throwIfAborted(signal, "search");
    return { hits: nearChunks(table.metric, hits), plan };
  }

  async #allowedVectors(live: LiveIndex, query: CheckedVectorQuery): Promise<AllowedVectors | undefined> {
    return query.filters === undefined ? undefined : live.allowed(await this.#parts.allowedChunks(query.filters));
  }

  #checkOpen(operation: string): void {
    if (this.#closed) {
      throw new StorageError("CLOSED", "the vector store is closed", { capability: "vectors", operation });
    }
  }
}
