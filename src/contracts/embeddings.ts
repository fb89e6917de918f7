import type { StorageError } from "../errors.ts";
import type {
  VectorExamination,
  VectorExamineOptions,
  VectorMetric,
  VectorOpenReport,
  VectorRebuildProgress,
  VectorTable,
  VectorTableInfo,
} from "./vectors.ts";

/** One generation of embeddings: all that one version of a model made. Vectors compare only within it. */
export interface EmbeddingGeneration {
  /** 1 to 200 characters. */
  modelId: string;
  /** 1 to 100 characters. */
  modelVersion: string;
  /** 1 to 4096. */
  dimensions: number;
}

/** What a generation is for. `serving`: searches read it; `building`: it takes over when every chunk has its embedding,
 *  or a run leaves out only what the embedder refused; `retired`: nothing reads it, its vectors are being deleted. */
export type GenerationRole = "serving" | "building" | "retired";

export interface GenerationStatus extends EmbeddingGeneration {
  role: GenerationRole;
  committed: number;
  /** Written half: by a write that is under way, or by one that a crash ended. Never visible. */
  pending: number;
  /** Of chunks that are gone; the sweep drops them. Never visible. */
  tombstones: number;
}

export interface EmbeddingStatus {
  /** What the embedder of the store writes; null without one. The counts below are about it. */
  model: EmbeddingGeneration | null;
  /** Version of that model which searches read, and the one that is to take over. */
  serving: string | null;
  building: string | null;
  /** Chunks of the store. */
  chunks: number;
  /** Chunks with a committed embedding of `model`, and those without: after a run that came to its end, those that were refused. */
  committed: number;
  missing: number;
  /** Tombstones of all generations. */
  tombstones: number;
  /** Every generation that there are records of, by model, dimensions and version. */
  generations: GenerationStatus[];
  /** Whether embeddings are being made now. */
  running: boolean;
  /** How far the run is, null when there is none. */
  progress: EmbeddingProgress | null;
  /** Why the last run ended early or left chunks out, with its cause; null once a run left none. */
  lastError: StorageError | null;
}

export interface EmbeddingProgress {
  /** Chunks with an embedding. */
  done: number;
  /** Chunks of the store. */
  total: number;
  /** Of this run: embedded, and left out. */
  embedded: number;
  failed: number;
  elapsedMs: number;
  /** Estimate, once there is one. */
  leftMs: number | null;
}

export interface EmbeddingRunOptions {
  /** Ends the run after the batch at hand, unless somebody else asked for it too. The promise rejects with ABORTED; what is committed stays. */
  signal?: AbortSignal;
  /** Called at most ten times a second and once at the end; a promise it returns is waited for at the end. What it throws the promise
   *  rejects with; the run goes on for whoever else asked, and ends as on `signal` without them. */
  onProgress?: (progress: EmbeddingProgress) => void;
}

/** A chunk whose text the embedder refused, or made no usable vector of. It is found by words all the same; the next run tries it
 *  again. */
export interface EmbeddingFailure {
  chunkId: string;
  /** What is wrong, for people. */
  reason: string;
  code: string;
}

export interface EmbeddingReport extends EmbeddingGeneration {
  /** Its job, in `Store.jobs`; null where nothing was missing, which makes none. */
  jobId: string | null;
  embedded: number;
  failed: number;
  /** The first 100 of them. */
  failures: EmbeddingFailure[];
  /** Version that searches read after the run; null when it embedded nothing at all. */
  serving: string | null;
  elapsedMs: number;
}

/** One vector of a caller. */
export interface ChunkVector {
  chunkId: string;
  /** `dimensions` finite values; not all zero under cosine. */
  vector: Float32Array;
}

/** Where vectors of a caller belong. */
export interface PutGeneration extends EmbeddingGeneration {
  /** `cosine` by default; a model's vectors are all compared alike. */
  metric?: VectorMetric;
}

export interface PutReport {
  /** Vectors that are committed now. */
  stored: number;
  /** Chunks that the store has not (any more); nothing of theirs is left. */
  unknown: string[];
}

export interface EmbeddingSweepOptions {
  /** Most records and vectors to delete, 1 to 1,000,000; 10,000 by default. */
  maxDelete?: number;
  /** Only counts. */
  dryRun?: boolean;
  /** Age from which a pending record counts as left behind by a crash, 0 to a week; ten minutes by default. */
  pendingOlderThanMs?: number;
  /** Stops between two batches. */
  signal?: AbortSignal;
}

/** What a sweep did, or with `dryRun` would do. */
export interface EmbeddingSweepReport {
  dryRun: boolean;
  /** Records of chunks that are gone, deleted after their vectors. */
  tombstones: number;
  /** Records of generations that nothing reads any more, deleted with their vectors. */
  retired: number;
  /** Records that a crash left half-written. */
  pending: number;
  /** Records whose vector is lost: deleted, so that the next run embeds their chunks anew. */
  lost: number;
  /** Vectors without a record. */
  orphans: number;
  /** Whether `maxDelete` ended it before its end. */
  more: boolean;
}

export interface ReindexOptions {
  /** Makes the indexes of this model alone; those of all models by default. */
  modelId?: string;
  /** Ends the work; the promise rejects with ABORTED. The index at hand serves as it was, or anew once all its vectors are read. */
  signal?: AbortSignal;
  onProgress?: (progress: ReindexProgress) => void;
}

/** How far one index is, and which of them it is. */
export interface ReindexProgress extends VectorRebuildProgress {
  tableName: string;
  modelVersion: string;
  /** Indexes that are done, and all. */
  indexesDone: number;
  indexes: number;
}

/** An index that was made anew. */
export interface ReindexedIndex extends EmbeddingGeneration {
  tableName: string;
  vectors: number;
  elapsedMs: number;
}

export interface ReindexReport {
  /** Its job, in `Store.jobs`; null where there was no index to make. */
  jobId: string | null;
  indexes: ReindexedIndex[];
  elapsedMs: number;
}

/** What is stored of the indexes of one table. */
export interface VectorTableExamination extends VectorTable {
  /** Driver that keeps it: `vectors-hnsw`. */
  driver: string;
  generations: VectorExamination[];
}

/** The embeddings of a store's chunks. An embedding is visible once its record is committed, and only in the generation that serves. */
export interface Embeddings {
  /** Embeds every chunk that has no embedding by the store's embedder, in batches between which everything else goes on. A run that
   *  is asked for while one is under way joins it. Ends with nothing missing, apart from what the embedder refused, and then a new version
   *  takes over from the one before, unless everything was refused. A run that ends early changes nothing about which one serves.
   *  @throws StorageError UNSUPPORTED (no embedder), ABORTED, CONFLICT (another version of the model began meanwhile), CLOSED, what the embedder throws */
  run(options?: EmbeddingRunOptions): Promise<EmbeddingReport>;
  status(): Promise<EmbeddingStatus>;
  /** Stores vectors that the caller made. All are checked before the first is written; what is there already is replaced.
   *  The first generation of a model serves at once, another one once every chunk has its embedding, and the call that completes
   *  it deletes the one before; a third takes the place of the second, unless it has vectors of no chunk of the store.
   *  @param records 0 to 10,000, every chunk once. Written in batches of which each is whole or absent.
   *  @throws StorageError INVALID_INPUT, CONFLICT (the model's metric is another), ABORTED, UNSUPPORTED (no vector store), QUOTA_EXCEEDED, CLOSED */
  put(
    generation: PutGeneration,
    records: readonly ChunkVector[],
    options?: { signal?: AbortSignal },
  ): Promise<PutReport>;
  /** Deletes what nothing needs any more and repairs what a crash left.
   *  @throws StorageError INVALID_INPUT, ABORTED, UNSUPPORTED (no vector store), CLOSED */
  sweep(options?: EmbeddingSweepOptions): Promise<EmbeddingSweepReport>;
  /** Deletes a generation. Where it served, the one that is being built serves at once; without one, nothing does.
   *  @returns how many records it had.
   *  @throws StorageError INVALID_INPUT, ABORTED (what is left is deleted by the next run or sweep), UNSUPPORTED, CLOSED */
  drop(generation: EmbeddingGeneration, options?: { signal?: AbortSignal }): Promise<number>;
  /** Waits until the indexes have taken in all that is committed: linked, and snapshots written that are due. They do it in the background
   *  anyway; a program that ends soon after writing waits for it, so that later searches need not compare what is not linked one by one.
   *  @param options.signal Ends the wait, and not the work.
   *  @throws StorageError ABORTED, UNSUPPORTED (no vector store), CLOSED, what kept the background work from going on */
  flush(options?: { signal?: AbortSignal }): Promise<void>;
  /** State of every vector table and the indexes over it, which are opened. */
  indexes(): Promise<VectorTableInfo[]>;
  /** Looks at every vector table, its indexes and their snapshots, and opens nothing for longer than the look takes: see
   *  `VectorStore.examine`.
   *  @throws StorageError INVALID_INPUT, ABORTED, UNSUPPORTED (no vector store), CLOSED */
  examine(options?: VectorExamineOptions): Promise<VectorTableExamination[]>;
  /** Makes vector indexes anew from the vectors that are stored, one after the other, each with its snapshot. Nothing is embedded.
   *  @throws StorageError INVALID_INPUT, NOT_FOUND (no vectors of the model; the message names those that there are), ABORTED,
   *  UNSUPPORTED (no vector store), QUOTA_EXCEEDED (the new index serves, its snapshot could not be stored), CLOSED */
  reindex(options?: ReindexOptions): Promise<ReindexReport>;
  /** What opening each index did. */
  openReports(): Promise<VectorOpenReport[]>;
  /** Compares an index with the exact scan, see `VectorStore.selfCheck`.
   *  @throws StorageError NOT_FOUND (table), INVALID_INPUT, UNSUPPORTED, CLOSED */
  selfCheck(
    indexId: string,
    modelVersion: string,
    options?: { sample?: number },
  ): Promise<{ recall: number; sample: number }>;
}
