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
