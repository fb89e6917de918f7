import { StorageError } from "../../errors.ts";
import { readTarHeader, TAR_BLOCK, TarHeaderError, type TarFile, tarPadding } from "./tar-header.ts";

/** Reads a tar of plain files from a stream, file by file, with no more in memory than one piece of it. */
export class TarReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  /** What came and was not used yet. */
  #piece: Uint8Array = new Uint8Array();
  #read = 0;
  /** Of the file at hand. */
  #left = 0;
  #padding = 0;
  #name: string | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]();
  }

  /** Bytes of the archive that were used. */
  get bytesRead(): number {
    return this.#read;
  }

  /** Returns the next file, `undefined` at the end of the archive. What was not read of the one before is skipped.
   *  @throws StorageError BAD_FORMAT (no tar, damaged or cut off), what the stream throws */
  async next(): Promise<TarFile | undefined> {
    for await (const piece of this.content()) void piece;
    await this.#block(this.#padding, "the padding");
    this.#padding = 0;
    const file = this.#headerOf(await this.#block(TAR_BLOCK, "a tar header"));
    this.#name = file?.name;
    if (file === undefined) this.#headerOf(await this.#block(TAR_BLOCK, "its end"));
    this.#left = file?.sizeBytes ?? 0;
    this.#padding = tarPadding(this.#left);
    return file;
  }

  /** Hands out the content of the file at hand, once.
   *  @throws StorageError BAD_FORMAT (cut off), what the stream throws */
  async *content(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) {
      if (!(await this.#fill())) {
        throw failure(`the archive is cut off: ${this.#name ?? "it"} lacks ${this.#left} bytes`);
      }
      const part = this.#take(this.#left);
      this.#left -= part.byteLength;
      yield part;
    }
  }

  /** Tells the stream that no more of it is read. */
  async end(): Promise<void> {
    await this.#pieces.return?.();
  }

  #headerOf(block: Uint8Array): TarFile | undefined {
    try {
      return readTarHeader(block);
    } catch (cause) {
      if (!(cause instanceof TarHeaderError)) throw cause;
      const place = this.#name === undefined ? "this is no archive" : `the archive is damaged after ${this.#name}`;
      throw failure(`${place}: ${cause.message}`, cause);
    }
  }

  /** Returns that many bytes. */
  async #block(size: number, what: string): Promise<Uint8Array> {
    const block = new Uint8Array(size);
    for (let at = 0; at < size;) {
      if (!(await this.#fill())) {
        const place = this.#name === undefined ? "this is no archive" : `the archive is cut off after ${this.#name}`;
        throw failure(`${place}: it ends within ${what}`);
      }
      const part = this.#take(size - at);
      block.set(part, at);
      at += part.byteLength;
    }
    return block;
  }

  /** Makes sure that there is something to take. */
  async #fill(): Promise<boolean> {
    while (this.#piece.byteLength === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#piece = next.value;
    }
    return true;
  }

  #take(most: number): Uint8Array {
    const part = this.#piece.subarray(0, most);
    this.#piece = this.#piece.subarray(part.byteLength);
    this.#read += part.byteLength;
    return part;
  }
}

function failure(message: string, cause?: unknown): StorageError {
  return new StorageError("BAD_FORMAT", message, { capability: "archive", operation: "import", cause });
}
