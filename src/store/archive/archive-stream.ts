import { nextPiece, type StreamReading } from "../../contracts/next-piece.ts";
import { abortedBy } from "./archive-error.ts";

/** Returns the pieces of an archive, looked at when they come. A stream that hangs is not waited for once the signal is aborted.
 *  @throws StorageError ABORTED, CLOSED, INVALID_INPUT (no bytes), DRIVER (with what the stream threw as its cause) */
export function archivePieces(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new ArchivePieces(bytes[Symbol.asyncIterator](), signal) };
}

const READING: Omit<StreamReading, "signal"> = {
  site: { capability: "archive", operation: "import" },
  name: "the archive",
  aborted: (signal) => abortedBy(signal, "import"),
};

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
    const value = await nextPiece(this.#pieces, { ...READING, signal: this.#signal });
    if (value !== undefined) return { done: false, value };
    this.#over = true;
    return { done: true, value };
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
}

function nothing(): void {}
