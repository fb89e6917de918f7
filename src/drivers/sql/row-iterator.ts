import type { SqlRow } from "../../contracts/sql.ts";
import type { SqlCursor } from "./engine.ts";

/** What a `RowIterator` needs of its scope. */
interface RowSource {
  /** Starts the read; called at the first `next()`. */
  open(): SqlCursor;
  /** Runs a job when it is the scope's turn. */
  turn<T>(job: () => T): Promise<T>;
  /** Called once when the cursor is given back. */
  closed(): void;
}

/** A cursor as an async iterator: one row per `next()`; the end, an error, `return()` and `throw()` release the cursor. */
export class RowIterator<Row extends object> implements AsyncIterableIterator<Row> {
  readonly #source: RowSource;
  #cursor: SqlCursor | undefined;
  #done = false;

  constructor(source: RowSource) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Row>> {
    if (this.#done && this.#cursor === undefined) return { done: true, value: undefined };
    try {
      const row = await this.#source.turn(() => this.#step());
      if (row !== undefined) return { done: false, value: row as Row };
      this.#finish();
      return { done: true, value: undefined };
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  return(value?: unknown): Promise<IteratorResult<Row>> {
    this.#finish();
    return Promise.resolve({ done: true, value });
  }

  throw(error?: unknown): Promise<IteratorResult<Row>> {
    this.#finish();
    const failure = error as Error;
    return Promise.reject(failure);
  }

  /** Gives the cursor back because the scope ends; a later `next()` meets the scope's own error. */
  release(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
    this.#source.closed();
  }

  #step(): SqlRow | undefined {
    if (this.#done) return undefined;
    this.#cursor ??= this.#source.open();
    return this.#cursor.next();
  }

  #finish(): void {
    this.#done = true;
    this.release();
  }
}
