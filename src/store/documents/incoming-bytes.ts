import type { BlobWriter } from "../../contracts/blobs.ts";
import { ContentHasher } from "../ids.ts";
import type { HeldBytes } from "./held-bytes.ts";

/** What gives bytes their place once their hash is known. */
type Settle = (contentHash: string, byteLength: number, writer: BlobWriter) => Promise<HeldBytes>;

/** Bytes that are written aside while they are hashed. */
export class IncomingBytes {
  readonly #writer: BlobWriter;
  readonly #settle: Settle;
  readonly #hasher = new ContentHasher();
  #byteLength = 0;

  constructor(writer: BlobWriter, settle: Settle) {
    this.#writer = writer;
    this.#settle = settle;
  }

  async write(piece: Uint8Array): Promise<void> {
    // Both read the piece at once: the caller gives it until this resolves.
    const written = this.#writer.write(piece);
    this.#hasher.update(piece);
    this.#byteLength += piece.byteLength;
    await written;
  }

  /** Moves the bytes to the name of their hash, or drops them where they are there already. */
  async end(): Promise<HeldBytes> {
    try {
      return await this.#settle(this.#hasher.digest(), this.#byteLength, this.#writer);
    } catch (error) {
      await this.#writer.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }
}
