import { StorageError } from "../errors.ts";

/** Returns the items of another thread; where the store is closed they end: neither the connection that goes with it is a failure, nor
 *  a call that closing ended. */
export function endedByClosing<T>(items: AsyncIterableIterator<T>, isClosed: () => boolean): AsyncIterableIterator<T> {
  const settle = async (answer: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    try {
      return await answer;
    } catch (error) {
      if (isClosed() && isEnd(error)) return DONE;
      throw error;
    }
  };
  return {
    next: () => settle(items.next()),
    return: () => settle(items.return?.() ?? Promise.resolve(DONE)),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function isEnd(error: unknown): boolean {
  return error instanceof StorageError && (error.capability === "rpc" || error.code === "CLOSED");
}

const DONE = { done: true, value: undefined } as const;
