import { MAX_ASSET_BYTES } from "../../contracts/check-documents.ts";
import { nextPiece } from "../../contracts/next-piece.ts";
import { type CallSite, refusal } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import { assetContentHash } from "../ids.ts";
import type { ExternalAssets } from "./external-assets.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { IncomingBytes } from "./incoming-bytes.ts";

/** Bytes up to here are in the database, where they commit with their row; measured in DESIGN.md. */
export const LARGEST_INLINE_BYTES: number = 1024 * 1024;

/** Bytes that were taken in: in memory, or held beside the database. */
export type TakenBytes = { contentHash: string; byteLength: number } & (
  | { bytes: Uint8Array; held?: undefined }
  | { bytes?: undefined; held: HeldBytes }
);

/** Takes the bytes of an asset in: small ones into memory, whatever they come as, and larger ones into the store beside the database.
 *  @param external Absent where there is none: then all of it is in memory, and bounded.
 *  @throws StorageError INVALID_INPUT, ABORTED, DRIVER, QUOTA_EXCEEDED */
export async function takeBytes(
  site: CallSite,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  external: ExternalAssets | undefined,
  signal: AbortSignal | undefined,
): Promise<TakenBytes> {
  if (!(bytes instanceof Uint8Array)) return new Taking(site, external, signal).run(bytes);
  const contentHash = assetContentHash(bytes);
  const { byteLength } = bytes;
  if (external === undefined || byteLength <= LARGEST_INLINE_BYTES) return { contentHash, byteLength, bytes };
  return { contentHash, byteLength, held: await external.keep(contentHash, bytes) };
}

class Taking {
  readonly #site: CallSite;
  readonly #external: ExternalAssets | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #turns = new TurnTaker();
  #small: Uint8Array[] = [];
  #size = 0;
  #incoming: IncomingBytes | undefined;

  constructor(site: CallSite, external: ExternalAssets | undefined, signal: AbortSignal | undefined) {
    this.#site = site;
    this.#external = external;
    this.#signal = signal;
  }

  async run(stream: AsyncIterable<Uint8Array>): Promise<TakenBytes> {
    this.#throwIfAborted();
    const pieces = stream[Symbol.asyncIterator]();
    const reading = {
      site: this.#site,
      name: "asset.bytes",
      signal: this.#signal,
      aborted: (signal: AbortSignal) => this.#aborted(signal),
    };
    let ended = false;
    try {
      for (;;) {
        const piece = await nextPiece(pieces, reading);
        ended = piece === undefined;
        if (piece === undefined) break;
        await this.#take(piece);
        await this.#turns.breathe();
        this.#throwIfAborted();
      }
      if (this.#incoming === undefined) {
        const bytes = this.#joined();
        return { contentHash: assetContentHash(bytes), byteLength: bytes.byteLength, bytes };
      }
      const held = await this.#incoming.end();
      return { contentHash: held.contentHash, byteLength: held.byteLength, held };
    } catch (error) {
      // A stream that hangs in its last read ends when that does: nobody can be told how.
      if (!ended) Promise.resolve(pieces.return?.()).catch(() => undefined);
      await this.#incoming?.abort();
      throw error;
    }
  }

  async #take(piece: Uint8Array): Promise<void> {
    this.#size += piece.byteLength;
    if (this.#incoming !== undefined) return this.#incoming.write(piece);
    if (this.#external !== undefined && this.#size > LARGEST_INLINE_BYTES) {
      this.#incoming = await this.#external.receive();
      for (const earlier of this.#small) await this.#incoming.write(earlier);
      this.#small = [];
      return this.#incoming.write(piece);
    }
    if (this.#size > MAX_ASSET_BYTES) {
      const message = `asset.bytes has more than ${MAX_ASSET_BYTES} bytes, the most that a store without a blob store beside its database takes`;
      throw refusal(this.#site, message);
    }
    // Who hands them out may use the buffer again.
    this.#small.push(new Uint8Array(piece));
  }

  #joined(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#small) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  }

  #throwIfAborted(): void {
    if (this.#signal?.aborted === true) throw this.#aborted(this.#signal);
  }

  #aborted(signal: AbortSignal): StorageError {
    return new StorageError("ABORTED", "the put was cancelled", { ...this.#site, cause: signal.reason });
  }
}
