import type { Answers } from "./answers.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "./archive.ts";
import type { Change, SubscribeOptions } from "./changes.ts";
import type { AssetStorage } from "./assets.ts";
import type { ChatSessions } from "./chat.ts";
import type { DocumentStore } from "./documents.ts";
import type { InterruptedJob, Jobs, JobStatus } from "./jobs.ts";
import type { EmbeddingProgress, EmbeddingReport, Embeddings, EmbeddingSweepReport } from "./embeddings.ts";
import type { IngestFile, IngestSource } from "./ingest-source.ts";
import type { Evaluations } from "./evaluations.ts";
import type { SearchQuery, SearchResult } from "./search.ts";
import type { SqlCapabilities } from "./sql.ts";
import type { StatsOptions, StoreSizes, StoreStorage, VacuumOptions, VacuumReport } from "./upkeep.ts";
import type { VectorCapabilities, VectorOpenReport } from "./vectors.ts";
import type { StorageError } from "../errors.ts";

export type { IngestFile, IngestSource };

export interface ChunkingPolicy {
  /** Tokens a chunk aims at, 32 to 4096; 256 by default. */
  targetTokens?: number;
  /** Tokens of the chunk before that are repeated, 0 to half the target; 32 by default. */
  overlapTokens?: number;
  /** Tokens above which a code fence or table is split, at least the target; 1024 by default. */
  maxTokens?: number;
}

/** When the chunks of an ingest are embedded: `background`, after it, off the path of searches; `wait`, the same, and the ingest
 *  resolves after that; `off`, not before the next run. */
export type IngestEmbedding = "background" | "wait" | "off";

export interface IngestOptions {
  /** Stops after the document at hand; what is in stays, whole. The promise rejects with ABORTED. A source or a file that hangs is not
   *  waited for. */
  signal?: AbortSignal;
  /** Called at most ten times a second and once at the end; a promise it returns is waited for at the end. When it throws, the run goes
   *  on to its end, and then the ingest rejects with what was thrown first: the documents are in. */
  onProgress?: (progress: IngestProgress) => void;
  /** Number of files, when known: makes time left possible. */
  total?: number;
  /** Bytes of the files, when known: what clearly cannot fit is refused with QUOTA_EXCEEDED before the first file is read. Of one file, or
   *  of a list, it is known as far as their `content` or `sizeBytes` tells. */
  totalBytes?: number;
  /** Deletes documents under this path prefix (`""`: all) that the run did not see. */
  sweep?: { prefix: string };
  chunking?: ChunkingPolicy;
  /** Largest file in bytes, 16 MiB by default, 512 MiB at most. */
  maxFileBytes?: number;
  /** `background` by default. What fails to be embedded is in and found by its words; {@link IngestReport.embedding} says why.
   *  `wait` throws UNSUPPORTED in a store without an embedder, where the others do nothing. */
  embed?: IngestEmbedding;
  /** Where the files come from, as JSON values of at most 64 KiB: kept with the job, for whoever resumes it. */
  origin?: Record<string, unknown>;
}

export interface IngestProgress {
  /** Files read: taken in, skipped, failed, or waiting for the commit of their group. */
  done: number;
  total: number | null;
  added: number;
  updated: number;
  skipped: number;
  failed: number;
  bytes: number;
  chunks: number;
  elapsedMs: number;
  /** Estimate, once there is one. */
  leftMs: number | null;
  currentPath: string | null;
  /** How far the embedding is that the ingest waits for, once the files are in. */
  embedding?: EmbeddingProgress;
}

export interface IngestFailure {
  path: string;
  /** What is wrong with the file, for people. */
  reason: string;
  code: string;
}

export interface IngestReport {
  runId: string;
  /** Its job, in {@link Store.jobs}. */
  jobId: string;
  added: number;
  updated: number;
  /** Same bytes, parser, chunker, policy and given attributes as before. */
  skipped: number;
  removed: number;
  /** Files that were taken in and whose bytes the store had already, at another path or from a version before: nothing more is stored
   *  for them. */
  deduplicated: number;
  failures: IngestFailure[];
  bytes: number;
  blocks: number;
  chunks: number;
  elapsedMs: number;
  /** Share of the time, in milliseconds, by step. SQL includes the text index, which triggers keep. */
  timings: { readMs: number; parseMs: number; idsMs: number; sqlMs: number };
  /** What came of the embedding that the ingest waited for: its report, or why it ended early. What is missing is embedded by the next run. */
  embedding?: EmbeddingReport | StorageError;
}

export interface StoreStats {
  documents: number;
  chunks: number;
  blocks: number;
  assets: number;
  /** Bytes of source text taken in. */
  sourceBytes: number;
  /** Where the bytes of assets are, and what sharing them spares. */
  assetStorage: AssetStorage;
  /** Bytes of all chunk texts, UTF-8. */
  textBytes: number;
  /** Bytes of the text index: its b-tree content, before page overhead. */
  textIndexBytes: number;
  /** Bytes of the database file; what is deleted is reused, and given back by `vacuum`. */
  databaseBytes: number;
  /** Bytes of it that are free: the next writes use them. */
  freeBytes: number;
  /** Bytes of it that are contents of files, as they are kept. */
  blobBytes: number;
  corpusRevision: number;
  schemaVersion: number;
  languages: { lang: string | null; documents: number }[];
  mediaTypes: { mediaType: string; documents: number }[];
  tags: { tag: string; documents: number }[];
  /** Embedding records of all models, by status: only committed ones are searched. */
  embeddings: { committed: number; pending: number; tombstones: number };
  /** Jobs by status. */
  jobs: Record<JobStatus, number>;
  sql: SqlCapabilities;
  /** Answers of searches that are kept, since the store was opened; of all threads together. */
  searchCache: SearchCacheStats;
  /** What keeps and searches vectors, null in a store without. */
  vectors: VectorCapabilities | null;
  /** Where the bytes are; null unless asked for. */
  sizes: StoreSizes | null;
}

/** Answers that are kept until something changes that they stand on. */
export interface SearchCacheStats {
  /** Searches that were answered from it, */
  hits: number;
  /** and that were not; those with `explain` never are, and do not count. */
  misses: number;
  /** Share of the hits, 0 to 1. */
  hitRate: number;
  entries: number;
  /** Estimated from above. */
  bytes: number;
  /** 0 where nothing is kept. */
  maxBytes: number;
}

/** One thing that was looked at. */
export interface CheckFinding {
  name: string;
  ok: boolean;
  detail: string;
}

export interface CheckReport {
  ok: boolean;
  findings: CheckFinding[];
}

export interface CheckOptions {
  /** Whether the bytes of every asset are read and compared with its hash, which takes a second per 50 to 200 MB; false by default. */
  deep?: boolean;
  /** Ends a deep check with ABORTED. */
  signal?: AbortSignal;
}

export interface RepairOptions {
  /** Only says what would be done. */
  dryRun?: boolean;
  /** Stops between two repairs, or two batches of one. The promise rejects with ABORTED; what is repaired stays. */
  signal?: AbortSignal;
  onProgress?: (progress: RepairProgress) => void;
}

export interface RepairProgress {
  /** What is being done, for people. */
  doing: string;
  /** How much of it, where there is something to count. */
  done: number;
  total: number | null;
}

/** What became of one finding. */
export interface RepairStep {
  /** Name of the finding. */
  name: string;
  /** `planned`: it would be repaired, in a dry run. `left`: it cannot be, and `detail` says what to do. */
  outcome: "repaired" | "planned" | "left";
  detail: string;
}

export interface RepairReport {
  dryRun: boolean;
  /** One for each finding that was not ok. */
  steps: RepairStep[];
  /** What was deleted because nothing needs it; null in a store without vectors, and where the file is damaged. */
  sweep: EmbeddingSweepReport | null;
  /** What is found after it. */
  check: CheckReport;
}

/** Embeddings that came from one vector engine to another, when a store was opened with another one than before. */
export interface VectorMove {
  /** What kept them, and what keeps them now: `sql` (tables in the database), or a driver's name such as `vectors-lance`. */
  from: string;
  to: string;
  /** Embeddings that the new engine had already. */
  found: number;
  /** Embeddings that were copied. */
  copied: number;
  /** Embeddings that could not be read: pending, to be made anew by the next run. */
  missing: number;
}

/** What keeps the vectors of an open store. */
export interface VectorEngineReport {
  /** Driver: `vectors-hnsw`, `vectors-flat`, `vectors-lance`. */
  driver: string;
  /** Why it is not the one that `auto` prefers, else null. */
  fallback: string | null;
  /** What became of vectors that another engine kept, null where there were none. */
  moved: VectorMove | null;
}

/** What opening found and did. */
export interface OpenReport {
  created: boolean;
  /** Names of the migrations this open applied. */
  migrations: string[];
  /** Derived data that was rebuilt, and why. */
  rebuilt: string[];
  /** Jobs that were running when whoever worked on them ended: marked as interrupted by this open, oldest first. */
  interruptedJobs: InterruptedJob[];
  elapsedMs: number;
  /** Null in a store without a vector store. */
  vectors: VectorEngineReport | null;
  /** What opening each vector index did, so far: an index opens when it is first written or searched. */
  indexes: VectorOpenReport[];
}

/** The store a program holds. The same type in the page, in the worker and on Node. */
export interface Store {
  readonly documents: DocumentStore;
  /** Vectors of the chunks. Its methods, but `status`, throw UNSUPPORTED in a store without a vector store. */
  readonly embeddings: Embeddings;
  /** Conversations, with what they cite. */
  readonly chat: ChatSessions;
  /** How much room there is, and whether the store is kept. */
  readonly storage: StoreStorage;
  /** Work that takes a while, the store's own and the caller's. */
  readonly jobs: Jobs;
  /** Answers that were given from what is in the store, with what they stand on. */
  readonly answers: Answers;
  /** Suites of queries, and how well they are answered. */
  readonly evaluations: Evaluations;
  /** Takes files in: parses, cuts into chunks, indexes. See {@link IngestOptions}.
   *  A document is whole or absent; a bad file is reported and harms nothing else.
   *  @throws StorageError INVALID_INPUT, ABORTED, QUOTA_EXCEEDED, CLOSED, DRIVER */
  ingest(source: IngestSource, options?: IngestOptions): Promise<IngestReport>;
  /** Finds chunks, best first.
   *  @throws StorageError INVALID_INPUT, UNSUPPORTED, ABORTED, CLOSED */
  search(query: SearchQuery, options?: { signal?: AbortSignal }): Promise<SearchResult>;
  /** Counts and sizes of the whole store.
   *  @throws StorageError INVALID_INPUT, CLOSED */
  stats(options?: StatsOptions): Promise<StoreStats>;
  /** Looks for damage: integrity of the file, index in step with the chunks, foreign keys, whole documents, embeddings with and without
   *  their vectors, vector indexes and their snapshots, bytes of assets in the database and beside it. Reads everything but, unless
   *  `deep`, the bytes beside the database, whose lengths are compared; changes nothing.
   *  @throws StorageError INVALID_INPUT, ABORTED, CLOSED */
  check(options?: CheckOptions): Promise<CheckReport>;
  /** Looks for damage as `check` does, and repairs what can be: what is derived is made anew, what belongs to nothing is deleted, and
   *  embeddings are swept. Each repair is whole or absent. What cannot be repaired is named, with what to do about it; a damaged file is
   *  not written to.
   *  @throws StorageError INVALID_INPUT, ABORTED, UNSUPPORTED (opened for reading only), CLOSED. A repair that fails is no error, but
   *  a step that is `left`. */
  repair(options?: RepairOptions): Promise<RepairReport>;
  /** Gives back what deleted documents left free in the database file. It goes step by step, each a transaction of some milliseconds that
   *  moves at most a mebibyte: searches and writes go on between, no room is needed beyond that, and whatever ends it, what is given
   *  back is given back and nothing is lost. What is left free is used by the next writes.
   *
   *  A database that was made by an earlier release is written anew once instead: in one piece that nothing ends, for which searches wait
   *  in a browser, and which needs room for two copies of what is in it.
   *  @throws StorageError INVALID_INPUT, ABORTED, UNSUPPORTED (opened for reading only; `maxBytes` or `maxMs` for a database that has to be
   *    written anew), QUOTA_EXCEEDED (no room to write it anew), CLOSED
   *  @see https://www.sqlite.org/pragma.html#pragma_incremental_vacuum
   *  @example
   *    const { freedBytes } = await store.vacuum({ maxMs: 200 }); */
  vacuum(options?: VacuumOptions): Promise<VacuumReport>;
  openReport(): Promise<OpenReport>;
  /** Hands out the whole store as one archive: documents with their bytes, chunks, embeddings with their vectors, chat sessions and what
   *  else there is. It is of the moment at which its first bytes are asked for; reads and writes go on meanwhile.
   *
   *  An archive is a tar with `lodestore.json`, a SQLite database and checksums: a store of any kind imports it, and other programs can
   *  look into it. A loop that is left early leaves nothing behind.
   *  @throws StorageError INVALID_INPUT, ABORTED, QUOTA_EXCEEDED (the copy needs as much room as the database), CORRUPT, CLOSED
   *  @example
   *    const file = await fileHandle.createWritable();
   *    for await (const bytes of store.export()) await file.write(bytes);
   *    await file.close(); */
  export(options?: ArchiveOptions): AsyncIterableIterator<Uint8Array>;
  /** Takes an archive into this store, which must be empty. All of it, or nothing: it is read and verified before anything is written, and
   *  what fails, is cancelled or crashes leaves the store as it was. Vectors are carried over, whichever engine kept them, not made anew;
   *  searches then answer as in the store that the archive is of.
   *  @throws StorageError CONFLICT (the store is not empty, or the vectors of a model are compared by another metric here), BAD_FORMAT (no
   *    archive, or one that is cut off), CORRUPT (a checksum is another one), SCHEMA_TOO_NEW (made by a later release), INVALID_INPUT,
   *    ABORTED, QUOTA_EXCEEDED, CLOSED, DRIVER
   *  @example
   *    const { documents } = await store.import(file.stream(), { onProgress: ({ done, total }) => show(done, total) }); */
  import(archive: ArchiveSource, options?: ArchiveOptions): Promise<ArchiveImportReport>;
  /** Hands out what was committed, as it is committed: in order, each change once, none left out, however it was written. Changes wait in a
   *  log of the newest 10,000 at least; who is slower, or comes back later, hears `reset` first, once. Updates of embeddings or of one job
   *  that follow one another may be handed out as one.
   *
   *  `next` waits for a change. Closing the store ends it; a loop that is left frees everything. In a store that another process writes
   *  changes are seen within a quarter of a second.
   *  @throws StorageError INVALID_INPUT, ABORTED, CLOSED
   *  @example
   *    for await (const { kind, id } of store.subscribe({ topics: ["documents"] })) await show(kind, id); */
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<Change>;
  /** Returns the sequence of the newest change, 0 before the first: what comes after it is what `since` asks for.
   *  @throws StorageError CLOSED */
  changeSequence(): Promise<number>;
  /** Ends running work at the next whole document or batch of embeddings and closes. On Node the searches and other reads at hand are
   *  answered first. Safe to call twice. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
