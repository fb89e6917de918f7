import { StorageError } from "../../src/errors.ts";
import type { LiveCounts } from "../../src/rpc/peer.ts";
import { transfer } from "../../src/rpc/transfer.ts";

export interface ProbeTransaction {
  run(key: string, value: number): Promise<number>;
  get(key: string): Promise<number | undefined>;
  keys(): AsyncIterableIterator<string>;
  transaction<T>(body: (tx: ProbeTransaction) => Promise<T>): Promise<T>;
}

export interface TakenItem {
  name: string;
  content: Uint8Array | (() => Promise<Uint8Array>);
}

/** A served object with every kind of method that a contract may have. */
export class Probe {
  readonly nested: Sums = new Sums();
  readonly label = "probe";
  released = 0;
  unanswered = 0;
  readonly #rows = new Map<string, number>();
  readonly #live: () => LiveCounts;

  constructor(live: () => LiveCounts) {
    this.#live = live;
  }

  /** What the serving side holds, this call included. */
  live(): LiveCounts {
    return this.#live();
  }

  /** How many streams have been ended, early or not. */
  releasedStreams(): number {
    return this.released;
  }

  async echo<T>(value: T): Promise<T> {
    return value;
  }

  length(bytes: Uint8Array): number {
    return bytes.byteLength;
  }

  async failStorage(): Promise<never> {
    const engine = new Error("disk I/O error", { cause: new TypeError("no handle") });
    const driver = new StorageError("DRIVER", "the write failed", {
      capability: "sql",
      operation: "run",
      cause: engine,
    });
    throw new StorageError("POOL", "no connection", {
      capability: "documents",
      operation: "putDocument",
      cause: driver,
    });
  }

  failRange(): never {
    throw new RangeError("out of range");
  }

  async failText(): Promise<never> {
    throw "a text" as unknown;
  }

  async failDom(): Promise<never> {
    throw new DOMException("no space", "QuotaExceededError");
  }

  async failWithHandleCause(): Promise<never> {
    throw new Error("outer", { cause: { close: () => {} } });
  }

  async failDeep(depth: number): Promise<never> {
    let error = new Error("bottom");
    for (let i = 0; i < depth; i++) error = new Error(`level ${i}`, { cause: error });
    throw error;
  }

  async untilAborted(options: { signal: AbortSignal; started?: () => void }): Promise<never> {
    const { signal } = options;
    options.started?.();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    throw new StorageError("ABORTED", "stopped", {
      capability: "ingest",
      operation: "ingest",
      cause: signal.reason as unknown,
    });
  }

  never(): Promise<never> {
    return new Promise(() => {});
  }

  async progress(steps: number, options: { onProgress?: (done: number) => void }): Promise<number> {
    for (let i = 1; i <= steps; i++) options.onProgress?.(i);
    return steps;
  }

  async ask(question: (n: number) => Promise<number>, n: number): Promise<number> {
    return (await question(n)) + 1;
  }

  /** Calls back, waits for no answer. */
  tell(listener: () => Promise<void>): string {
    void listener();
    return "told";
  }

  async collect<T>(source: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = [];
    for await (const item of source) items.push(item);
    return items;
  }

  async first<T>(source: AsyncIterable<T>, count: number): Promise<T[]> {
    const items: T[] = [];
    for await (const item of source) {
      items.push(item);
      if (items.length === count) break;
    }
    return items;
  }

  async read(source: AsyncIterable<TakenItem>): Promise<{ name: string; sum: number }[]> {
    const read: { name: string; sum: number }[] = [];
    for await (const { name, content } of source) {
      const bytes = typeof content === "function" ? await content() : content;
      read.push({ name, sum: bytes.reduce((a, b) => a + b, 0) });
    }
    return read;
  }

  async *rows(
    count: number,
    options: { signal?: AbortSignal; failAt?: number } = {},
  ): AsyncIterableIterator<{ i: number; text: string }> {
    try {
      for (let i = 0; i < count; i++) {
        options.signal?.throwIfAborted();
        if (i === options.failAt) {
          throw new StorageError("CORRUPT", "a damaged page", {
            capability: "sql",
            operation: "iterate",
          });
        }
        yield { i, text: `row ${i}` };
      }
    } finally {
      this.released++;
    }
  }

  /** A generator that is not asynchronous. */
  *numbers(count: number): IterableIterator<number> {
    for (let i = 0; i < count; i++) yield i;
  }

  async transaction<T>(body: (tx: ProbeTransaction) => Promise<T>): Promise<T> {
    return new MapTransaction(this.#rows).transaction(body);
  }

  async valueOf_(key: string): Promise<number | undefined> {
    return this.#rows.get(key);
  }

  counter(start: number): Counter {
    return new Counter(start);
  }

  isOwnCounter(counter: Counter): boolean {
    return counter instanceof Counter;
  }

  giveBytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length).fill(7);
    return transfer(bytes, [bytes.buffer]);
  }

  uncloneable(): object {
    return { inner: { weak: new WeakMap() } };
  }

  plainFunctions(): { double: (n: number) => number; base: number } {
    return {
      base: 2,
      double(n: number): number {
        return n * this.base;
      },
    };
  }

  async dispose(): Promise<string> {
    return "disposed";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.released += 1000;
  }
}

export class Sums {
  async add(a: number, b: number): Promise<number> {
    return a + b;
  }
}

export class Counter {
  #value: number;
  constructor(start: number) {
    this.#value = start;
  }
  async increment(by = 1): Promise<number> {
    return (this.#value += by);
  }
}

class MapTransaction implements ProbeTransaction {
  readonly #rows: Map<string, number>;
  #over = false;

  constructor(rows: Map<string, number>) {
    this.#rows = rows;
  }

  async run(key: string, value: number): Promise<number> {
    if (this.#over) {
      const at = { capability: "sql", operation: "run" } as const;
      throw new StorageError("TRANSACTION", "the transaction is over", at);
    }
    this.#rows.set(key, value);
    return this.#rows.size;
  }

  async get(key: string): Promise<number | undefined> {
    return this.#rows.get(key);
  }

  async *keys(): AsyncIterableIterator<string> {
    yield* [...this.#rows.keys()].sort();
  }

  async transaction<T>(body: (tx: ProbeTransaction) => Promise<T>): Promise<T> {
    const inner = new MapTransaction(new Map(this.#rows));
    const result = await body(inner);
    inner.#over = true;
    this.#rows.clear();
    for (const [key, value] of inner.#rows) this.#rows.set(key, value);
    return result;
  }
}
