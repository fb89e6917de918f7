import { StorageError } from "../errors.ts";
import type { Connection } from "./client.ts";
import type { Remote } from "./remote.ts";
import type { StoreThread } from "./store-thread.ts";

/** So long closing waits for the calls at hand before it ends those that wait for an embedder, in milliseconds. */
const PATIENCE_MS = 1000;

/** A thread that serves a store. */
export interface LaneThread {
  readonly connection: Connection<StoreThread>;
  /** Keeps the process running. */
  ref(): void;
  /** Lets the process end although the thread runs. */
  unref(): void;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
}

/** One thread and the calls that it is at. The process goes on as long as there are any, and may end between them. */
export class Lane {
  readonly #thread: LaneThread;
  #calls = 0;
  /** Calls that closing waits for. */
  #drained = 0;
  #onIdle: (() => void)[] = [];
  #isClosing = false;

  constructor(thread: LaneThread) {
    this.#thread = thread;
    thread.unref();
  }

  /** Calls at hand. */
  get load(): number {
    return this.#calls;
  }

  get lost(): Connection<StoreThread>["lost"] {
    return this.#thread.connection.lost;
  }

  /** Makes a call.
   *  @param drained Whether closing waits for it; what closing ends by itself is not waited for. */
  async run<T>(call: (thread: Remote<StoreThread>) => Promise<T>, drained = true): Promise<T> {
    if (this.#calls++ === 0) this.#thread.ref();
    if (drained) this.#drained++;
    try {
      return await call(this.#thread.connection.proxy);
    } catch (error) {
      throw this.#isClosing && !drained && isLoss(error) ? closed(error) : error;
    } finally {
      if (drained && --this.#drained === 0) for (const tell of this.#onIdle.splice(0)) tell();
      if (--this.#calls === 0) this.#thread.unref();
    }
  }

  /** Hands out what a call does, piece by piece. Closing ends it. */
  async *stream<T>(call: (thread: Remote<StoreThread>) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    if (this.#calls++ === 0) this.#thread.ref();
    try {
      yield* call(this.#thread.connection.proxy);
    } catch (error) {
      throw this.#isClosing && isLoss(error) ? closed(error) : error;
    } finally {
      if (--this.#calls === 0) this.#thread.unref();
    }
  }

  /** Makes a call that hands out items whenever there are some, at once. The process goes on as long as an item is waited for. */
  follow<T>(call: (thread: Remote<StoreThread>) => AsyncIterableIterator<T>): AsyncIterableIterator<T> {
    const items = call(this.#thread.connection.proxy);
    return {
      next: () => this.run(() => items.next(), false),
      return: () => this.run(async () => (await items.return?.()) ?? { done: true, value: undefined }, false),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Waits for the calls at hand, of which those that wait for an embedder are ended after a while, closes the store of the thread and
   *  ends the thread. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#drained > 0) {
      const hurry = (): void => void this.run((thread) => thread.hurry(), false).catch(() => undefined);
      const timer = setTimeout(hurry, PATIENCE_MS);
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      clearTimeout(timer);
    }
    try {
      await this.run((thread) => thread.store.close());
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    // Kept until it is gone: the calls that end with it let go of it, and the process would end before whoever closes is told.
    this.#calls++;
    this.#thread.ref();
    this.#thread.connection.terminate();
    await this.#thread.ended;
  }
}

/** Whether the thread is gone that a call was made to. */
export function isLoss(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code === "OWNER_LOST" && error.capability === "rpc";
}

/** What becomes of a call that closing has not waited for, and that the thread had no time to end by itself. */
function closed({ operation }: StorageError): StorageError {
  return new StorageError("CLOSED", "the store was closed", { capability: "store", operation });
}
