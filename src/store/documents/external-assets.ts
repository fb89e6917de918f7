import type { StreamingBlobStore } from "../../contracts/blobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import { ASSET_PREFIX, externalKey } from "./external-key.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { KeyTurns } from "./key-turns.ts";
import { IncomingBytes } from "./incoming-bytes.ts";

/**
 * The bytes of assets beside the database, under the name of their hash.
 *
 * Bytes are deleted only here, one hash at a time, in three steps that nothing else with this hash comes between: nobody holds them, no
 * committed row names them, delete. Who puts bytes holds them from before he looks whether they are there until his row is committed; so a
 * deletion either sees that they are held, or is over before he looks, and he writes them anew. Rows are committed after their bytes are
 * there, and bytes deleted after their row is gone: a crash in between leaves bytes without a row, which a sweep finds, never a row without
 * bytes. One program at a time writes a store, so what is held is known here.
 */
export class ExternalAssets {
  readonly blobs: StreamingBlobStore;
  readonly #db: SqlExecutor;
  readonly #readOnly: boolean;
  readonly #turns = new KeyTurns();
  /** How many hold the bytes of a hash. */
  readonly #holders = new Map<string, number>();
  /** Hashes whose row may be gone. */
  readonly #released = new Set<string>();
  #pins = 0;

  /** @param db The database itself, not a transaction: what it says is committed. */
  constructor(db: SqlExecutor, blobs: StreamingBlobStore, options: { readOnly?: boolean } = {}) {
    this.#db = db;
    this.blobs = blobs;
    this.#readOnly = options.readOnly ?? false;
  }

  /** Begins to take bytes in whose hash is not known yet. Not in a transaction: this waits for those who wait for the database. */
  async receive(): Promise<IncomingBytes> {
    if (this.#readOnly) throw readOnly("putAssetWithBytes");
    return new IncomingBytes(await this.blobs.createWriter(), (hash, size, writer) =>
      this.#settle(hash, size, {
        place: () => writer.commit(externalKey(hash)),
        drop: () => writer.abort(),
      }),
    );
  }

  /** Takes bytes in whose hash is known. Not in a transaction. */
  keep(contentHash: string, bytes: Uint8Array): Promise<HeldBytes> {
    if (this.#readOnly) return Promise.reject(readOnly("putWhole"));
    return this.#settle(contentHash, bytes.byteLength, {
      place: async () => void (await this.blobs.putStream(externalKey(contentHash), inPieces(bytes))),
      drop: async () => {},
    });
  }

  has(contentHash: string): Promise<boolean> {
    return this.blobs.has(externalKey(contentHash));
  }

  /** Whether the bytes are there, as many as there are to be: of another length they are damaged, and written anew by who puts them. */
  async isWhole(contentHash: string, byteLength: number): Promise<boolean> {
    return (await this.blobs.sizeOf(externalKey(contentHash))) === byteLength;
  }

  /** Bytes of all assets that are here, whether or not a row names them. */
  async sizeBytes(): Promise<number> {
    let sum = 0;
    for (const key of await this.blobs.list(ASSET_PREFIX)) sum += (await this.blobs.sizeOf(key)) ?? 0;
    return sum;
  }

  isHeld(contentHash: string): boolean {
    return this.#holders.has(contentHash);
  }

  /** Notes that a row was deleted, or will be when a transaction commits. */
  release(contentHash: string): void {
    this.#released.add(contentHash);
  }

  /** Deletes what was released and no row names. Not in a transaction. That it fails is no harm to who released it: a sweep finds what is
   *  left. */
  async collect(): Promise<void> {
    if (this.#readOnly || this.#pins > 0) return;
    const due = [...this.#released];
    this.#released.clear();
    for (const hash of due) {
      try {
        await this.deleteUnneeded(hash);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  /** Keeps all bytes where they are until what it returns is called: for who reads them by rows that may be gone by then. */
  pin(): () => Promise<void> {
    this.#pins++;
    let over = false;
    return async () => {
      if (over) return;
      over = true;
      this.#pins--;
      await this.collect();
    };
  }

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** Deletes the bytes, unless somebody holds them or a committed row names them. @returns whether it did.
   *  @throws StorageError UNSUPPORTED (only read here: who writes may hold them) */
  async deleteUnneeded(contentHash: string): Promise<boolean> {
    if (this.#readOnly) throw readOnly("sweepBlobs");
    return this.#turns.run(contentHash, async () => {
      if (this.#pins > 0) {
        this.#released.add(contentHash);
        return false;
      }
      if (this.#holders.has(contentHash) || (await this.isNamed(contentHash))) return false;
      // Who took hold of them meanwhile waits for his turn, and then finds them gone.
      await this.blobs.delete(externalKey(contentHash));
      return true;
    });
  }

  /** Whether a committed row says that the bytes are here. */
  async isNamed(contentHash: string): Promise<boolean> {
    const sql = "SELECT 1 AS found FROM assets WHERE content_hash = $1 AND blob_store = 'external'";
    return (await this.#db.get(sql, [contentHash])) !== undefined;
  }

  async #settle(
    contentHash: string,
    byteLength: number,
    { place, drop }: { place: () => Promise<void>; drop: () => Promise<void> },
  ): Promise<HeldBytes> {
    this.#holders.set(contentHash, (this.#holders.get(contentHash) ?? 0) + 1);
    try {
      const found = await this.#turns.run(contentHash, async () => {
        const found = await this.isWhole(contentHash, byteLength);
        await (found ? drop() : place());
        return found;
      });
      return { contentHash, byteLength, found, letGo: () => this.#letGo(contentHash) };
    } catch (error) {
      await this.#letGo(contentHash);
      throw error;
    }
  }

  async #letGo(contentHash: string): Promise<void> {
    const left = (this.#holders.get(contentHash) ?? 1) - 1;
    if (left > 0) this.#holders.set(contentHash, left);
    else this.#holders.delete(contentHash);
    this.#released.add(contentHash);
    await this.collect();
  }
}

/** Pieces that are small enough for others to have their turn in between. */
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  const turns = new TurnTaker();
  for (let at = 0; at < bytes.byteLength; at += PIECE) {
    yield bytes.subarray(at, at + PIECE);
    await turns.breathe();
  }
}

const PIECE: number = 1024 * 1024;

function readOnly(operation: string): StorageError {
  const message = `${operation} writes, and the store was opened for reading only`;
  return new StorageError("UNSUPPORTED", message, { capability: "documents", operation });
}
