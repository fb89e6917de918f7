import type { DocumentFilter } from "./documents.ts";
import type { SqlExecutor } from "./sql.ts";
import type { StorageError } from "../errors.ts";

/** How nearness is measured: the angle, the dot product, or the Euclidean distance. */
export type VectorMetric = "cosine" | "dot" | "l2";

/** Which vectors a table takes. */
export interface VectorTableSpec {
  /** 1 to 200 characters. */
  modelId: string;
  /** 1 to 4096. */
  dimensions: number;
  /** `cosine` by default. */
  metric?: VectorMetric;
}

/** One table of vectors: one model, one number of dimensions. */
export interface VectorTable {
  /** Id over its parameters (contract: kind `index`). */
  indexId: string;
  /** `chunk_embeddings_<model>_<dimensions>`. */
  tableName: string;
  modelId: string;
  dimensions: number;
  metric: VectorMetric;
}

/** One embedding, as a caller hands it in. */
export interface VectorRecord {
  /** Id of the embedding (contract: kind `embedding`). */
  embeddingId: string;
  chunkId: string;
  documentId: string;
  /** Embeddings of one model version are one generation; a search reads one. */
  modelVersion: string;
  /** `dimensions` finite values; not all zero under cosine. */
  vector: Float32Array;
}

/** What to search for. */
export interface VectorQuery {
  /** Generation that is read. */
  modelVersion: string;
  /** 1 to 1000. Fewer hits only if fewer match the filters. */
  k: number;
  filters?: DocumentFilter;
  /** Width of the walk through the graph, k to 4096: wider finds more of the nearest and takes longer. Chosen by `k` when absent. */
  ef?: number;
}

export interface VectorHit {
  chunkId: string;
  embeddingId: string;
  /** Cosine similarity in [-1, 1], dot product, or minus the Euclidean distance: higher is nearer. Where an index does not hold the
   *  vectors themselves (yet), those of hits beyond the first 32 are as their 8-bit codes have them, about 0.002 off. */
  score: number;
}

/** How an answer was found. */
export interface VectorPlan {
  /** `scan`: every vector that may be a hit was compared; `walk`: the graph was searched, or the nearest partitions. */
  kind: "scan" | "walk";
  /** Vectors that the filters allow; all, without filters. Where the vectors are not in the database, the chunks that they allow. */
  allowed: number;
  /** Vectors of the generation. */
  total: number;
  /** Vectors that are not in the graph or the partitions yet and were compared one by one. */
  unlinked: number;
  ef: number;
  /** Distances computed; an estimate where partitions were searched. */
  evaluations: number;
  /** Whether a walk gave up and the allowed vectors were scanned after all. */
  fellBack: boolean;
}

export interface VectorResult {
  /** Nearest first; ties by chunk id. */
  hits: VectorHit[];
  plan: VectorPlan;
}

/** What a vector driver declares of itself. */
export interface VectorCapabilities {
  /** Driver name: `vectors-hnsw`, `vectors-flat`, `vectors-lance`. */
  driver: string;
  persistent: boolean;
  /** Whether an upsert inside a SQL transaction of the store's database is undone with it. */
  transactional: boolean;
  metrics: VectorMetric[];
  maxDimensions: number;
  maxK: number;
  maxEf: number;
  /** Most records of one upsert, and most queries of one batch. */
  maxBatch: number;
  /** Whether an upsert of one record costs about as much as one of some hundreds, so that who has few waits for more; false where it
   *  is absent. */
  costlyUpserts?: boolean;
  /** How tables that are made now keep vectors. `f32`: 32-bit floats; `i16`: 16-bit integers, exact to 1 part in 65,534 of a vector's
   *  largest value. A table keeps what it was made with. */
  storedAs: "f32" | "i16";
}

/** The state of one generation's index. */
export interface VectorIndexInfo {
  modelVersion: string;
  vectors: number;
  /** How it is searched now: all vectors are compared (`flat`), a graph is walked (`hnsw`), or the nearest of the partitions into which the
   *  vectors are divided are compared (`ivf`). */
  engine: "flat" | "hnsw" | "ivf";
  quantization: "sq8" | "f32";
  /** Vectors in the graph or in the partitions, and those that wait. */
  linked: number;
  unlinked: number;
  /** Nodes per level of the graph, layer 0 first. */
  levels: number[];
  /** Memory of the index; of one that is in files their size, which is what it takes in memory at most. */
  memoryBytes: number;
  /** Whether full-precision vectors are kept in memory. */
  resident: boolean;
  /** Last change that the index holds; of one that is in files the version of its table. */
  revision: number;
  /** Snapshot that was written or read last. */
  snapshot: { revision: number; createdAt: number; sizeBytes: number } | null;
}

export interface VectorTableInfo extends VectorTable {
  generations: VectorIndexInfo[];
  /** What keeps the store from linking vectors or writing snapshots just now, else null. Nothing is lost, and it is tried again. */
  lastError: StorageError | null;
}

export interface OrphanSweepOptions {
  /** Chunk ids that stay, whatever the store says of them. */
  allowlist?: readonly string[];
  /** Most vectors to delete, 1 to 1,000,000; 10,000 by default. */
  maxDelete?: number;
  /** Only counts. */
  dryRun?: boolean;
}

export interface OrphanSweepReport {
  /** Vectors without a committed embedding record. */
  orphans: number;
  deleted: number;
}

export interface VectorProgress {
  done: number;
  total: number;
}

/** How far the making of an index is: its vectors are read, and then, where it is to have a graph, linked. */
export interface VectorRebuildProgress extends VectorProgress {
  phase: "reading" | "linking";
}

/** A snapshot as it is stored. */
export interface VectorSnapshotState {
  sizeBytes: number;
  /** Change that it stands for, and when it was written in milliseconds since 1970; null where that cannot be read. */
  revision: number | null;
  createdAt: number | null;
  /** Changes of the generation that are newer: opening the index takes them in. */
  behind: number;
  /** Why the index cannot be opened from it, null where it can. */
  problem: string | null;
}

export interface VectorExamineOptions {
  /** Looks at what is there at once: no recall is measured, and an index of more than 10,000 vectors without a snapshot to open it from
   *  is left alone. False by default. */
  quick?: boolean;
  signal?: AbortSignal;
}

/** What is stored of one generation's index, and what the index is. */
export interface VectorExamination {
  modelVersion: string;
  /** Vectors that are stored and may be found: their records are committed. */
  vectors: number;
  /** Bytes of these vectors. */
  vectorBytes: number;
  /** The index; null where it was left alone. */
  index: VectorIndexInfo | null;
  /** In what it differs from the vectors that are stored, null in nothing. */
  problem: string | null;
  /** recall@10 on a sample of its own vectors; null where it was not measured. */
  recall: number | null;
  /** Its snapshot, null where none is stored. */
  snapshot: VectorSnapshotState | null;
}

/** What opening or rebuilding an index did. */
export interface VectorOpenReport {
  tableName: string;
  modelVersion: string;
  /** `snapshot`: loaded, and newer changes replayed; `rebuilt`: read from the database; `stored`: it is searched where it is stored. */
  source: "snapshot" | "rebuilt" | "stored";
  /** Why it was rebuilt, or what was wrong with a snapshot that was passed over. */
  reason: string | null;
  vectors: number;
  /** Changes newer than the snapshot. */
  replayed: number;
  elapsedMs: number;
}

/** Writes inside a SQL transaction. */
export interface VectorWriter {
  /** Stores embeddings; one whose id is there already is replaced. The whole batch is checked before the first write.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, QUOTA_EXCEEDED, DRIVER, CLOSED */
  upsert(indexId: string, records: readonly VectorRecord[]): Promise<void>;
  /** Deletes the embeddings of chunks, of all generations or of one. Returns how many there were. */
  deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number>;
  /** Deletes a generation whole. Returns how many embeddings it had. */
  deleteGeneration(indexId: string, modelVersion: string): Promise<number>;
}

/** Writes inside a SQL transaction, tables among them: one that is made goes with it when it is undone. */
export interface VectorTableWriter extends VectorWriter {
  /** As {@link VectorStore.ensureTable}. */
  ensureTable(spec: VectorTableSpec): Promise<VectorTable>;
}

/** Vectors of chunks, searched by nearness. */
export interface VectorStore extends VectorWriter {
  capabilities(): Promise<VectorCapabilities>;
  /** Returns the table for a model, making it when there is none.
   *  @throws StorageError INVALID_INPUT, CONFLICT (there is one with another metric) */
  ensureTable(spec: VectorTableSpec): Promise<VectorTable>;
  /** All tables, by name. */
  tables(): Promise<VectorTable[]>;
  /** Returns the nearest embeddings, nearest first.
   *  @param vector `dimensions` finite values; made a unit vector here under cosine, where zero is refused.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, ABORTED, CLOSED
   *  @see Malkov & Yashunin 2016, arXiv:1603.09320, algorithm 5 */
  search(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options?: { signal?: AbortSignal },
  ): Promise<VectorResult>;
  /** Searches for many vectors, each as `search` does, in one call.
   *  @param vectors At most `maxBatch`. */
  searchBatch(
    indexId: string,
    vectors: readonly Float32Array[],
    query: VectorQuery,
    options?: { signal?: AbortSignal },
  ): Promise<VectorResult[]>;
  /** Embeddings of the table, or of one generation. */
  count(indexId: string, modelVersion?: string): Promise<number>;
  /** Versions of the model whose vectors are in the table, in the order in which they were begun. Opens no index. */
  generations(indexId: string): Promise<string[]>;
  info(indexId: string): Promise<VectorTableInfo>;
  /** Whether each embedding is there. */
  batchExists(indexId: string, embeddingIds: readonly string[]): Promise<boolean[]>;
  /** Returns the vectors of embeddings, in the order of their ids; `undefined` where there is none. They are as near to what was put as the
   *  driver keeps them: 32-bit floats, or to 1 part in 65,534 of the vector's largest value (`capabilities().storedAs`); unit vectors where
   *  it makes them so under cosine.
   *  @param embeddingIds At most `maxBatch`.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, CLOSED */
  vectorsOf(indexId: string, embeddingIds: readonly string[]): Promise<(Float32Array | undefined)[]>;
  /** Makes a generation's index anew from the stored vectors, links it, and stores a new snapshot of it where the store keeps such.
   *  @throws StorageError ABORTED: until all vectors are read the index serves as it was, after that the new one does; QUOTA_EXCEEDED,
   *  DRIVER: the new one serves, and its snapshot could not be stored */
  rebuild(
    indexId: string,
    modelVersion: string,
    options?: { signal?: AbortSignal; onProgress?: (progress: VectorRebuildProgress) => void },
  ): Promise<void>;
  /** Looks at every index of a table, and at what is stored of it. Changes nothing: an index that is not open is opened for the look
   *  alone, and a snapshot that is damaged stays.
   *  @returns one for each generation, in the order in which they were begun.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, ABORTED, CLOSED */
  examine(indexId: string, options?: VectorExamineOptions): Promise<VectorExamination[]>;
  /** Deletes vectors that no committed embedding record stands for. */
  orphanSweep(indexId: string, options?: OrphanSweepOptions): Promise<OrphanSweepReport>;
  /** Reads all of a table, and moves it aside where its files are damaged: it has no vectors then, and can be written again. Drivers have
   *  it whose vectors are in files of their own.
   *  @param options.dryRun Only looks; false by default.
   *  @returns what is wrong and where the files are now, `null` with `dryRun`; `undefined` where nothing is damaged.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, UNSUPPORTED (it is only read), ABORTED, CLOSED */
  setAsideDamaged?(
    indexId: string,
    options?: { dryRun?: boolean; signal?: AbortSignal },
  ): Promise<{ problem: string; movedTo: string | null } | undefined>;
  /** Deletes a table without generations; one that has some stays. Drivers have it whose tables are no part of a SQL transaction.
   *  @returns whether it is gone.
   *  @throws StorageError NOT_FOUND (table), UNSUPPORTED (it is only read), CLOSED */
  dropEmptyTable?(indexId: string): Promise<boolean>;
  /** Compares the index with the exact scan on a sample of its own vectors.
   *  @param sample 1 to 1000; 100 by default.
   *  @returns recall@10, 1 where the exact scan serves. */
  selfCheck(
    indexId: string,
    modelVersion: string,
    options?: { sample?: number },
  ): Promise<{ recall: number; sample: number }>;
  /** Takes in what was committed since, and writes snapshots that are due. `close` does it too. */
  flush(): Promise<void>;
  /** What opening each index did, in the order in which they were first used. */
  openReports(): Promise<VectorOpenReport[]>;
  close(): Promise<void>;
}

/** Keys of the chunks that a filter allows, ascending; the same object for equal filters of an unchanged corpus. */
export interface AllowedKeys {
  keys: Uint32Array;
}

/** Says which chunks of the same database a filter allows.
 *  @throws StorageError INVALID_INPUT, naming the field */
export type FindAllowed = (filter: DocumentFilter) => Promise<AllowedKeys>;

/** A chunk of the same database, and how near it is. */
export interface NearChunk {
  /** Key in `chunks`. */
  chunkKey: number;
  /** As in {@link VectorHit}. */
  score: number;
}

/** A vector store in the same SQL database as the store's tables. */
export interface TransactionalVectorStore extends VectorStore {
  /** Searches as `search` does, and returns keys instead of ids, which spares reading the rows. Ties by key. */
  nearest(
    indexId: string,
    vector: Float32Array,
    query: VectorQuery,
    options?: { signal?: AbortSignal },
  ): Promise<{ hits: NearChunk[]; plan: VectorPlan }>;
  /** Returns the writes of the same tables, through a running transaction or savepoint. */
  over(executor: SqlExecutor): VectorTableWriter;
}
