import { StorageError } from "../../errors.ts";

/** What an ingest rejects with whose signal is aborted: ABORTED, or CLOSED where the store was closed. */
export function ingestAborted(signal: AbortSignal): StorageError {
  const reason: unknown = signal.reason;
  if (reason instanceof StorageError && reason.code === "CLOSED") return reason;
  return new StorageError("ABORTED", "the ingest was cancelled; documents taken in so far are whole", {
    capability: "ingest",
    operation: "ingest",
    cause: reason,
  });
}

/** Settles as `work` does, but rejects as soon as the signal is aborted: work of the caller may hang for ever.
 *  @throws StorageError ABORTED, CLOSED; what `work` rejects with */
export function untilAborted<T>(work: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(ingestAborted(signal));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const stay = (): void => signal.removeEventListener("abort", leave);
    work.then(resolve, reject).then(stay, stay);
  });
}
