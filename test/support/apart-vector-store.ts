import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type {
  OrphanSweepOptions,
  OrphanSweepReport,
  VectorCapabilities,
  VectorExamination,
  VectorExamineOptions,
  VectorOpenReport,
  VectorQuery,
  VectorRebuildProgress,
  VectorRecord,
  VectorResult,
  VectorStore,
  VectorTable,
  VectorTableInfo,
  VectorTableSpec,
} from "../../src/contracts/vectors.ts";

/** What happens around the steps of a vector store: where a test ends the process. */
export type StepHook = (step: string) => void | Promise<void>;

/** A vector store as one is that is apart from the store's database: it declares no transactions, every write commits on its own,
 *  and no trigger deletes the vector of a tombstone. The store behind it is a real one. */
export class ApartVectorStore implements VectorStore {
  readonly #store: VectorStore;
  readonly #db: SqlDatabase;
  readonly #hook: StepHook;

  constructor(store: VectorStore, db: SqlDatabase, hook: StepHook = () => {}) {
    this.#store = store;
    this.#db = db;
    this.#hook = hook;
  }

  async capabilities(): Promise<VectorCapabilities> {
    return { ...(await this.#store.capabilities()), driver: "vectors-apart", transactional: false };
  }

  async ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    const table = await this.#store.ensureTable(spec);
    await this.#db.run(`DROP TRIGGER IF EXISTS "${table.tableName}_tombstone"`);
    return table;
  }

  tables(): Promise<VectorTable[]> {
    return this.#store.tables();
  }

  upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    return this.#step("upsert", () => this.#store.upsert(indexId, records));
  }

  deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    return this.#step("delete", () => this.#store.deleteByChunkIds(indexId, chunkIds, modelVersion));
  }

  deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    return this.#step("delete generation", () => this.#store.deleteGeneration(indexId, modelVersion));
  }

  search(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options?: { signal?: AbortSignal },
  ): Promise<VectorResult> {
    return this.#store.search(indexId, vector, query, options);
  }

  searchBatch(
    indexId: string,
    vectors: readonly Float32Array[],
    query: VectorQuery,
    options?: { signal?: AbortSignal },
  ): Promise<VectorResult[]> {
    return this.#store.searchBatch(indexId, vectors, query, options);
  }

  count(indexId: string, modelVersion?: string): Promise<number> {
    return this.#store.count(indexId, modelVersion);
  }

  generations(indexId: string): Promise<string[]> {
    return this.#store.generations(indexId);
  }

  info(indexId: string): Promise<VectorTableInfo> {
    return this.#store.info(indexId);
  }

  batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]> {
    return this.#store.batchExists(indexId, embeddingIds);
  }

  vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return this.#store.vectorsOf(indexId, embeddingIds);
  }

  rebuild(
    indexId: string,
    modelVersion: string,
    options?: { signal?: AbortSignal; onProgress?: (progress: VectorRebuildProgress) => void },
  ): Promise<void> {
    return this.#store.rebuild(indexId, modelVersion, options);
  }

  examine(indexId: string, options?: VectorExamineOptions): Promise<VectorExamination[]> {
    return this.#store.examine(indexId, options);
  }

  orphanSweep(indexId: string, options?: OrphanSweepOptions): Promise<OrphanSweepReport> {
    return this.#step("orphan sweep", () => this.#store.orphanSweep(indexId, options));
  }

  selfCheck(
    indexId: string,
    modelVersion: string,
    options?: { sample?: number },
  ): Promise<{ recall: number; sample: number }> {
    return this.#store.selfCheck(indexId, modelVersion, options);
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }

  openReports(): Promise<VectorOpenReport[]> {
    return this.#store.openReports();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    await this.#hook(`before ${name}`);
    const result = await work();
    await this.#hook(`after ${name}`);
    return result;
  }
}
