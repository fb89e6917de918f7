import type { StorageError } from "../errors.ts";
import type { Lease } from "./call-scope.ts";
import type { ReferenceMessage } from "./protocol.ts";
import type { Reference } from "./reference-table.ts";
import { rpcError } from "./rpc-error.ts";
import { FIRST_BATCH, LARGEST_BATCH } from "./stream-limits.ts";

/** What a reader needs of its connection. */
export interface StreamReaderLink {
  post(message: ReferenceMessage): void;
  /** The stream is over: forget it. */
  over(id: number): void;
}

type Result = IteratorResult<unknown>;

interface Waiter {
  /** Keeps the iterator from being collected while it is waited for. */
  holder?: unknown;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const DONE: Result = { done: true, value: undefined };

/** The receiving end of a stream: asks for the next batch when half of the last one is used. */
export class StreamReader implements Reference {
  /** The call that the items belong to as well. */
  readonly lease: Lease;
  readonly #id: number;
  readonly #link: StreamReaderLink;
  #items: unknown[] = [];
  #used = 0;
  #batchSize = FIRST_BATCH;
  #pulling = false;
  #waiters: Waiter[] = [];
  /** Set when nothing more will arrive. The error, if any, is thrown once, after the items. */
  #outcome: { error?: unknown } | undefined;
  #stopping: Waiter | undefined;

  constructor(id: number, link: StreamReaderLink, lease: Lease) {
    this.#id = id;
    this.#link = link;
    this.lease = lease;
  }

  /** Whether more may arrive. */
  get isOpen(): boolean {
    return this.#outcome === undefined;
  }

  next(holder?: unknown): Promise<Result> {
    const aborted = this.#abortedBy();
    if (aborted !== undefined) return this.#abort(aborted);
    if (this.#used < this.#items.length) {
      const value = this.#takeItem();
      this.#pullAhead();
      return Promise.resolve({ done: false, value });
    }
    if (this.#outcome !== undefined) return this.#finish();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ holder, resolve, reject });
      this.#pullAhead();
    });
  }

  /** Ends the stream at its source; resolves when the source has ended. */
  return(value?: unknown): Promise<Result> {
    this.#items = [];
    this.#used = 0;
    const result: Result = { done: true, value };
    if (this.#outcome !== undefined) {
      this.#outcome = {};
      return Promise.resolve(result);
    }
    this.#outcome = {};
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#stopping = { resolve: () => resolve(result), reject };
      this.#link.post({ lode: "stop", id: this.#id });
    });
  }

  /** A batch arrived. */
  deliver(items: unknown[], outcome: { error?: unknown } | undefined): void {
    if (this.#outcome !== undefined) return;
    this.#pulling = false;
    if (this.#used === this.#items.length) this.#items = items;
    else this.#items = [...this.#items.slice(this.#used), ...items];
    this.#used = 0;
    this.#outcome = outcome;
    if (outcome !== undefined) this.#link.over(this.#id);
    this.#serveWaiters();
  }

  /** The source has ended after `return`. */
  stopped(outcome: { error?: unknown }): void {
    this.#link.over(this.#id);
    const stopping = this.#stopping;
    this.#stopping = undefined;
    if ("error" in outcome) stopping?.reject(outcome.error);
    else stopping?.resolve(DONE);
  }

  end(lost?: StorageError): void {
    this.#stopping?.resolve(DONE);
    this.#stopping = undefined;
    if (this.#outcome !== undefined) return;
    this.#items = [];
    this.#used = 0;
    this.#outcome = {
      error: lost ?? rpcError("TRANSACTION", "next", "the stream was lent to a call that is over"),
    };
    this.#serveWaiters();
  }

  #serveWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { holder, resolve, reject } of waiters) this.next(holder).then(resolve, reject);
  }

  #takeItem(): unknown {
    const value = this.#items[this.#used];
    this.#items[this.#used++] = undefined;
    return value;
  }

  #pullAhead(): void {
    if (this.#pulling || this.#outcome !== undefined) return;
    if (this.#items.length - this.#used > this.#items.length / 2) return;
    this.#pulling = true;
    this.#link.post({ lode: "pull", id: this.#id, count: this.#batchSize });
    this.#batchSize = Math.min(this.#batchSize * 2, LARGEST_BATCH);
  }

  #finish(): Promise<Result> {
    const outcome = this.#outcome!;
    this.#outcome = {};
    if (!("error" in outcome)) return Promise.resolve(DONE);
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the source threw, whatever it is
    return Promise.reject(outcome.error);
  }

  /** The signal of the call this stream answers, once it is aborted. */
  #abortedBy(): AbortSignal | undefined {
    if (this.#outcome !== undefined && this.#used === this.#items.length) return undefined;
    return this.lease.scope.signals.find((signal) => signal.aborted);
  }

  /** Rows that were read ahead are not handed out after an abort. */
  #abort(signal: AbortSignal): Promise<Result> {
    const error = rpcError("ABORTED", "next", "the stream was aborted", signal.reason);
    return this.return().then(
      () => Promise.reject(error),
      () => Promise.reject(error),
    );
  }
}

/** The iterator that a program holds. Its reader, which the connection holds, ends when the program drops it. */
export class RemoteStream implements AsyncIterableIterator<unknown> {
  readonly #reader: StreamReader;

  constructor(reader: StreamReader) {
    this.#reader = reader;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return this.#reader.next(this);
  }

  return(value?: unknown): Promise<Result> {
    return this.#reader.return(value);
  }
}
