import type { Answers } from "../contracts/answers.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../contracts/archive.ts";
import type { Change, SubscribeOptions } from "../contracts/changes.ts";
import type { ChatSessions } from "../contracts/chat.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { Embeddings } from "../contracts/embeddings.ts";
import type { Evaluations } from "../contracts/evaluations.ts";
import type { SearchQuery, SearchResult } from "../contracts/search.ts";
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
import type { Jobs } from "../contracts/jobs.ts";
import type { Connection } from "./client.ts";
import { endedByClosing } from "./ended-by-closing.ts";
import { sendableArchive } from "./sendable-archive.ts";
import { sendingAssets } from "./sendable-asset.ts";
import { sendableFiles } from "./sendable-files.ts";
import { sendingJobs } from "./sendable-jobs.ts";

/** A store that runs at the other end of a connection. Closing it closes the store there, then the connection and its worker. */
export class StoreClient implements Store {
  readonly documents: DocumentStore;
  readonly embeddings: Embeddings;
  readonly chat: ChatSessions;
  readonly storage: StoreStorage;
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly evaluations: Evaluations;
  readonly #connection: Connection<Store>;
  #closed: Promise<void> | undefined;

  /** @param page What only this side may do. */
  constructor(connection: Connection<Store>, page?: Pick<StoreStorage, "persist">) {
    this.#connection = connection;
    this.documents = sendingAssets(connection.proxy.documents);
    this.embeddings = connection.proxy.embeddings;
    this.chat = connection.proxy.chat;
    const { storage } = connection.proxy;
    this.storage = { estimate: () => storage.estimate(), persist: () => (page ?? storage).persist() };
    this.jobs = sendingJobs(connection.proxy.jobs);
    this.answers = connection.proxy.answers;
    this.evaluations = connection.proxy.evaluations;
  }

  ingest(source: IngestSource, options?: IngestOptions): Promise<IngestReport> {
    return this.#connection.proxy.ingest(sendableFiles(source), options);
  }

  search(query: SearchQuery, options?: { signal?: AbortSignal }): Promise<SearchResult> {
    return this.#connection.proxy.search(query, options);
  }

  stats(options?: StatsOptions): Promise<StoreStats> {
    return this.#connection.proxy.stats(options);
  }

  vacuum(options?: VacuumOptions): Promise<VacuumReport> {
    return this.#connection.proxy.vacuum(options);
  }

  check(options?: CheckOptions): Promise<CheckReport> {
    return this.#connection.proxy.check(options);
  }

  repair(options?: RepairOptions): Promise<RepairReport> {
    return this.#connection.proxy.repair(options);
  }

  openReport(): Promise<OpenReport> {
    return this.#connection.proxy.openReport();
  }

  export(options?: ArchiveOptions): AsyncIterableIterator<Uint8Array> {
    return this.#connection.proxy.export(options);
  }

  async import(archive: ArchiveSource, options?: ArchiveOptions): Promise<ArchiveImportReport> {
    return this.#connection.proxy.import(sendableArchive(archive), options);
  }

  subscribe(options?: SubscribeOptions): AsyncIterableIterator<Change> {
    const changes = this.#connection.proxy.subscribe(options);
    return this.#closed === undefined ? endedByClosing(changes, () => this.#closed !== undefined) : changes;
  }

  changeSequence(): Promise<number> {
    return this.#connection.proxy.changeSequence();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#connection.proxy.close();
    } finally {
      this.#connection.terminate();
    }
  }
}
