import type { BlobWriter } from "../../contracts/blobs.ts";
import { requireBlobKey } from "../../contracts/check-blobs.ts";
import { describe, invalidInput, refusal, requireSignal } from "../../contracts/validate.ts";
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
      const next = await untilAborted(pieces.next(), signal);
      ended = next.done === true;
      if (next.done === true) break;
      const piece: unknown = next.value;
      if (!(piece instanceof Uint8Array)) {
        throw refusal(SITE, `the stream handed out ${describe(piece)}; it takes Uint8Array`);
      }
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

/** Settles as the stream does, or rejects as soon as the signal is aborted. */
function untilAborted<T>(next: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const read = next.catch((error: unknown) => {
    if (error instanceof StorageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError("DRIVER", `the stream cannot be read: ${reason}`, { ...SITE, cause: error });
  });
  if (signal === undefined) return read;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(aborted(signal));
    // The stream may have aborted it itself, when it was asked.
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    const stay = (): void => signal.removeEventListener("abort", leave);
    read.then(resolve, reject).then(stay, stay);
  });
}
