import { MessageChannel, Worker } from "node:worker_threads";
import type { Embedder } from "./contracts/embedder.ts";
import type { Store } from "./contracts/store.ts";
import type { EmbedderSpec } from "./drivers/embed/embedder-spec.ts";
import { StorageError } from "./errors.ts";
import type { VectorIndexWork } from "./contracts/vector-upkeep.ts";
import type { VectorChoice, VectorEngine } from "./node-vector-options.ts";
import { connect } from "./rpc/client.ts";
import { type PortLike, threadPortEndpoint, type ThreadLike, threadEndpoint } from "./rpc/endpoint.ts";
import { Lane, type LaneThread } from "./rpc/lane.ts";
import { ReaderPool } from "./rpc/reader-pool.ts";
import { serve } from "./rpc/server.ts";
import type { StoreThread, ThreadHome } from "./rpc/store-thread.ts";
import { ThreadedStore } from "./rpc/threaded-store.ts";

/** What a thread does: everything (`alone`); write (`writer`); read, and keep the vector indexes (`keeper`); read (`reader`). */
export type ThreadRole = "alone" | "writer" | "keeper" | "reader";

/** What an embedder in another thread says of itself. */
export type EmbedderTraits = Pick<Embedder, "modelId" | "modelVersion" | "dimensions" | "maxBatch"> & {
  fusionWeight?: number | undefined;
};

/** What a thread is told when it opens the store. */
export interface ThreadParams {
  role: ThreadRole;
  dir: string;
  /** Whether nobody writes through this store. */
  readOnly: boolean;
  vectors: VectorChoice;
  /** How to make the embedder, or what the one says of itself that is called back. */
  embedder: EmbedderSpec | EmbedderTraits | undefined;
  embedOnOpen: boolean | undefined;
  /** Of this thread; of all of them where the store is opened. */
  searchCacheBytes: number;
}

/** How a store is opened in threads. */
export interface ThreadedOptions extends Omit<ThreadParams, "role"> {
  readers: number;
  /** The caller's embedder; the store closes it. */
  ownEmbedder: Embedder | undefined;
  /** Gives up opening. */
  signal: AbortSignal | undefined;
}

/** Starts the threads of a store: first the one that writes, which makes what is not there. */
export async function openThreads({ readers: count, ownEmbedder, signal, ...params }: ThreadedOptions): Promise<Store> {
  let writer: Lane | undefined;
  let readers: ReaderPool | undefined;
  const opened: { store?: ThreadedStore } = {};
  const askIndexes = <T>(ask: (indexes: VectorIndexWork) => Promise<T>): Promise<T> =>
    requireReaders(readers).askKeeper((thread) => ask(thread.indexes), false);
  const home: ThreadHome = {
    embed: (texts, options) => requireEmbedder(ownEmbedder).embed(texts, options),
    search: (query, options) => requireStore(opened.store).search(query, options),
    keeper: {
      written: (indexId, modelVersion) => readers?.tellKeeper(indexId, modelVersion),
      info: (...args) => askIndexes((indexes) => indexes.info(...args)),
      rebuild: (...args) => askIndexes((indexes) => indexes.rebuild(...args)),
      examine: (...args) => askIndexes((indexes) => indexes.examine(...args)),
      selfCheck: (...args) => askIndexes((indexes) => indexes.selfCheck(...args)),
      flush: () => askIndexes((indexes) => indexes.flush()),
    },
    upkeep: {
      pruneLog: (key, revision) => requireWriter(writer).run((thread) => thread.upkeep.pruneLog(key, revision)),
      refuseSnapshots: (key, before) =>
        requireWriter(writer).run((thread) => thread.upkeep.refuseSnapshots(key, before)),
    },
  };
  // An index in memory is kept by one reader; Lance has its own on disk, which the thread that writes looks after.
  let indexesIn: "readers" | "writer" = "readers";
  const role = (number: number): ThreadRole => (number === 0 ? "keeper" : "reader");
  // All begin to load at once; the readers open when there is something to read.
  const first = params.readOnly ? undefined : new StartedThread(count === 0 ? "alone" : "writer", home);
  const waiting = Array.from(
    { length: count },
    (_, number): StartedThread | undefined => new StartedThread(role(number), home),
  );
  try {
    // Those who answer searches share it.
    const searchCacheBytes = Math.floor(params.searchCacheBytes / Math.max(1, count));
    let opening = { ...params, searchCacheBytes };
    if (first !== undefined) {
      writer = new Lane(await first.open(opening, signal));
      const engine = (await writer.run((thread) => thread.engine())) as VectorEngine;
      if (engine === "lance") indexesIn = "writer";
      opening = { ...opening, vectors: { ...params.vectors, engine } };
    }
    if (count > 0) {
      readers = await ReaderPool.start(count, (number) => {
        const thread = waiting[number];
        waiting[number] = undefined;
        // One that takes the place of another is not part of opening the store.
        return thread?.open(opening, signal) ?? new StartedThread(role(number), home).open(opening, undefined);
      });
    }
  } catch (error) {
    await Promise.all(waiting.map(async (thread) => thread?.end()));
    await writer?.close();
    throw error;
  }
  opened.store = new ThreadedStore({ writer, readers, indexesIn, release: async () => ownEmbedder?.close?.() });
  return opened.store;
}

/** A thread that loads, and opens its part of a store when it is told to. */
class StartedThread {
  readonly #role: ThreadRole;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #isGone = false;
  #thrown: unknown;

  /** @param home What the thread may ask for here. */
  constructor(role: ThreadRole, home: ThreadHome) {
    this.#role = role;
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(new URL("./node-worker.ts", import.meta.url), {
      name: `lodestore ${role}`,
      workerData: { home: port2 },
      // A thread is started with the options of its process, and that of a program in an option is refused for a file.
      ...(process.execArgv.some((option) => option.startsWith("--input-type")) ? { execArgv: [] } : {}),
      transferList: [port2],
    });
    this.#worker = worker;
    // What ends a thread is told to its calls; without a listener it would end the process.
    worker.on("error", (error: unknown) => {
      this.#thrown = error;
    });
    this.#ended = new Promise((resolve) => worker.once("exit", () => resolve()));
    const served = serve(threadPortEndpoint(port1 as unknown as PortLike), home);
    // The thread keeps the process running while there are calls, its way back to here never does.
    port1.unref();
    void this.#ended.then(() => {
      this.#isGone = true;
      served.close();
      port1.close();
    });
  }

  async open(params: Omit<ThreadParams, "role">, signal: AbortSignal | undefined): Promise<LaneThread> {
    const worker = this.#worker;
    if (signal?.aborted === true) {
      await this.end();
      throw givenUp(signal);
    }
    // Nobody would tell of an end that is past.
    if (this.#isGone) throw threadGone(this.#role, this.#thrown);
    try {
      const connection = await connect<StoreThread>(threadEndpoint(worker as ThreadLike), {
        params: { ...params, role: this.#role },
        ...(signal === undefined ? {} : { signal }),
      });
      return { connection, ended: this.#ended, ref: () => worker.ref(), unref: () => worker.unref() };
    } catch (error) {
      if (signal !== undefined && error instanceof StorageError && error.code === "ABORTED") {
        // It was told, and ends by itself once it is in the midst of nothing.
        await this.#ended;
        throw givenUp(signal);
      }
      await this.end();
      throw error;
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function threadGone(role: ThreadRole, cause: unknown): StorageError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  const context = { capability: "store", operation: "open", cause } as const;
  return new StorageError("OWNER_LOST", `the thread "${role}" ended before it could open the store${reason}`, context);
}

/** What opening rejects with that the caller has given up. */
export function givenUp(signal: AbortSignal): StorageError {
  const context = { capability: "store", operation: "open", cause: signal.reason as unknown } as const;
  return new StorageError("ABORTED", "opening the store was given up; the next opening does what is left", context);
}

function requireEmbedder(embedder: Embedder | undefined): Embedder {
  if (embedder !== undefined) return embedder;
  throw new StorageError("UNSUPPORTED", "the store has no embedder", { capability: "embedder", operation: "embed" });
}

function requireStore(store: ThreadedStore | undefined): ThreadedStore {
  if (store !== undefined) return store;
  throw new StorageError("UNSUPPORTED", "nobody answers searches yet", { capability: "search", operation: "search" });
}

function requireReaders(readers: ReaderPool | undefined): ReaderPool {
  if (readers !== undefined) return readers;
  // While the store opens nobody keeps its indexes yet.
  throw new StorageError("UNSUPPORTED", "nobody keeps the indexes", { capability: "vectors", operation: "indexes" });
}

function requireWriter(writer: Lane | undefined): Lane {
  if (writer !== undefined) return writer;
  throw new StorageError("UNSUPPORTED", "nobody writes", { capability: "vectors", operation: "upkeep" });
}
