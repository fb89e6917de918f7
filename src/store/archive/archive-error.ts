import { StorageError, type StorageErrorCode } from "../../errors.ts";

/** Where an error of an archive is raised. */
export type ArchiveOperation = "export" | "import";

/** Returns an error of an archive. */
export function archiveError(
  code: StorageErrorCode,
  operation: ArchiveOperation,
  message: string,
  cause?: unknown,
): StorageError {
  return new StorageError(code, message, {
    capability: "archive",
    operation,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Ends what a fired signal is to end.
 *  @throws StorageError ABORTED, or CLOSED where the store was closed */
export function throwIfAborted(signal: AbortSignal, operation: ArchiveOperation): void {
  if (signal.aborted) throw abortedBy(signal, operation);
}

export function abortedBy(signal: AbortSignal, operation: ArchiveOperation): StorageError {
  const reason: unknown = signal.reason;
  if (reason instanceof StorageError && reason.code === "CLOSED") return reason;
  return archiveError("ABORTED", operation, `the ${operation} was cancelled`, reason);
}

/** Codes of what is wrong with the content of an archive's database, when it is read or copied. */
const OF_CONTENT: ReadonlySet<StorageErrorCode> = new Set(["CONFLICT", "INVALID_INPUT", "NOT_FOUND", "CORRUPT"]);

/** Runs what reads the archive's database: what it finds wrong there is CORRUPT, and names the entry. */
export async function readingEntry<T>(entry: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StorageError) || error.capability === "archive" || !OF_CONTENT.has(error.code)) throw error;
    throw archiveError("CORRUPT", "import", `${entry} in the archive is damaged: ${error.message}`, error);
  }
}
