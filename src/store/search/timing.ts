import type { SearchExplain } from "../../contracts/search.ts";
import { StorageError } from "../../errors.ts";

/** Notes how long the steps of a search take. */
export type Timed = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Times steps into `steps`; before each it looks whether the search was aborted. */
export function timing(steps: SearchExplain["steps"], signal: AbortSignal | undefined): Timed {
  return async (name, work) => {
    throwIfAborted(signal);
    const start = performance.now();
    const result = await work();
    steps.push({ name, ms: performance.now() - start });
    return result;
  };
}

/** @throws StorageError ABORTED, CLOSED where the store closes */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw searchAborted(signal);
}

/** What a search rejects with whose signal is aborted: ABORTED, or CLOSED where the store closes. */
export function searchAborted(signal: AbortSignal): StorageError {
  const reason: unknown = signal.reason;
  if (reason instanceof StorageError && reason.code === "CLOSED") return reason;
  return new StorageError("ABORTED", "the search was aborted", {
    capability: "search",
    operation: "search",
    cause: signal.reason,
  });
}
