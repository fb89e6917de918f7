import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { TurnTaker } from "../../turns.ts";
import type { EntryChecksum } from "./manifest.ts";

/** Bytes that pass by, and what they add up to. */
export class HashedBytes {
  readonly #hash = sha256.create();
  readonly #turns = new TurnTaker();
  #size = 0;

  async *of(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of bytes) {
      this.#hash.update(piece);
      this.#size += piece.byteLength;
      yield piece;
      await this.#turns.breathe();
    }
  }

  /** What passed by; nothing may pass later. */
  checksum(): EntryChecksum {
    return { sizeBytes: this.#size, sha256: bytesToHex(this.#hash.digest()) };
  }
}
