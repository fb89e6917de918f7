import { StorageError } from "../../errors.ts";

/** Ends what a fired signal is to end.
 *  @throws StorageError ABORTED, with the signal's reason as its cause */
export function throwIfAborted(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted !== true) return;
  throw new StorageError("ABORTED", "it was aborted by its caller", {
    capability: "vectors",
    operation,
    cause: signal.reason,
  });
}
