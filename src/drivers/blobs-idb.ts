import {
  createStore,
  del,
  delMany,
  get,
  getMany,
  keys,
  promisifyRequest,
  set,
  update,
  type UseStore,
} from "idb-keyval";
import type { BlobCapabilities, BlobReadOptions, BlobWriter, StreamingBlobStore } from "../contracts/blobs.ts";
import { checkBlobRead, requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import { requireMatch, requireObject } from "../contracts/validate.ts";
import { StorageError } from "../errors.ts";
import { type AsideFile, AsideWriter } from "./blobs/aside-writer.ts";
import { putStream } from "./blobs/put-stream.ts";
import { cutOff, noBlob, PIECE_BYTES, readPieces } from "./blobs/read-pieces.ts";
import { inStorage } from "./blobs/in-storage.ts";

const MAX_BLOB_BYTES: number = 2 ** 31 - 1;
const MAX_STREAM_BYTES: number = 2 ** 43;
/** Names of IndexedDB databases that hold blobs begin like this. */
const DATABASE = "lodestore-blobs-";
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** What stands under the key of a blob: its bytes are in pieces of 1 MiB under keys of their own. */
interface BlobRecord {
  pieces: string;
  sizeBytes: number;
}

/** Key of a record, and of a piece: IndexedDB sorts lists by their entries. */
type RecordKey = ["blob", string];
type PieceKey = ["piece", string, number];

/**
 * Opens blobs in an IndexedDB database of this origin, made when absent: files of a program's own, archives of a store among them, also where
 * there is no origin private file system, and in service workers. A store keeps its own elsewhere.
 *
 * What a crash left half-written is removed. One program at a time has them open: an opening beside another removes what that is writing.
 * @param options.name 1 to 64 of `A–Z a–z 0–9 . _ -`.
 * @throws StorageError UNSUPPORTED (no IndexedDB), INVALID_INPUT (name), DRIVER
 * @example
 *   const files = await openIdbBlobs({ name: "backups" });
 *   await files.putStream("notes.tar", store.export());
 *   await store.import(files.getStream("notes.tar"));
 */
export async function openIdbBlobs(options: { name: string }): Promise<StreamingBlobStore> {
  const database = databaseOf("open", options);
  const use = createStore(database, "blobs");
  const store = new IdbBlobStore(use);
  await attempt("open", database, async () => {
    await giveWay(use);
    await sweep(use);
  });
  return store;
}

/**
 * Deletes the blobs of this name with their database. Deleting what is not there is no error; whoever has them open finds them gone, with
 * DRIVER.
 *
 * @param options.name 1 to 64 of `A–Z a–z 0–9 . _ -`.
 * @throws StorageError UNSUPPORTED (no IndexedDB), INVALID_INPUT (name), DRIVER
 */
export async function deleteIdbBlobs(options: { name: string }): Promise<void> {
  const database = databaseOf("delete", options);
  await attempt("delete", database, () => promisifyRequest(indexedDB.deleteDatabase(database)));
}

function databaseOf(operation: string, options: unknown): string {
  const site = { capability: "blobs", operation } as const;
  const { name } = requireObject(site, "options", options, ["name"]);
  const checked = requireMatch(site, "name", name, NAME, "1 to 64 of A–Z a–z 0–9 . _ -");
  if (globalThis.indexedDB === undefined) throw new StorageError("UNSUPPORTED", "there is no IndexedDB here", site);
  return `${DATABASE}${checked}`;
}

/** Closes the database when it is to be deleted: an open one would keep the deletion waiting for as long as its page is there. */
async function giveWay(use: UseStore): Promise<void> {
  await use("readonly", async ({ transaction: { db } }) => {
    db.addEventListener("versionchange", () => db.close());
  });
}

/** Blobs in IndexedDB: pieces, and a record that makes them a blob and is written last. */
class IdbBlobStore implements StreamingBlobStore {
  readonly #use: UseStore;

  constructor(use: UseStore) {
    this.#use = use;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    requireBlobKey(site, key);
    const content = requireBlobBytes(site, bytes, MAX_BLOB_BYTES);
    const aside = new PiecesAside(this.#use);
    try {
      await aside.append(content);
      await aside.become(key, bytes.byteLength);
    } catch (error) {
      await aside.drop();
      throw error;
    }
  }

  async get(key: string): Promise<Uint8Array> {
    requireBlobKey({ capability: "blobs", operation: "get" }, key);
    for (;;) {
      const record = await this.#record("get", key);
      if (record === undefined) throw noBlob("get", key);
      try {
        return await this.#whole(key, record);
      } catch (error) {
        // Replaced or deleted between two pieces is no damage.
        if ((await this.#record("get", key))?.pieces === record.pieces) throw error;
      }
    }
  }

  async #whole(key: string, record: BlobRecord): Promise<Uint8Array> {
    if (record.sizeBytes > MAX_BLOB_BYTES) {
      const message = `the blob "${key}" has ${record.sizeBytes} bytes, more than are read at once; read it as a stream`;
      throw new StorageError("UNSUPPORTED", message, { capability: "blobs", operation: "get" });
    }
    const whole = new Uint8Array(record.sizeBytes);
    let at = 0;
    const all = { start: 0, end: Number.POSITIVE_INFINITY, signal: undefined };
    for await (const piece of this.#pieces(key, record, all)) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  }

  async has(key: string): Promise<boolean> {
    requireBlobKey({ capability: "blobs", operation: "has" }, key);
    return (await this.#record("has", key)) !== undefined;
  }

  async delete(key: string): Promise<void> {
    requireBlobKey({ capability: "blobs", operation: "delete" }, key);
    const record = await this.#record("delete", key);
    if (record === undefined) return;
    await attempt("delete", key, async () => {
      await del(recordKey(key), this.#use);
      await delMany(pieceKeys(record), this.#use);
    });
  }

  async list(prefix: string): Promise<string[]> {
    requireBlobPrefix({ capability: "blobs", operation: "list" }, prefix);
    const found = await attempt("list", prefix, () => recordKeys(this.#use));
    return found.filter((key) => key.startsWith(prefix)).sort();
  }

  async createWriter(): Promise<BlobWriter> {
    return new AsideWriter(new PiecesAside(this.#use), MAX_STREAM_BYTES);
  }

  putStream(key: string, bytes: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<number> {
    return putStream(() => this.createWriter(), key, bytes, options);
  }

  async *getStream(key: string, options: BlobReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const site = { capability: "blobs", operation: "getStream" } as const;
    requireBlobKey(site, key);
    const range = checkBlobRead(site, options);
    const record = await this.#record("getStream", key);
    if (record === undefined) throw noBlob("getStream", key);
    yield* this.#pieces(key, record, range);
  }

  async sizeOf(key: string): Promise<number | undefined> {
    requireBlobKey({ capability: "blobs", operation: "sizeOf" }, key);
    return (await this.#record("sizeOf", key))?.sizeBytes;
  }

  async capabilities(): Promise<BlobCapabilities> {
    return {
      driver: "blobs-idb",
      persistent: true,
      transactional: false,
      maxBlobBytes: MAX_BLOB_BYTES,
      streaming: true,
      maxStreamBytes: MAX_STREAM_BYTES,
    };
  }

  #record(operation: string, key: string): Promise<BlobRecord | undefined> {
    return attempt(operation, key, () => get<BlobRecord>(recordKey(key), this.#use));
  }

  #pieces(
    key: string,
    { pieces, sizeBytes }: BlobRecord,
    range: Parameters<typeof readPieces>[0],
  ): AsyncGenerator<Uint8Array, void, undefined> {
    return readPieces(range, sizeBytes, (at, length) =>
      attempt("getStream", key, async () => {
        const first = Math.floor(at / PIECE_BYTES);
        const last = Math.floor((at + length - 1) / PIECE_BYTES);
        const wanted = last === first ? [first] : [first, last];
        const found = await getMany<Uint8Array>(
          wanted.map((number) => pieceKey(pieces, number)),
          this.#use,
        );
        const bytes = new Uint8Array(length);
        let filled = 0;
        for (const [index, piece] of found.entries()) {
          const from = index === 0 ? at - first * PIECE_BYTES : 0;
          const part = piece?.subarray(from, from + length - filled) ?? new Uint8Array();
          bytes.set(part, filled);
          filled += part.byteLength;
        }
        if (filled < length) throw cutOff(key, length - filled);
        return bytes;
      }),
    );
  }
}

/** Pieces that no record names yet. */
class PiecesAside implements AsideFile {
  readonly #use: UseStore;
  readonly #id = crypto.randomUUID();
  /** The piece that is being filled, and how far. */
  #piece = new Uint8Array(PIECE_BYTES);
  #filled = 0;
  #written = 0;

  constructor(use: UseStore) {
    this.#use = use;
    livePieces.add(this.#id);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === PIECE_BYTES) await this.#write();
    }
  }

  async become(key: string, sizeBytes: number): Promise<void> {
    if (this.#filled > 0) await this.#write();
    await attempt("commit", key, async () => {
      let before: BlobRecord | undefined;
      const exchange = (found: BlobRecord | undefined): BlobRecord => {
        before = found;
        return { pieces: this.#id, sizeBytes };
      };
      await update<BlobRecord>(recordKey(key), exchange, this.#use);
      livePieces.delete(this.#id);
      if (before !== undefined) await delMany(pieceKeys(before), this.#use);
    });
  }

  async drop(): Promise<void> {
    livePieces.delete(this.#id);
    await attempt("abort", this.#id, () =>
      delMany(pieceKeys({ pieces: this.#id, sizeBytes: this.#written * PIECE_BYTES }), this.#use),
    );
  }

  async #write(): Promise<void> {
    await attempt("write", this.#id, () =>
      set(pieceKey(this.#id, this.#written), this.#piece.subarray(0, this.#filled).slice(), this.#use),
    );
    this.#written++;
    this.#filled = 0;
  }
}

/** Pieces that are being written by this program: an opening beside it leaves them. */
const livePieces = new Set<string>();

/** Removes pieces that no record names. */
async function sweep(use: UseStore): Promise<void> {
  const named = new Set(livePieces);
  for (const key of await recordKeys(use)) {
    const record = await get<BlobRecord>(recordKey(key), use);
    if (record !== undefined) named.add(record.pieces);
  }
  const all = await keys<RecordKey | PieceKey>(use);
  await delMany(
    all.filter((key) => key[0] === "piece" && !named.has(key[1])),
    use,
  );
}

async function recordKeys(use: UseStore): Promise<string[]> {
  const range = IDBKeyRange.bound(["blob"], ["blob", []]);
  const found = await use("readonly", (store) => promisifyRequest(store.getAllKeys(range)));
  return (found as RecordKey[]).map(([, key]) => key);
}

function recordKey(key: string): RecordKey {
  return ["blob", key];
}

function pieceKey(pieces: string, number: number): PieceKey {
  return ["piece", pieces, number];
}

function pieceKeys({ pieces, sizeBytes }: BlobRecord): PieceKey[] {
  return Array.from({ length: Math.ceil(sizeBytes / PIECE_BYTES) }, (_, number) => pieceKey(pieces, number));
}

function attempt<T>(operation: string, what: string, work: () => Promise<T>): Promise<T> {
  return inStorage("IndexedDB", operation, what, work);
}
