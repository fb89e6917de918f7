import type { ByteRange } from "../../contracts/check-blobs.ts";
import { StorageError } from "../../errors.ts";

/** Largest piece that is read and handed out at once: large enough that the calls cost nothing beside the bytes. */
export const PIECE_BYTES: number = 1024 * 1024;

/** Hands out a range of something of a known length, piece by piece.
 *  @param read Returns these bytes, in a buffer of their own.
 *  @throws StorageError ABORTED, what `read` throws */
export async function* readPieces(
  range: ByteRange & { signal: AbortSignal | undefined },
  sizeBytes: number,
  read: (at: number, length: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = Math.min(range.end, sizeBytes);
  throwIfAborted(range.signal);
  for (let at = range.start; at < end; at += PIECE_BYTES) {
    const piece = await read(at, Math.min(PIECE_BYTES, end - at));
    throwIfAborted(range.signal);
    yield piece;
    throwIfAborted(range.signal);
  }
}

/** Returns the error about a blob that is not there. */
export function noBlob(operation: string, key: string, cause?: unknown): StorageError {
  return new StorageError("NOT_FOUND", `there is no blob "${key}"`, { capability: "blobs", operation, cause });
}

/** Returns the error about a blob that is shorter than it was. */
export function cutOff(key: string, missing: number): StorageError {
  const message = `the blob "${key}" ends ${missing} bytes early`;
  return new StorageError("CORRUPT", message, { capability: "blobs", operation: "getStream" });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const cause: unknown = signal.reason;
  const context = { capability: "blobs", operation: "getStream", cause } as const;
  throw new StorageError("ABORTED", "the read was cancelled", context);
}
