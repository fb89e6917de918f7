import { StorageError, type StorageErrorCode } from "../errors.ts";

/**
 * What a reader of this folder throws:
 * - BAD_FORMAT: the bytes are no such file: wrong magic, a length beyond the bytes left, a field out of its range;
 * - CORRUPT: it is such a file, but its parts contradict each other or a checksum;
 * - SCHEMA_TOO_NEW: it is ours, of a later version;
 * - UNSUPPORTED: it is a sound file with something in it that Lodestore does not hold.
 */
export type FormatErrorCode = Extract<
  StorageErrorCode,
  "BAD_FORMAT" | "CORRUPT" | "SCHEMA_TOO_NEW" | "UNSUPPORTED" | "INVALID_INPUT"
>;

/** Returns the error of a reader or writer. @param operation Its name: `readLhv1`. */
export function formatError(
  code: FormatErrorCode,
  operation: string,
  message: string,
  context: { cause?: unknown } = {},
): StorageError {
  return new StorageError(code, message, { capability: "vectors", operation, ...context });
}
