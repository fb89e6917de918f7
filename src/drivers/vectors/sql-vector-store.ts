import {
  checkVectorQuery,
  type CheckedVectorQuery,
  MAX_DIMENSIONS,
  MAX_VECTOR_BATCH,
  MAX_VECTOR_EF,
  MAX_VECTOR_K,
  requireModelVersion,
  requireVector,
} from "../../contracts/check-vectors.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorKeeper, VectorUpkeep } from "../../contracts/vector-upkeep.ts";
import {
  requireBoolean,
  requireId,
  requireInteger,
  requireList,
  requireObject,
  requireSignal,
} from "../../contracts/validate.ts";
import type {
  FindAllowed,
  NearChunk,
  OrphanSweepOptions,
  OrphanSweepReport,
  TransactionalVectorStore,
  VectorCapabilities,
  VectorExamination,
  VectorExamineOptions,
  VectorHit,
  VectorOpenReport,
  VectorPlan,
  VectorQuery,
  VectorRebuildProgress,
  VectorRecord,
  VectorResult,
  VectorTable,
  VectorTableInfo,
  VectorTableSpec,
  VectorWriter,
} from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { SearchActivity } from "../../turns.ts";
import { BackgroundWork } from "./background-work.ts";
import { describeIndex } from "./describe-index.ts";
import { examineIndex } from "./examine-index.ts";
import type { IndexPolicy } from "./index-policy.ts";
import { LiveIndex } from "./live-index.ts";
import { sweepOrphans } from "./orphan-sweep.ts";
import { find, findEach } from "./find.ts";
import { defaultEf } from "./search-plan.ts";
import { measureRecall } from "./self-check.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { SqlVectorUpkeep } from "./sql-upkeep.ts";
import { throwIfAborted } from "./throw-if-aborted.ts";
import type { AllowedVectors, IndexHit } from "./vector-index.ts";
import { VectorRowWriter, vectorOf } from "./vector-rows.ts";
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

/** Longest step of linking an index that is made anew, in milliseconds: searches run between two. */
const LINK_SLICE_MS = 5;

/** How often a snapshot is tried of an index that changes meanwhile; after that it is due in the background. */
const MOST_SAVES = 3;

/** A generation as a search finds it. */
interface Generation {
  generationKey: number;
  logStart: number;
  newest: number;
}

/** Vectors in tables of the store's database, and an index in memory for each generation that is searched. The rows are the
 *  truth; the indexes follow them. */
export abstract class SqlVectorStore implements TransactionalVectorStore {
  protected abstract readonly driver: string;
  readonly #db: SqlDatabase;
  readonly #parts: SqlVectorParts;
  readonly #tables: VectorTables;
  readonly #live = new Map<number, LiveIndex>();
  readonly #activity: SearchActivity;
  readonly #work: BackgroundWork;
  readonly #upkeep: VectorUpkeep | undefined;
  /** Generations that were written and whose indexes have not been told. */
  readonly #written = new Map<string, { table: KnownTable; version: string }>();
  /** Tables that may have snapshots of generations that are gone. */
  readonly #untidy = new Map<string, KnownTable>();
  #closed = false;

  constructor(db: SqlDatabase, parts: SqlVectorParts) {
    this.#db = db;
    this.#parts = parts;
    this.#tables = new VectorTables(db, parts.indexId);
    this.#activity = parts.activity ?? new SearchActivity();
    this.#upkeep = parts.upkeep === "none" ? undefined : (parts.upkeep ?? new SqlVectorUpkeep(db));
    this.#work = new BackgroundWork(
      this.#activity,
      () => this.#followWrites(),
      () => [...this.#live.values()],
      () => this.#tidySnapshots(),
    );
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

  over(executor: SqlExecutor): VectorWriter {
    return new VectorRowWriter(this.#tables, executor, (table, versions) => {
      const { keeper } = this.#parts;
      if (keeper !== undefined) return void this.#tell(keeper, table, versions);
      for (const version of versions) this.#written.set(`${table.indexId} ${version}`, { table, version });
      this.#work.start();
    });
  }

  /** Takes in, in the background, what another connection wrote. */
  async follow(indexId: string, modelVersion: string): Promise<void> {
    this.#checkOpen("follow");
    const table = await this.#tables.get(indexId, "follow");
    this.#written.set(`${indexId} ${modelVersion}`, { table, version: modelVersion });
    this.#work.start();
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
    const [named] = await this.#named(table, checked.modelVersion, [hits]);
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
    const live = await this.#current(table, checked.modelVersion, signal);
    if (live === undefined) return list.map(() => ({ hits: [], plan: nothing(checked) }));
    const found = await findEach(live, list, checked, await this.#allowedVectors(live, checked));
    const named = await this.#named(
      table,
      checked.modelVersion,
      found.map(({ hits }) => nearChunks(table, hits)),
    );
    throwIfAborted(signal, site.operation);
    return found.map(({ plan }, at) => ({ hits: named[at] ?? [], plan }));
  }

  async count(indexId: string, modelVersion?: string): Promise<number> {
    this.#checkOpen("count");
    const site = { capability: "vectors", operation: "count" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    if (modelVersion !== undefined) requireModelVersion(site, "modelVersion", modelVersion);
    const row = await this.#db.get<{ n: number }>(
      modelVersion === undefined
        ? `SELECT count(*) AS n FROM "${table.tableName}"`
        : `SELECT count(*) AS n FROM "${table.tableName}" WHERE generation_key =
             (SELECT generation_key FROM vector_generations WHERE table_key = $1 AND model_version = $2)`,
      modelVersion === undefined ? [] : [table.tableKey, modelVersion],
    );
    return row?.n ?? 0;
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
      const live = await this.#current(table, modelVersion);
      if (live !== undefined) generations.push(describeIndex(live));
    }
    return { ...publicTable(table), generations, lastError: this.#work.error ?? null };
  }

  async batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    this.#checkOpen("batchExists");
    const site = { capability: "vectors", operation: "batchExists" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const ids = requireList(site, "embeddingIds", embeddingIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
      requireId(site, `embeddingIds[${i}]`, id),
    );
    const rows = await this.#db.all<{ id: string }>(
      `SELECT embedding_id AS id FROM "${table.tableName}" WHERE embedding_id IN (SELECT value FROM json_each($1))`,
      [JSON.stringify(ids)],
    );
    const there = new Set(rows.map(({ id }) => id));
    return ids.map((id) => there.has(id));
  }

  async vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]> {
    this.#checkOpen("vectorsOf");
    const site = { capability: "vectors", operation: "vectorsOf" } as const;
    const table = await this.#tables.get(indexId, site.operation);
    const ids = requireList(site, "embeddingIds", embeddingIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
      requireId(site, `embeddingIds[${i}]`, id),
    );
    const rows = await this.#db.all<{ id: string; vector: Uint8Array }>(
      `SELECT embedding_id AS id, vector FROM "${table.tableName}" WHERE embedding_id IN (SELECT value FROM json_each($1))`,
      [JSON.stringify(ids)],
    );
    const found = new Map(rows.map(({ id, vector }) => [id, vectorOf(vector)]));
    return ids.map((id) => found.get(id));
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
    const live = await this.#known(table, modelVersion, site.operation);
    const before = live.snapshot;
    const tell = (phase: VectorRebuildProgress["phase"], done: number, total: number): void =>
      options.onProgress?.({ phase, done, total });
    await live.rebuild("it was asked for", signal, ({ done, total }) => tell("reading", done, total));
    for (let more = live.hasWork; more;) {
      more = await live.work(LINK_SLICE_MS);
      const { count, pendingCount } = live.index!;
      tell("linking", count - pendingCount, count);
      await this.#activity.turn();
      throwIfAborted(signal, site.operation);
    }
    await this.#work.finish();
    // One that is due was stored by now; others are, for whoever asks for an index wants it to last.
    for (let tries = 0; live.snapshot === before && tries < MOST_SAVES; tries++) await live.save();
    this.#work.start();
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
    const parts = { db: this.#db, policy, snapshots, open: (key: number) => this.#live.get(key) };
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
    const live = await this.#known(await this.#tables.get(indexId, site.operation), modelVersion, site.operation);
    return measureRecall(this.#db, live, sample);
  }

  async flush(): Promise<void> {
    this.#checkOpen("flush");
    if (this.#parts.keeper !== undefined) return this.#parts.keeper.flush();
    for (const table of await this.#tables.all()) {
      for (const { modelVersion } of await this.#tables.generations(table)) await this.#current(table, modelVersion);
    }
    await this.#work.finish();
  }

  async openReports(): Promise<VectorOpenReport[]> {
    return [...this.#live.values()].flatMap(({ report }) => (report === undefined ? [] : [report]));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#work.stop();
    const due = [...this.#live.values()].filter((live) => live.snapshotDue(true));
    this.#live.clear();
    const failures: unknown[] = [];
    for (const live of due) await live.save().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Tells the keeper of what was written once that is committed: a statement on the database waits for the transaction at hand.
   *  Where that fails the database is closing, and the keeper sees it at the next search. */
  async #tell(keeper: VectorKeeper, table: KnownTable, versions: ReadonlySet<string>): Promise<void> {
    const committed = await this.#db.get("SELECT 1").catch(() => undefined);
    if (committed !== undefined) for (const version of versions) keeper.written(table.indexId, version);
  }

  /** The index of a generation, brought to the last commit, or `undefined` where there is no such generation. */
  async #current(table: KnownTable, modelVersion: string, signal?: AbortSignal): Promise<LiveIndex | undefined> {
    if (this.#parts.keeper !== undefined) throw keptElsewhere();
    const generation = await this.#db.get<Generation>(
      `SELECT generation_key AS generationKey, log_start AS logStart,
         (SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes') AS newest
       FROM vector_generations WHERE table_key = $1 AND model_version = $2`,
      [table.tableKey, modelVersion],
    );
    if (generation === undefined) {
      this.#forget(table, modelVersion);
      return undefined;
    }
    let live = this.#live.get(generation.generationKey);
    if (live === undefined) {
      // Nothing is waited for in between: who comes meanwhile must find it, not make another.
      const { policy, snapshots } = this.#parts;
      live = new LiveIndex(this.#db, table, { ...generation, modelVersion }, policy, snapshots, this.#upkeep);
      this.#live.set(generation.generationKey, live);
      this.#forget(table, modelVersion, generation.generationKey);
    }
    await live.current(generation.newest ?? 0, signal);
    if (live.hasWork || live.wantsFilling || live.snapshotDue(false)) this.#work.start();
    return live;
  }

  /** Opens the indexes of what was written: it will be searched, and then nobody should have to wait. */
  async #followWrites(): Promise<void> {
    for (const [key, { table, version }] of this.#written) {
      if (this.#closed) return;
      await this.#current(table, version);
      this.#written.delete(key);
    }
  }

  /** Drops the indexes of a version's generations that are no longer there; the snapshots of all that are not go later.
   *  @param kept Key of the one that is. */
  #forget(table: KnownTable, modelVersion: string, kept?: number): void {
    const gone = [...this.#live].filter(
      ([key, live]) => key !== kept && live.table.indexId === table.indexId && live.modelVersion === modelVersion,
    );
    for (const [key] of gone) this.#live.delete(key);
    this.#untidy.set(table.indexId, table);
    this.#work.start();
  }

  async #tidySnapshots(): Promise<void> {
    if (this.#upkeep === undefined) this.#untidy.clear();
    for (const [indexId, table] of this.#untidy) {
      const living = await this.#tables.generations(table);
      const keys = living.map(({ generationKey }) => generationKey);
      await this.#parts.snapshots?.deleteAllBut(table, keys);
      this.#untidy.delete(indexId);
    }
  }

  async #known(table: KnownTable, modelVersion: string, operation: string): Promise<LiveIndex> {
    const site = { capability: "vectors", operation } as const;
    const live = await this.#current(table, requireModelVersion(site, "modelVersion", modelVersion));
    if (live !== undefined) return live;
    throw new StorageError("NOT_FOUND", `"${table.tableName}" has no vectors of the version "${modelVersion}"`, site);
  }

  async #nearest(
    table: KnownTable,
    vector: Float32Array,
    query: CheckedVectorQuery,
    signal?: AbortSignal,
  ): Promise<{ hits: NearChunk[]; plan: VectorPlan }> {
    throwIfAborted(signal, "search");
    const live = await this.#current(table, query.modelVersion, signal);
    if (live === undefined) return { hits: [], plan: nothing(query) };
    const { hits, plan } = await find(live, vector, query, await this.#allowedVectors(live, query));
    throwIfAborted(signal, "search");
    return { hits: nearChunks(table, hits), plan };
  }

  async #allowedVectors(live: LiveIndex, query: CheckedVectorQuery): Promise<AllowedVectors | undefined> {
    return query.filters === undefined ? undefined : live.allowed(await this.#parts.allowedChunks(query.filters));
  }

  /** The hits of several answers with the ids of their embeddings, nearest first; ties by chunk id. */
  async #named(
    table: KnownTable,
    modelVersion: string,
    answers: readonly (readonly NearChunk[])[],
  ): Promise<VectorHit[][]> {
    const keys = [...new Set(answers.flatMap((hits) => hits.map(({ chunkKey }) => chunkKey)))];
    const rows = await this.#db.all<{ key: number; chunkId: string; embeddingId: string }>(
      `SELECT v.chunk_key AS key, v.chunk_id AS chunkId, v.embedding_id AS embeddingId
       FROM json_each($1) j CROSS JOIN "${table.tableName}" v ON v.chunk_key = j.value
         AND v.generation_key = (SELECT generation_key FROM vector_generations WHERE table_key = $2 AND model_version = $3)`,
      [JSON.stringify(keys), table.tableKey, modelVersion],
    );
    const byKey = new Map(rows.map((row) => [row.key, row]));
    return answers.map((hits) =>
      hits
        .flatMap(({ chunkKey, score }) => {
          const row = byKey.get(chunkKey);
          return row === undefined ? [] : [{ chunkId: row.chunkId, embeddingId: row.embeddingId, score }];
        })
        .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1)),
    );
  }

  #checkOpen(operation: string): void {
    if (this.#closed) {
      throw new StorageError("CLOSED", "the vector store is closed", { capability: "vectors", operation });
    }
  }
}

function keptElsewhere(): StorageError {
  return new StorageError("UNSUPPORTED", "another connection keeps the indexes of this store", {
    capability: "vectors",
    operation: "search",
  });
}

/** What no index finds. */
function nothing(query: CheckedVectorQuery): VectorPlan {
  const ef = query.ef ?? defaultEf(query.k);
  return { kind: "scan", allowed: 0, total: 0, unlinked: 0, ef, evaluations: 0, fellBack: false };
}

/** Hits as chunks with their scores, nearest first; ties by key. */
function nearChunks(table: KnownTable, hits: readonly IndexHit[]): NearChunk[] {
  return hits
    .map(({ label, distance }) => ({ chunkKey: label, score: scoreOf(table, distance) }))
    .sort((a, b) => b.score - a.score || a.chunkKey - b.chunkKey);
}

function scoreOf(table: KnownTable, distance: number): number {
  switch (table.metric) {
    case "cosine":
      return Math.max(-1, Math.min(1, -distance));
    case "dot":
      return -distance;
    case "l2":
      return -Math.sqrt(Math.max(0, distance));
  }
}

function publicTable({ indexId, tableName, modelId, dimensions, metric }: KnownTable): VectorTable {
  return { indexId, tableName, modelId, dimensions, metric };
}
