import type { Encoder } from "./encoder.ts";
import { toWireError } from "./error-wire.ts";
import type { ReferenceMessage } from "./protocol.ts";
import type { Reference } from "./reference-table.ts";
import { BATCH_WAIT_MS, BATCH_WEIGHT } from "./stream-limits.ts";

type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>;
type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** What a source needs of its connection. */
export interface StreamSourceLink {
  post(message: ReferenceMessage, transfer?: Transferable[]): void;
  newEncoder(): Encoder;
  /** Describes why a batch cannot be posted. */
  cloneFailure(error: unknown, items: readonly unknown[]): unknown;
  /** The stream is over: forget it. */
  over(id: number): void;
}

/** The sending end of a stream: pulls a local iterable when asked, and sends what it gives in batches. */
export class StreamSource implements Reference {
  readonly #id: number;
  readonly #iterable: AnyIterable;
  readonly #link: StreamSourceLink;
  #iterator: AnyIterator | undefined;
  /** Items the pull at hand asks for, 0 while there is none. */
  #wanted = 0;
  #items: unknown[] = [];
  #encoder: Encoder | undefined;
  #firstItemAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = false;
  #over = false;
  #outcome: { error?: unknown } | undefined;

  constructor(id: number, iterable: AnyIterable, link: StreamSourceLink) {
    this.#id = id;
    this.#iterable = iterable;
    this.#link = link;
  }

  /** Answers with one batch of up to `count` items. */
  pull(count: number): void {
    if (this.#over || this.#wanted > 0) return;
    this.#wanted = count;
    if (this.#outcome !== undefined) this.#send();
    else {
      if (this.#items.length > 0) this.#startTimer();
      if (!this.#reading) void this.#read();
    }
  }

  /** Ends the source early and says when it has. */
  stop(): void {
    if (this.#over) return;
    this.#close().then(
      () => this.#stopped(),
      (error: unknown) => this.#stopped({ error }),
    );
  }

  end(): void {
    if (!this.#over) this.#close().catch(() => {});
  }

  #stopped(outcome?: { error: unknown }): void {
    this.#link.post(
      outcome === undefined
        ? { lode: "stopped", id: this.#id }
        : { lode: "stopped", id: this.#id, error: toWireError(outcome.error) },
    );
    this.#link.over(this.#id);
  }

  async #close(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#outcome !== undefined) return;
    const closed = this.#openForClosing()?.return?.();
    if (!this.#reading) await closed;
    // A pending next() may take for ever, and return() waits behind it: nobody can be told how that ends.
    else Promise.resolve(closed).catch(() => {});
  }

  /** An iterator that was never pulled is closed too; an iterable that was never opened stays untouched. */
  #openForClosing(): AnyIterator | undefined {
    if (this.#iterator !== undefined) return this.#iterator;
    const isIterator = typeof (this.#iterable as Partial<AnyIterator>).next === "function";
    return isIterator ? (this.#iterable as unknown as AnyIterator) : undefined;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      this.#iterator ??= open(this.#iterable);
      while (this.#wanted > 0 && this.#outcome === undefined) {
        let result = this.#iterator.next();
        if (isPromiseLike(result)) result = await result;
        if (this.#over) return;
        if (result.done === true) this.#outcome = {};
        else {
          const item: unknown = isPromiseLike(result.value) ? await result.value : result.value;
          if (this.#over) return;
          this.#take(item);
          if (this.#over) return;
        }
        if (this.#isBatchReady()) this.#send();
      }
    } catch (error) {
      if (this.#over) return;
      this.#outcome = { error };
      this.#send();
    } finally {
      this.#reading = false;
    }
  }

  #take(item: unknown): void {
    this.#encoder ??= this.#link.newEncoder();
    if (this.#items.length === 0) {
      this.#firstItemAt = performance.now();
      this.#startTimer();
    }
    try {
      this.#items.push(this.#encoder.encode(item, [this.#items.length]));
    } catch (error) {
      this.#fail(error);
    }
  }

  #startTimer(): void {
    if (this.#wanted > 1) this.#timer ??= setTimeout(() => this.#send(), BATCH_WAIT_MS);
  }

  #isBatchReady(): boolean {
    return (
      this.#outcome !== undefined ||
      this.#items.length >= this.#wanted ||
      this.#encoder!.weight >= BATCH_WEIGHT ||
      performance.now() - this.#firstItemAt >= BATCH_WAIT_MS
    );
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#over || this.#wanted === 0) return;
    const items = this.#items;
    const encoder = this.#encoder;
    this.#wanted = 0;
    this.#items = [];
    this.#encoder = undefined;
    const end = this.#outcome !== undefined;
    const batch: ReferenceMessage = { lode: "batch", id: this.#id, items, end };
    if (encoder?.holes !== undefined) batch.holes = encoder.holes;
    if (this.#outcome !== undefined && "error" in this.#outcome) batch.error = toWireError(this.#outcome.error);
    try {
      this.#link.post(batch, encoder?.transfer ?? []);
      encoder?.sent();
    } catch (error) {
      this.#fail(this.#link.cloneFailure(error, items));
      return;
    }
    if (end) this.#link.over(this.#id);
  }

  /** An item cannot be read or posted: the stream ends with that. */
  #fail(failure: unknown): void {
    const wire = toWireError(failure);
    this.end();
    this.#link.post({ lode: "batch", id: this.#id, items: [], end: true, error: wire });
    this.#link.over(this.#id);
  }
}

function open(iterable: AnyIterable): AnyIterator {
  return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
