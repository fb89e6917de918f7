import { StorageError } from "../errors.ts";

function ignore(): void {}

/**
 * The answer of a remote method, before it is known whether it is a value or a stream: a promise of it, and an async
 * iterator over it. So `await store.search(…)` and `for await (const row of db.iterate(…))` both work, although the
 * caller's side does not know the methods.
 *
 * A rejection nobody listens to is not reported as unhandled: a callback may be called without awaiting it.
 */
export class RemoteCall<T> extends Promise<T> implements AsyncIterableIterator<unknown> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #iterator: AsyncIterator<unknown> | undefined;
  #operation = "";

  /** Returns a call and the functions that settle it. */
  static open<T>(operation: string): {
    call: RemoteCall<T>;
    resolve: (value: T) => void;
    reject: (error: unknown) => void;
  } {
    let resolve!: (value: T) => void;
    let reject!: (error: unknown) => void;
    const call = new RemoteCall<T>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    call.#operation = operation;
    call.then(undefined, ignore);
    return { call, resolve, reject };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    return this.#iterator === undefined ? this.#open().then((iterator) => iterator.next()) : this.#iterator.next();
  }

  return(value?: unknown): Promise<IteratorResult<unknown>> {
    return this.#open().then((iterator) => iterator.return?.(value) ?? { done: true, value });
  }

  #open(): Promise<AsyncIterator<unknown>> {
    return this.then((answer) => {
      this.#iterator ??= asyncIterator(answer);
      if (this.#iterator !== undefined) return this.#iterator;
      throw new StorageError("UNSUPPORTED", `${this.#operation} does not return a stream`, {
        capability: "rpc",
        operation: this.#operation,
      });
    });
  }
}

function asyncIterator(value: unknown): AsyncIterator<unknown> | undefined {
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return undefined;
  return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}
