import type { Change, ChangeTopic } from "../../contracts/changes.ts";
import { StorageError } from "../../errors.ts";

/** What a subscription asks of its feed. */
export interface SubscriptionSource {
  /** The first changes after a sequence. */
  read(after: number): Promise<Change[]>;
  /** Count of commits so far. */
  commits(): number;
  /** Resolves when there were more commits than `since`, or on `stop`. */
  committed(since: number, stop: AbortSignal): Promise<void>;
  /** It is over: forget it. */
  over(): void;
}

const DONE = { done: true, value: undefined } as const;

/** One reader of the change log, at its own pace. */
export class ChangeSubscription implements AsyncIterableIterator<Change> {
  readonly #source: SubscriptionSource;
  readonly #topics: ReadonlySet<ChangeTopic>;
  readonly #begin: Promise<number>;
  readonly #stop = new AbortController();
  readonly #onAbort = (): void => this.#end(subscriptionAborted(this.#signal?.reason));
  #signal: AbortSignal | undefined;
  /** Sequence of the last change that was looked at, once there is a beginning. */
  #after: number | undefined;
  #page: readonly Change[] = [];
  #used = 0;
  #failure: Error | undefined;
  /** The end of the last `next`: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: SubscriptionSource, topics: ReadonlySet<ChangeTopic>, begin: Promise<number>) {
    this.#source = source;
    this.#topics = topics;
    this.#begin = begin;
    // Told to whoever asks for the first change.
    begin.catch(() => undefined);
  }

  /** Ends with the signal. */
  endWith(signal: AbortSignal): void {
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Change, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<Change, undefined>> {
    this.#end();
    return DONE;
  }

  async #next(): Promise<IteratorResult<Change, undefined>> {
    const change = await this.#following();
    if (change !== undefined) return { done: false, value: change };
    // What ended it is thrown once.
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return DONE;
  }

  /** The next change of its topics, `undefined` when it is over. */
  async #following(): Promise<Change | undefined> {
    const { signal } = this.#stop;
    try {
      this.#after ??= await this.#begin;
      while (!signal.aborted) {
        const commits = this.#source.commits();
        if (this.#used === this.#page.length) {
          this.#page = await this.#source.read(this.#after);
          this.#used = 0;
          if (signal.aborted) break;
        }
        const change = this.#page[this.#used++];
        if (change === undefined) {
          this.#used = 0;
          await this.#source.committed(commits, signal);
          continue;
        }
        this.#after = change.sequence;
        // What the page holds is shared with others.
        if (change.topic === null || this.#topics.has(change.topic)) return { ...change };
      }
    } catch (error) {
      // Where it is over already, the database closed under it.
      this.#end(error as Error);
    }
    return undefined;
  }

  #end(failure?: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#failure = failure;
    this.#page = [];
    this.#used = 0;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#stop.abort();
    this.#source.over();
  }
}

function subscriptionAborted(cause: unknown): StorageError {
  return new StorageError("ABORTED", "the subscription was aborted", {
    capability: "store",
    operation: "subscribe",
    cause,
  });
}
