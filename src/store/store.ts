import type { Answers } from "../contracts/answers.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../contracts/archive.ts";
import type { StreamingBlobStore, TransactionalBlobStore } from "../contracts/blobs.ts";
import type { Change, SubscribeOptions } from "../contracts/changes.ts";
import type { ChatSessions } from "../contracts/chat.ts";
import { checkCheckOptions } from "../contracts/check-check.ts";
import type { Job, JobResumeOptions, Jobs } from "../contracts/jobs.ts";
import { requireEmbedder } from "../contracts/check-embedder.ts";
import { checkRepairOptions } from "../contracts/check-repair.ts";
import { checkStatsOptions, checkVacuumOptions } from "../contracts/check-upkeep.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { Embedder } from "../contracts/embedder.ts";
import type { Embeddings } from "../contracts/embeddings.ts";
import type { Evaluations } from "../contracts/evaluations.ts";
import type { SearchQuery, SearchResult } from "../contracts/search.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import type {
  CheckOptions,
  CheckReport,
  IngestOptions,
  IngestReport,
  IngestSource,
  OpenReport,
  RepairOptions,
  RepairReport,
  Store,
  StoreStats,
  VectorEngineReport,
} from "../contracts/store.ts";
import type { StatsOptions, StoreStorage, VacuumOptions, VacuumReport } from "../contracts/upkeep.ts";
import { requireSignal } from "../contracts/validate.ts";
import { StorageError } from "../errors.ts";
import { migrate, requireMigrated } from "../sql/migrate.ts";
import { migrations } from "../sql/migrations.generated.ts";
import { SearchActivity } from "../turns.ts";
import type { AllowedChunks } from "./allowed-chunks.ts";
import { SqlAnswers } from "./answers/sql-answers.ts";
import { HeldWrites } from "./archive/held-writes.ts";
import { StoreArchive } from "./archive/store-archive.ts";
import { undoUnfinishedImport } from "./archive/undo-import.ts";
import { ChangeFeed } from "./changes/change-feed.ts";
import { SqlChatSessions } from "./chat/sql-chat-sessions.ts";
import { ensureTurnIndex, requireTurnIndex } from "./chat/turn-index.ts";
import { checkStore } from "./check.ts";
import type { StorageStyle } from "./compression/storage-style.ts";
import { ExternalAssets } from "./documents/external-assets.ts";
import { SqlDocumentStore } from "./documents/sql-document-store.ts";
import { adoptVectors, type OpenVectors } from "./embeddings/adopt-vectors.ts";
import { bumpEmbeddingRevision } from "./embeddings/embedding-revision.ts";
import { StoreEmbeddings } from "./embeddings/store-embeddings.ts";
import type { AnyVectorStore } from "./embeddings/vector-side.ts";
import type { SearchCall } from "./evaluation/rank-query.ts";
import { markInterrupted } from "./evaluation/interrupted-runs.ts";
import { StoreEvaluations } from "./evaluation/store-evaluations.ts";
import { Ingest } from "./ingest/ingest.ts";
import { openingStep, type OpeningStep } from "./opening.ts";
import { openJobs } from "./jobs/interrupt-jobs.ts";
import { JobDesk } from "./jobs/job-desk.ts";
import { StoreJobs } from "./jobs/store-jobs.ts";
import { repairStore } from "./repair/repair.ts";
import { Search } from "./search/search.ts";
import { SearchCache } from "./search/search-cache.ts";
import { ensureTextIndex, requireTextIndex } from "./search/text-index.ts";
import { readStats } from "./stats.ts";
import { RoomAwareDatabase } from "./upkeep/room-aware-database.ts";
import { UnboundedStorage } from "./upkeep/unbounded-storage.ts";
import { vacuumStore } from "./upkeep/vacuum.ts";

/** What a store is made of. */
export interface StoreParts {
  db: SqlDatabase;
  /** Keeps asset bytes. */
  blobs: TransactionalBlobStore;
  /** Keeps large ones, beside the database. Without one all are in `blobs`. */
  assets?: StreamingBlobStore;
  /** Keeps the vectors of chunks. Without one the store finds by words only. */
  vectors?: AnyVectorStore;
  /** Opens what kept the vectors of this store until now, where that is something else than `vectors`. */
  vectorsBefore?: OpenVectors;
  /** Why `vectors` is not what was preferred. */
  vectorsFallback?: string;
  /** Makes the vectors. Without one they are the caller's to put. */
  embedder?: Embedder;
  /** Whether embeddings that are missing when the store opens are made in the background; true by default. */
  embedOnOpen?: boolean;
  /** Says which chunks a filter allows; the vector store's, where it asks too. */
  filters?: AllowedChunks;
  /** Keeps answers of searches in `db`; one of the default size where it is absent. */
  searchCache?: SearchCache;
  /** Told of every search; the vector store's, where it works in the background. */
  activity?: SearchActivity;
  /** Whether `db` is open for reading only. What would have to be brought up to date is refused then, and nothing is embedded. */
  readOnly?: boolean;
  /** Knows how much room there is. Without one nobody does. */
  storage?: StoreStorage;
  /** How bytes and rows of documents are written from now on; `compact` by default. Both are read. */
  storageStyle?: StorageStyle;
  /** Answers the searches of evaluations, where another thread does better: this one may not keep the indexes. */
  searchElsewhere?: SearchCall;
  /** What keeps others from writing; let go when all else is closed. */
  lock?: { release(): void };
  /** Aborted shortly before the store is closed, while the calls at hand are waited for: ends what may hang for ever. */
  closing?: AbortSignal;
  /** Gives up opening; has no effect once the store is open. */
  signal?: AbortSignal;
}

/** A store of this thread. */
export interface LocalStore extends Store {
  /** Keeps the bytes of assets beside the database where they are, until what it returns is called. */
  pinAssets(): () => Promise<void>;
}

/** Brings the schema up to date, repairs what is derived, and returns the store over `parts`. It owns them: closing it closes them.
 *  @throws StorageError UNSUPPORTED (no FTS5; `readOnly`, and it is not up to date), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT, ABORTED */
export async function createStore(parts: StoreParts): Promise<LocalStore> {
  const start = performance.now();
  const step = openingStep(parts.signal);
  try {
    await requireFullText(parts.db);
    const prepared = parts.readOnly === true ? await requirePrepared(parts.db) : await prepare(parts, step);
    if (parts.embedder !== undefined) requireEmbedder(OPEN, "embedder", parts.embedder);
    const vectors = await openVectors(parts, step);
    await step();
    return new LodestoreStore(parts, { ...prepared, vectors, elapsedMs: performance.now() - start });
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}

/** Brings vectors that another engine kept into the one of now. */
async function openVectors(parts: StoreParts, step: OpeningStep): Promise<VectorEngineReport | null> {
  const { db, vectors, vectorsBefore, vectorsFallback = null } = parts;
  if (vectors === undefined) return null;
  const { driver, transactional } = await vectors.capabilities();
  const moved = parts.readOnly === true ? null : await adoptVectors(db, vectors, vectorsBefore, step);
  // A process that ended while it wrote may have replaced vectors without having told it.
  if (!transactional && parts.readOnly !== true) await bumpEmbeddingRevision(db);
  return { driver, fallback: vectorsFallback, moved };
}

const OPEN = { capability: "store", operation: "open" } as const;

type Prepared = Pick<OpenReport, "created" | "migrations" | "rebuilt" | "interruptedJobs">;

async function prepare({ db, vectors }: StoreParts, step: OpeningStep): Promise<Prepared> {
  const { applied, version } = await migrate(db, migrations, step);
  const created = applied.length === version;
  await markInterrupted(db, new Set());
  const undone = created ? [] : await undoUnfinishedImport(db, vectors);
  await step();
  const rebuilt = [...(await ensureTextIndex(db, created, step)), ...(await ensureTurnIndex(db, applied))];
  const interruptedJobs = created ? [] : await openJobs(db);
  return { created, migrations: applied, rebuilt: [...undone, ...rebuilt], interruptedJobs };
}

async function requirePrepared(db: SqlDatabase): Promise<Prepared> {
  await requireMigrated(db);
  await requireTextIndex(db);
  await requireTurnIndex(db);
  return { created: false, migrations: [], rebuilt: [], interruptedJobs: [] };
}

/** The vector store writes its last to the database, so the database is the last to close, whatever else fails. */
async function closeParts({ db, vectors, embedder, lock }: StoreParts): Promise<void> {
  try {
    await embedder?.close?.();
  } finally {
    try {
      await vectors?.close();
    } finally {
      try {
        await db.close();
      } finally {
        lock?.release();
      }
    }
  }
}

async function requireFullText(db: SqlDatabase): Promise<void> {
  const { fullText, engine } = await db.capabilities();
  if (fullText) return;
  throw new StorageError(
    "UNSUPPORTED",
    `${engine} has no full-text search (FTS5); on Node, 22.16 is the first version with it`,
    OPEN,
  );
}

class LodestoreStore implements LocalStore {
  readonly documents: DocumentStore;
  readonly embeddings: Embeddings;
  readonly chat: ChatSessions;
  readonly storage: StoreStorage;
  readonly jobs: Jobs;
  readonly #desk: JobDesk;
  readonly answers: Answers;
  readonly evaluations: Evaluations;
  readonly #embeddings: StoreEmbeddings;
  readonly #evaluations: StoreEvaluations;
  readonly #parts: StoreParts;
  readonly #db: SqlDatabase;
  readonly #ingest: Ingest;
  readonly #search: Search;
  readonly #cache: SearchCache;
  readonly #archive: StoreArchive;
  readonly #changes: ChangeFeed;
  readonly #external: ExternalAssets | undefined;
  readonly #opened: Omit<OpenReport, "indexes">;
  readonly #activity: SearchActivity;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  readonly #held = new HeldWrites();

  constructor(given: StoreParts, opened: Omit<OpenReport, "indexes">) {
    const storage = given.storage ?? new UnboundedStorage(given.db);
    const parts = { ...given, db: new RoomAwareDatabase(given.db, storage) };
    this.#parts = parts;
    this.#db = parts.db;
    this.storage = {
      estimate: () => this.#whileOpen("estimate", () => storage.estimate()),
      persist: () => this.#whileOpen("persist", () => storage.persist()),
    };
    this.#activity = parts.activity ?? new SearchActivity();
    const held = this.#held;
    const writable = held.over(parts.db);
    this.#desk = new JobDesk(writable);
    this.#embeddings = new StoreEmbeddings(parts, this.#activity, this.#desk);
    this.embeddings = this.#embeddings;
    const external =
      parts.assets === undefined
        ? undefined
        : new ExternalAssets(parts.db, parts.assets, { readOnly: parts.readOnly ?? false });
    this.#external = external;
    const documents = new SqlDocumentStore(writable, parts.blobs, parts.storageStyle, external);
    this.documents = documents;
    this.chat = new SqlChatSessions(writable);
    this.jobs = new StoreJobs(writable, this.#desk, {
      ingest: (job, options) => this.#resumeIngest(job, options),
      embed: (job, options) => this.#embeddings.run(toldAsJob(options), job),
      reindex: ({ id, payload }, options) => this.#embeddings.reindex({ ...payload, ...toldAsJob(options) }, id),
    });
    this.answers = new SqlAnswers(writable);
    this.#evaluations = new StoreEvaluations({
      db: parts.db,
      writable,
      search: parts.searchElsewhere ?? ((query, options) => this.search(query, options)),
      closing: this.#closing.signal,
    });
    this.evaluations = this.#evaluations;
    this.#ingest = new Ingest(writable, documents, this.#desk, this.#embeddings, storage);
    this.#cache = parts.searchCache ?? new SearchCache(parts.db);
    this.#search = new Search(
      parts.db,
      parts.vectors === undefined
        ? undefined
        : { vectors: parts.vectors, embedder: parts.embedder, closing: this.#untilClosed(parts.closing) },
      parts.filters,
      this.#cache,
    );
    this.#archive = new StoreArchive(
      { ...parts, storage, external, side: this.#embeddings.side, held },
      this.#closing.signal,
    );
    this.#changes = new ChangeFeed(parts.db, parts.readOnly !== true);
    this.#opened = opened;
    if (parts.embedOnOpen !== false && parts.readOnly !== true) this.#embeddings.start();
  }

  async ingest(source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
    this.#checkOpen("ingest");
    const signal = this.#untilClosed(requireSignal({ capability: "ingest", operation: "ingest" }, options));
    return this.#track(this.#ingest.run(source, { ...options, signal }));
  }

  /** The payload of its job is what it was asked to do. */
  #resumeIngest({ id, payload }: Job, { source = [], ...options }: JobResumeOptions): Promise<IngestReport> {
    const told = { ...payload, ...toldAsJob(options), signal: this.#untilClosed(options.signal) };
    return this.#track(this.#ingest.run(source, told, id));
  }

  async search(query: SearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    this.#checkOpen("search");
    requireSignal({ capability: "search", operation: "search" }, options);
    this.#activity.note();
    try {
      return await this.#search.search(query, options);
    } finally {
      this.#activity.note();
    }
  }

  async stats(options: StatsOptions = {}): Promise<StoreStats> {
    this.#checkOpen("stats");
    const { vectors, assets } = this.#parts;
    const parts = { vectors, assets, searchCache: this.#cache.stats() };
    return readStats(this.#db, parts, checkStatsOptions(options));
  }

  async vacuum(options: VacuumOptions = {}): Promise<VacuumReport> {
    this.#checkOpen("vacuum");
    const checked = checkVacuumOptions(options);
    // An import that is undone writes as much again.
    await this.#held.free();
    return this.#track(vacuumStore(this.#db, this.storage, { ...checked, signal: this.#untilClosed(checked.signal) }));
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    this.#checkOpen("check");
    const checked = checkCheckOptions({ capability: "store", operation: "check" }, options);
    const blobs = { database: this.#parts.blobs, external: this.#external };
    return checkStore(this.#db, this.#parts.vectors, { ...checked, blobs });
  }

  async repair(options: RepairOptions = {}): Promise<RepairReport> {
    this.#checkOpen("repair");
    const checked = checkRepairOptions({ capability: "store", operation: "repair" }, options);
    const { blobs, vectors } = this.#parts;
    const parts = { db: this.#db, blobs, vectors, embeddings: this.#embeddings, external: this.#external };
    return this.#track(repairStore(parts, { ...checked, signal: this.#untilClosed(checked.signal) }));
  }

  async openReport(): Promise<OpenReport> {
    return { ...this.#opened, indexes: (await this.#parts.vectors?.openReports()) ?? [] };
  }

  export(options: ArchiveOptions = {}): AsyncIterableIterator<Uint8Array> {
    this.#checkOpen("export");
    return this.#archive.export(options);
  }

  async import(archive: ArchiveSource, options: ArchiveOptions = {}): Promise<ArchiveImportReport> {
    this.#checkOpen("import");
    const report = await this.#archive.import(archive, options);
    await this.#evaluations.settle();
    // What could not be carried over, or is of another model.
    if (this.#parts.embedOnOpen !== false) this.#embeddings.start();
    return report;
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<Change> {
    this.#checkOpen("subscribe");
    return this.#changes.subscribe(options);
  }

  async changeSequence(): Promise<number> {
    this.#checkOpen("changeSequence");
    return this.#changes.newest();
  }

  pinAssets(): () => Promise<void> {
    return this.#external?.pin() ?? (async () => {});
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#desk.beginClosing();
    this.#closing.abort(
      new StorageError("CLOSED", "the store was closed", { capability: "store", operation: "close" }),
    );
    this.#changes.close();
    await Promise.all(this.#running);
    await this.#evaluations.idle();
    await this.#archive.idle();
    await this.#embeddings.close();
    if (this.#parts.readOnly !== true) await this.#desk.close();
    await closeParts(this.#parts);
  }

  #untilClosed(asked: AbortSignal | undefined): AbortSignal {
    return asked === undefined ? this.#closing.signal : AbortSignal.any([asked, this.#closing.signal]);
  }

  /** Lets `close` wait for work. */
  async #track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(noop, noop);
    this.#running.add(settled);
    try {
      return await work;
    } finally {
      this.#running.delete(settled);
    }
  }

  async #whileOpen<T>(operation: string, work: () => Promise<T>): Promise<T> {
    this.#checkOpen(operation);
    return work();
  }

  #checkOpen(operation: string): void {
    if (this.#closed !== undefined) {
      throw new StorageError("CLOSED", "the store is closed", { capability: "store", operation });
    }
  }
}

/** What the work of a job takes of the options that it is resumed with. */
function toldAsJob({ signal, onProgress }: JobResumeOptions): {
  signal?: AbortSignal;
  onProgress?: (progress: object) => void;
} {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: (progress: object) => onProgress({ ...progress }) }),
  };
}

function noop(): void {}
