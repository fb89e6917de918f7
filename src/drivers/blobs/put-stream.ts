import type { BlobWriter } from "../../contracts/blobs.ts";
import { requireBlobKey } from "../../contracts/check-blobs.ts";
import { nextPiece } from "../../contracts/next-piece.ts";
import { invalidInput, requireSignal } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";

const SITE = { capability: "blobs", operation: "putStream" } as const;

/** Writes what a stream hands out through a writer: the way of every driver.
 *  @param begin Opens the writer, once the arguments are found right.
 *  @returns how many bytes there were. */
export async function putStream(
  begin: () => Promise<BlobWriter>,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  options: unknown,
): Promise<number> {
  requireBlobKey(SITE, key);
  const signal = requireSignal(SITE, options);
  const given: unknown = bytes;
  if (typeof given !== "object" || given === null || !(Symbol.asyncIterator in given)) {
    throw invalidInput(SITE, "bytes", given, "an async iterable of Uint8Array");
  }
  throwIfAborted(signal);
  const writer = await begin();
  let sizeBytes = 0;
  const pieces = bytes[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const piece = await nextPiece(pieces, { site: SITE, name: "the stream", signal, aborted });
      ended = piece === undefined;
      if (piece === undefined) break;
      await writer.write(piece);
      sizeBytes += piece.byteLength;
      throwIfAborted(signal);
    }
    await writer.commit(key);
    return sizeBytes;
  } catch (error) {
    // A stream that hangs in its last read ends when that does: nobody can be told how.
    if (!ended) Promise.resolve(pieces.return?.()).catch(() => undefined);
    await writer.abort();
    throw error;
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

function aborted(signal: AbortSignal): StorageError {
  return new StorageError("ABORTED", "the put was cancelled", { ...SITE, cause: signal.reason });
}
