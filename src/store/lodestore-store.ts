import type { Answers } from "../contracts/answers.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../contracts/archive.ts";
import type { Change, SubscribeOptions } from "../contracts/changes.ts";
import type { ChatSessions } from "../contracts/chat.ts";
import { checkCheckOptions } from "../contracts/check-check.ts";
import type { Job, JobResumeOptions, Jobs } from "../contracts/jobs.ts";
import { checkRepairOptions } from "../contracts/check-repair.ts";
import { checkStatsOptions, checkVacuumOptions } from "../contracts/check-upkeep.ts";
import type { DocumentStore } from "../contracts/documents.ts";
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
} from "../contracts/store.ts";
import type { StatsOptions, StoreStorage, VacuumOptions, VacuumReport } from "../contracts/upkeep.ts";
import { requireSignal } from "../contracts/validate.ts";
import { SearchActivity } from "../turns.ts";
import { SqlAnswers } from "./answers/sql-answers.ts";
import { HeldWrites } from "./archive/held-writes.ts";
import { StoreArchive } from "./archive/store-archive.ts";
import { CallsInFlight } from "./calls-in-flight.ts";
import { ChangeFeed } from "./changes/change-feed.ts";
import { SqlChatSessions } from "./chat/sql-chat-sessions.ts";
import { checkStore } from "./check.ts";
import { ExternalAssets } from "./documents/external-assets.ts";
import { SqlDocumentStore } from "./documents/sql-document-store.ts";
import { StoreEmbeddings } from "./embeddings/store-embeddings.ts";
import { StoreEvaluations } from "./evaluation/store-evaluations.ts";
import { Ingest } from "./ingest/ingest.ts";
import { JobDesk } from "./jobs/job-desk.ts";
import { StoreJobs } from "./jobs/store-jobs.ts";
import { repairStore } from "./repair/repair.ts";
import { Search } from "./search/search.ts";
import { SearchCache } from "./search/search-cache.ts";
import { readStats } from "./stats.ts";
import { closeParts, type RoomAwareParts, type StoreParts } from "./store-parts.ts";
import { vacuumStore } from "./upkeep/vacuum.ts";

/** A store of this thread. */
export interface LocalStore extends Store {
  /** Keeps the bytes of assets beside the database where they are, until what it returns is called. */
  pinAssets(): () => Promise<void>;
}

/** What the product does, put together over the parts of a store. */
export class LodestoreStore implements LocalStore {
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
  readonly #calls = new CallsInFlight();
  readonly #held = new HeldWrites();
  #closed: Promise<void> | undefined;

  constructor(parts: RoomAwareParts, opened: Omit<OpenReport, "indexes">) {
    const { storage, spare } = parts;
    this.#parts = parts;
    this.#db = parts.db;
    this.storage = {
      estimate: async () => {
        this.#calls.requireOpen("estimate");
        return storage.estimate();
      },
      persist: async () => {
        this.#calls.requireOpen("persist");
        return storage.persist();
      },
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
      closing: this.#calls.closing,
    });
    this.evaluations = this.#evaluations;
    this.#ingest = new Ingest(writable, documents, this.#desk, this.#embeddings, { storage, spare });
    this.#cache = parts.searchCache ?? new SearchCache(parts.db);
    this.#search = new Search(
      parts.db,
      parts.vectors === undefined
        ? undefined
        : { vectors: parts.vectors, embedder: parts.embedder, closing: this.#calls.untilClosed(parts.closing) },
      parts.filters,
      this.#cache,
    );
    this.#archive = new StoreArchive(
      { ...parts, storage, external, side: this.#embeddings.side, held },
      this.#calls.closing,
    );
    this.#changes = new ChangeFeed(parts.db, parts.readOnly !== true);
    this.#opened = opened;
    if (parts.embedOnOpen !== false && parts.readOnly !== true) this.#embeddings.start();
  }

  async ingest(source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
    this.#calls.requireOpen("ingest");
    const signal = this.#calls.untilClosed(requireSignal({ capability: "ingest", operation: "ingest" }, options));
    return this.#calls.track(this.#ingest.run(source, { ...options, signal }));
  }

  /** The payload of its job is what it was asked to do. */
  #resumeIngest({ id, payload }: Job, { source = [], ...options }: JobResumeOptions): Promise<IngestReport> {
    const told = { ...payload, ...toldAsJob(options), signal: this.#calls.untilClosed(options.signal) };
    return this.#calls.track(this.#ingest.run(source, told, id));
  }

  async search(query: SearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    this.#calls.requireOpen("search");
    requireSignal({ capability: "search", operation: "search" }, options);
    this.#activity.note();
    try {
      return await this.#search.search(query, options);
    } finally {
      this.#activity.note();
    }
  }

  async stats(options: StatsOptions = {}): Promise<StoreStats> {
    this.#calls.requireOpen("stats");
    const { vectors, assets } = this.#parts;
    const parts = { vectors, assets, searchCache: this.#cache.stats() };
    return readStats(this.#db, parts, checkStatsOptions(options));
  }

  async vacuum(options: VacuumOptions = {}): Promise<VacuumReport> {
    this.#calls.requireOpen("vacuum");
    const checked = checkVacuumOptions(options);
    // An import that is undone writes as much again.
    await this.#held.free();
    return this.#calls.track(
      vacuumStore(this.#db, this.storage, { ...checked, signal: this.#calls.untilClosed(checked.signal) }),
    );
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    this.#calls.requireOpen("check");
    const checked = checkCheckOptions({ capability: "store", operation: "check" }, options);
    const blobs = { database: this.#parts.blobs, external: this.#external };
    return checkStore(this.#db, this.#parts.vectors, { ...checked, blobs });
  }

  async repair(options: RepairOptions = {}): Promise<RepairReport> {
    this.#calls.requireOpen("repair");
    const checked = checkRepairOptions({ capability: "store", operation: "repair" }, options);
    const { blobs, vectors } = this.#parts;
    const parts = { db: this.#db, blobs, vectors, embeddings: this.#embeddings, external: this.#external };
    return this.#calls.track(repairStore(parts, { ...checked, signal: this.#calls.untilClosed(checked.signal) }));
  }

  async openReport(): Promise<OpenReport> {
    return { ...this.#opened, indexes: (await this.#parts.vectors?.openReports()) ?? [] };
  }

  export(options: ArchiveOptions = {}): AsyncIterableIterator<Uint8Array> {
    this.#calls.requireOpen("export");
    return this.#archive.export(options);
  }

  async import(archive: ArchiveSource, options: ArchiveOptions = {}): Promise<ArchiveImportReport> {
    this.#calls.requireOpen("import");
    const report = await this.#archive.import(archive, options);
    await this.#evaluations.settle();
    // What could not be carried over, or is of another model.
    if (this.#parts.embedOnOpen !== false) this.#embeddings.start();
    return report;
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<Change> {
    this.#calls.requireOpen("subscribe");
    return this.#changes.subscribe(options);
  }

  async changeSequence(): Promise<number> {
    this.#calls.requireOpen("changeSequence");
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
    this.#calls.beginClosing();
    this.#changes.close();
    await this.#calls.idle();
    await this.#evaluations.idle();
    await this.#archive.idle();
    await this.#embeddings.close();
    if (this.#parts.readOnly !== true) await this.#desk.close();
    await closeParts(this.#parts);
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
