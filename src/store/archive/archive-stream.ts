import { describe } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { abortedBy, archiveError } from "./archive-error.ts";

/** Returns the pieces of an archive, looked at when they come. A stream that hangs is not waited for once the signal is aborted.
 *  @throws StorageError ABORTED, CLOSED, INVALID_INPUT (no bytes), DRIVER (with what the stream threw as its cause) */
export function archivePieces(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new ArchivePieces(bytes[Symbol.asyncIterator](), signal) };
}

class ArchivePieces implements AsyncIterator<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  #over = false;

  constructor(pieces: AsyncIterator<Uint8Array>, signal: AbortSignal) {
    this.#pieces = pieces;
    this.#signal = signal;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#over) return { done: true, value: undefined };
    const next = await this.#untilAborted(this.#pieces.next());
    if (next.done === true) {
      this.#over = true;
      return { done: true, value: undefined };
    }
    const piece: unknown = next.value;
    if (piece instanceof Uint8Array) return { done: false, value: piece };
    throw archiveError("INVALID_INPUT", "import", `the archive handed out ${describe(piece)}; it takes Uint8Array`);
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#over) {
      this.#over = true;
      const ended = Promise.resolve(this.#pieces.return?.());
      // A stream that hangs in its last read ends when that does: nobody can be told how.
      if (this.#signal.aborted) ended.catch(nothing);
      else await ended;
    }
    return { done: true, value: undefined };
  }

  #untilAborted(next: Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array>> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      const leave = (): void => reject(abortedBy(signal, "import"));
      if (signal.aborted) leave();
      signal.addEventListener("abort", leave, { once: true });
      const stay = (): void => signal.removeEventListener("abort", leave);
      next.then(resolve, (error: unknown) => reject(streamError(error))).then(stay, stay);
    });
  }
}

function nothing(): void {}

function streamError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return archiveError("DRIVER", "import", `the archive cannot be read: ${reason}`, error);
}
