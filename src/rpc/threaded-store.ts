import type { Answers } from "../contracts/answers.ts";
import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../contracts/archive.ts";
import type { Change, SubscribeOptions } from "../contracts/changes.ts";
import type { ChatSessions } from "../contracts/chat.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { Embeddings } from "../contracts/embeddings.ts";
import type { JobResumeOptions, Jobs } from "../contracts/jobs.ts";
import type { Evaluations } from "../contracts/evaluations.ts";
import type { SearchQuery, SearchResult } from "../contracts/search.ts";
import type {
  CheckOptions,
  CheckReport,
  IngestFile,
  IngestOptions,
  IngestReport,
  IngestSource,
  OpenReport,
  RepairOptions,
  RepairReport,
  SearchCacheStats,
  Store,
  StoreStats,
} from "../contracts/store.ts";
import type { StatsOptions, StoreStorage, VacuumOptions, VacuumReport } from "../contracts/upkeep.ts";
import { DEFAULT_MAX_FILE_BYTES } from "../contracts/check-ingest.ts";
import { knownBytes } from "../contracts/known-bytes.ts";
import { isPlainObject } from "../contracts/validate.ts";
import { StorageError, type StorageCapability } from "../errors.ts";
import { endedByClosing } from "./ended-by-closing.ts";
import { sendableVectors } from "./heavy-calls.ts";
import type { Lane } from "./lane.ts";
import { isMemberName } from "./member-name.ts";
import type { ReaderPool } from "./reader-pool.ts";
import type { Remote } from "./remote.ts";
import { sendableArchive } from "./sendable-archive.ts";
import { sendingAssets } from "./sendable-asset.ts";
import { sendableFiles } from "./sendable-files.ts";
import { sendableResume } from "./sendable-jobs.ts";
import type { StoreThread } from "./store-thread.ts";

type Call<T> = (thread: Remote<StoreThread>) => Promise<T>;

/** What a store in threads is made of. */
export interface ThreadedParts {
  /** The thread that writes. Absent in a store that is open for reading only. */
  writer: Lane | undefined;
  /** The threads that read. Absent where the writer does everything. */
  readers: ReaderPool | undefined;
  /** Who looks after the vector indexes, where there are both. */
  indexesIn: "readers" | "writer";
  /** Lets go of what belongs to the store beside its threads; called once, last. */
  release: () => Promise<void>;
}

/** Methods of the document store that only read. */
const DOCUMENT_READS: ReadonlySet<string> = new Set<keyof DocumentStore>([
  "getDocument",
  "getDocumentByWorkspacePath",
  "getBlocks",
  "getChunk",
  "getChunks",
  "getChunksOf",
  "getAsset",
  "getAssetByWorkspacePath",
  "getAssetBytes",
  "listDocuments",
  "countDocuments",
  "allWorkspacePaths",
  "staleChunkIdsAt",
  "corpusRevision",
]);

/** Methods of the chat that only read. */
const CHAT_READS: ReadonlySet<string> = new Set<keyof ChatSessions>([
  "getSession",
  "listSessions",
  "listTurns",
  "exportSession",
  "searchTurns",
]);

/** Methods of the answers that only read. */
const ANSWER_READS: ReadonlySet<string> = new Set<keyof Answers>(["get", "list"]);

/** Methods of the evaluations that only read. */
const EVALUATION_READS: ReadonlySet<string> = new Set<keyof Evaluations>([
  "getSuite",
  "listSuites",
  "getRun",
  "listRuns",
  "listResults",
  "compare",
]);

/** Methods of the embeddings that ask the indexes in memory. */
const INDEX_READS: ReadonlySet<string> = new Set<keyof Embeddings>([
  "flush",
  "indexes",
  "openReports",
  "selfCheck",
  "examine",
]);

/** Methods of the jobs that only read. */
const JOB_READS: ReadonlySet<string> = new Set<keyof Jobs>(["get", "list"]);

/** A store whose parts run in threads: one writes, the others answer what only reads. */
export class ThreadedStore implements Store {
  readonly documents: DocumentStore;
  readonly embeddings: Embeddings;
  readonly chat: ChatSessions;
  readonly storage: StoreStorage;
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly evaluations: Evaluations;
  readonly #writer: Lane | undefined;
  readonly #readers: ReaderPool | undefined;
  readonly #release: () => Promise<void>;
  #closed: Promise<void> | undefined;
  /** Why the writer is gone without having been closed. */
  #lost: StorageError | undefined;

  constructor({ writer, readers, indexesIn, release }: ThreadedParts) {
    this.#writer = writer;
    this.#readers = readers;
    this.#release = release;
    const documents = methods((name, args) => {
      const call: Call<unknown> = (thread) =>
        name === "getAssetBytes"
          ? callOf(thread.heavy, "assetBytes", args)
          : callOf(thread.store.documents, name, args);
      return DOCUMENT_READS.has(name) ? this.#read(name, call) : this.#write("documents", name, call);
    }) as DocumentStore;
    this.documents = sendingAssets(documents, (id, options) => this.#assetStream(id, options));
    this.chat = methods((name, args) => {
      const call: Call<unknown> = (thread) => callOf(thread.store.chat, name, args);
      return CHAT_READS.has(name) ? this.#read(name, call) : this.#write("chat", name, call);
    }) as ChatSessions;
    this.storage = methods((name, args) =>
      this.#read(name, (thread) => callOf(thread.store.storage, name, args)),
    ) as StoreStorage;
    this.jobs = methods((name, args) => {
      const sent = name === "resume" ? resumeArguments(args) : args;
      const call: Call<unknown> = (thread) => callOf(thread.store.jobs, name, sent);
      return JOB_READS.has(name) ? this.#read(name, call) : this.#write("jobs", name, call, name !== "resume");
    }) as Jobs;
    this.answers = methods((name, args) => {
      const call: Call<unknown> = (thread) => callOf(thread.store.answers, name, args);
      return ANSWER_READS.has(name) ? this.#read(name, call) : this.#write("answers", name, call);
    }) as Answers;
    this.evaluations = methods((name, args) => {
      const call: Call<unknown> = (thread) => callOf(thread.store.evaluations, name, args);
      if (EVALUATION_READS.has(name)) return this.#read(name, call);
      // A run is ended by closing, which does not wait for it.
      return this.#write("evaluations", name, call, name !== "run");
    }) as Evaluations;
    this.embeddings = methods((name, args) => {
      const call: Call<unknown> = (thread) =>
        name === "put"
          ? callOf(thread.heavy, "put", [args[0], sendableVectors(args[1]), ...args.slice(2)])
          : callOf(thread.store.embeddings, name, args);
      // What is made anew is written, wherever that is done.
      const isRead = INDEX_READS.has(name) && (name !== "reindex" || writer !== undefined);
      if (isRead && (indexesIn === "readers" || writer === undefined)) return this.#ask(name, call, false);
      // Whether a run is under way only the thread knows that writes.
      if (name === "status")
        return this.#writer === undefined ? this.#ask(name, call) : this.#write("embeddings", name, call);
      return this.#write("embeddings", name, call, false);
    }) as Embeddings;
    void writer?.lost.then((error) => this.#lose(error));
  }

  ingest(source: IngestSource, options?: IngestOptions): Promise<IngestReport> {
    const asked = withKnownBytes(source, options);
    const call: Call<IngestReport> = (thread) => thread.store.ingest(sendableFiles(oneByOne(source)), asked);
    return this.#write("ingest", "ingest", call, false);
  }

  search(query: SearchQuery, options?: { signal?: AbortSignal }): Promise<SearchResult> {
    const call: Call<SearchResult> = (thread) => thread.store.search(query, options);
    return usesVectors(query) ? this.#ask("search", call) : this.#read("search", call);
  }

  async stats(options?: StatsOptions): Promise<StoreStats> {
    // What keeps the vectors the thread knows that searches them. All are asked at once: closing waits for what is asked by then.
    const [stats, caches] = await Promise.all([
      this.#ask("stats", (thread) => thread.store.stats(options)),
      this.#readers?.each((thread) => thread.searchCache()),
    ]);
    return caches === undefined ? stats : { ...stats, searchCache: sumOf(caches) };
  }

  vacuum(options?: VacuumOptions): Promise<VacuumReport> {
    return this.#write("store", "vacuum", (thread) => thread.store.vacuum(options), false);
  }

  /** Takes long: where there is a writer, searches do not wait for it. */
  check(options?: CheckOptions): Promise<CheckReport> {
    const call: Call<CheckReport> = (thread) => thread.store.check(options);
    return this.#writer === undefined ? this.#ask("check", call) : this.#write("store", "check", call);
  }

  repair(options?: RepairOptions): Promise<RepairReport> {
    return this.#write("store", "repair", (thread) => thread.store.repair(options), false);
  }

  async openReport(): Promise<OpenReport> {
    const call: Call<OpenReport> = (thread) => thread.store.openReport();
    const kept = await this.#ask("openReport", call);
    if (this.#writer === undefined || this.#readers === undefined) return kept;
    return { ...(await this.#write("store", "openReport", call)), indexes: kept.indexes };
  }

  /** Where there are readers, neither writes nor searches by words wait for it. */
  async *export(options?: ArchiveOptions): AsyncGenerator<Uint8Array, void, undefined> {
    this.#checkOpen("export");
    const call = (thread: Remote<StoreThread>): AsyncIterable<Uint8Array> => thread.store.export(options);
    if (this.#readers === undefined) {
      if (this.#writer !== undefined) yield* this.#writer.stream(call);
      return;
    }
    // The thread that writes deletes bytes beside the database, which this one reads by rows of a moment ago.
    const unpin = await this.#writer?.run((thread) => thread.pinAssets());
    try {
      yield* this.#readers.streamFromKeeper(call);
    } finally {
      // In a store that was closed meanwhile nothing is pinned any more.
      if (unpin !== undefined) await this.#writer?.run(() => unpin()).catch(() => undefined);
    }
  }

  async *#assetStream(
    ...args: Parameters<DocumentStore["getAssetStream"]>
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.#checkOpen("getAssetStream");
    const call = (thread: Remote<StoreThread>): AsyncIterable<Uint8Array> =>
      thread.store.documents.getAssetStream(...args);
    if (this.#readers !== undefined) yield* this.#readers.stream(call);
    else if (this.#writer !== undefined) yield* this.#writer.stream(call);
  }

  async import(archive: ArchiveSource, options?: ArchiveOptions): Promise<ArchiveImportReport> {
    const sent = sendableArchive(archive);
    return this.#write("archive", "import", (thread) => thread.store.import(sent, options), false);
  }

  /** The thread that writes hears of its commits at once. */
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<Change> {
    this.#checkOpen("subscribe");
    const call = (thread: Remote<StoreThread>): AsyncIterableIterator<Change> => thread.store.subscribe(options);
    const changes = this.#writer?.follow(call) ?? this.#readers!.followKeeper(call);
    return endedByClosing(changes, () => this.#closed !== undefined);
  }

  async changeSequence(): Promise<number> {
    return this.#read("changeSequence", (thread) => thread.store.changeSequence());
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #write<T>(capability: StorageCapability, operation: string, call: Call<T>, drained = true): Promise<T> {
    this.#checkOpen(operation);
    if (this.#writer !== undefined) return this.#writer.run(call, drained);
    const message = `${operation} writes, and the store was opened with readOnly`;
    throw new StorageError("UNSUPPORTED", message, { capability, operation });
  }

  async #read<T>(operation: string, call: Call<T>): Promise<T> {
    this.#checkOpen(operation);
    return this.#readers === undefined ? this.#write("store", operation, call) : this.#readers.read(call);
  }

  /** Asks the thread that keeps the vector indexes. */
  async #ask<T>(operation: string, call: Call<T>, drained = true): Promise<T> {
    this.#checkOpen(operation);
    if (this.#readers === undefined) return this.#write("store", operation, call, drained);
    return this.#readers.askKeeper(call, drained);
  }

  /** The readers go first: the keeper of the indexes has its last written by the writer. */
  async #close(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (work: Promise<void> | undefined): Promise<void> => {
      await work?.catch((error: unknown) => failures.push(error));
    };
    if (this.#lost === undefined) {
      await attempt(this.#readers?.close());
      await attempt(this.#writer?.close());
    } else {
      await this.#endReaders();
    }
    await attempt(this.#release());
    if (failures.length > 0) throw failures[0];
  }

  /** What fails with the readers is of no account once the writer is gone. */
  async #endReaders(): Promise<void> {
    await this.#readers?.close().catch(() => undefined);
  }

  /** Without the writer nothing is certain: what is pending and what comes later is told. */
  #lose(error: StorageError): void {
    if (this.#closed !== undefined) return;
    this.#lost = error;
    // They end what they are at: a thread that is ended in the midst of native code takes the process with it. What they cannot write any
    // more, the next opening makes anew.
    void this.#endReaders();
  }

  #checkOpen(operation: string): void {
    const context = { capability: "store", operation } as const;
    if (this.#closed !== undefined) throw new StorageError("CLOSED", "the store is closed", context);
    if (this.#lost === undefined) return;
    const message = `the thread that writes is gone, open the store again: ${this.#lost.message}`;
    throw new StorageError("OWNER_LOST", message, { ...context, cause: this.#lost });
  }
}

/** An object all of whose members are methods that `call` makes. */
function methods(call: (name: string, args: unknown[]) => Promise<unknown>): object {
  const made = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy(
    {},
    {
      get: (target, name) => {
        // Whoever awaits, prints or serialises the object asks it for `then`, `toString` or `toJSON`: that is no call.
        if (typeof name !== "string" || !isMemberName(name)) return Reflect.get(target, name) as unknown;
        let method = made.get(name);
        if (method === undefined) made.set(name, (method = (...args) => call(name, args)));
        return method;
      },
    },
  );
}

function resumeArguments([id, options, ...rest]: unknown[]): unknown[] {
  const sent = sendableResume(options as JobResumeOptions | undefined);
  if (sent?.source === undefined) return [id, sent, ...rest];
  return [id, { ...sent, source: oneByOne(sent.source) }, ...rest];
}

function callOf(remote: object, name: string, args: unknown[]): Promise<unknown> {
  return (remote as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!(...args);
}

/** A list is sent file by file: as a whole it would be copied at once, and keep the thread from everything else. */
function oneByOne(source: IngestSource): IngestSource {
  return Array.isArray(source) ? (source as readonly IngestFile[]).values() : source;
}

/** What all threads keep. */
function sumOf(caches: readonly SearchCacheStats[]): SearchCacheStats {
  const sum = { hits: 0, misses: 0, hitRate: 0, entries: 0, bytes: 0, maxBytes: 0 };
  for (const cache of caches) {
    for (const figure of ["hits", "misses", "entries", "bytes", "maxBytes"] as const) sum[figure] += cache[figure];
  }
  if (sum.hits > 0) sum.hitRate = sum.hits / (sum.hits + sum.misses);
  return sum;
}

/** What is sent file by file tells its size no more. */
function withKnownBytes(source: IngestSource, options: IngestOptions | undefined): IngestOptions | undefined {
  if (!Array.isArray(source) || (options !== undefined && !isPlainObject(options))) return options;
  const { totalBytes, maxFileBytes } = options ?? {};
  if (totalBytes !== undefined || (maxFileBytes !== undefined && typeof maxFileBytes !== "number")) return options;
  return { ...options, totalBytes: knownBytes(source as IngestSource, maxFileBytes ?? DEFAULT_MAX_FILE_BYTES) };
}

function usesVectors(query: unknown): boolean {
  const mode: unknown = typeof query === "object" && query !== null ? (query as { mode?: unknown }).mode : undefined;
  return mode === "vector" || mode === "hybrid";
}
