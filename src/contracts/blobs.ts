import type { SqlExecutor } from "./sql.ts";

/** What a blob driver declares of itself. */
export interface BlobCapabilities {
  /** Driver name: `blobs-sql`, `blobs-memory`, `blobs-fs`, `blobs-opfs`, `blobs-idb`. */
  driver: string;
  persistent: boolean;
  /** Whether a put inside a SQL transaction of the same database is undone with it. */
  transactional: boolean;
  /** Largest blob it takes, or hands out, as a whole, in bytes. */
  maxBlobBytes: number;
  /** Whether it is a {@link StreamingBlobStore}. */
  streaming: boolean;
  /** Largest blob it takes as a stream, in bytes; 0 where it takes none. */
  maxStreamBytes: number;
}

/** Named byte objects. Keys are 1 to 512 characters of `A–Z a–z 0–9 . _ - /`, with no empty, `.` or `..` segment.
 *  An object is whole or absent: a reader never sees half a put. */
export interface BlobStore {
  /** Stores `bytes` under `key`, replacing what was there.
   *  @throws StorageError INVALID_INPUT (key, size), QUOTA_EXCEEDED, DRIVER, CLOSED */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Returns a copy of the bytes.
   *  @throws StorageError NOT_FOUND, CORRUPT, DRIVER, CLOSED */
  get(key: string): Promise<Uint8Array>;
  has(key: string): Promise<boolean>;
  /** Deletes the object; deleting what is absent is no error. */
  delete(key: string): Promise<void>;
  /** Returns the keys that start with `prefix`, sorted by code unit. */
  list(prefix: string): Promise<string[]>;
  capabilities(): Promise<BlobCapabilities>;
}

/** Which bytes of a blob, and how they are read. */
export interface BlobReadOptions {
  /** First byte, from 0; 0 by default. */
  start?: number;
  /** The byte after the last one, at least `start`; by default, and where it is greater, the end of the blob. */
  end?: number;
  /** Ends the stream with ABORTED before its next piece. */
  signal?: AbortSignal;
}

/** A blob that is written aside, piece by piece. Until `commit` nobody sees it; a process that ends before leaves nothing but a file
 *  aside, which the next opening removes. One call at a time. */
export interface BlobWriter {
  /** Appends a copy of the bytes. Whoever waits for it has no more in memory than they give: that is the backpressure.
   *  @throws StorageError INVALID_INPUT (no bytes, too many), QUOTA_EXCEEDED, DRIVER, TRANSACTION (committed or aborted) */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written the blob of this key, replacing what was there. Durable when it resolves, where the store is persistent.
   *  @throws StorageError INVALID_INPUT (key), QUOTA_EXCEEDED, DRIVER, TRANSACTION (committed or aborted) */
  commit(key: string): Promise<void>;
  /** Drops what was written. Nothing happens after a commit, or twice. */
  abort(): Promise<void>;
}

/** A blob store that takes and hands out blobs in pieces, so that no more than a few of them are in memory. */
export interface StreamingBlobStore extends BlobStore {
  /** Begins a blob whose key may be known only when its last byte is. */
  createWriter(): Promise<BlobWriter>;
  /** Stores what the stream hands out under `key`: whole, or not at all. A piece is asked for when the one before it is written.
   *  @param options `signal` ends it with ABORTED, a stream that hangs is not waited for.
   *  @returns how many bytes there were.
   *  @throws StorageError INVALID_INPUT (key, a piece that is no bytes, too many), ABORTED, QUOTA_EXCEEDED, DRIVER, CLOSED, and what the
   *  stream throws, as the cause of DRIVER */
  putStream(key: string, bytes: AsyncIterable<Uint8Array>, options?: { signal?: AbortSignal }): Promise<number>;
  /** Hands out the blob in pieces of at most 1 MiB, each read when it is asked for. A blob that is replaced or deleted meanwhile is handed
   *  out as it was, or the stream throws.
   *  @throws StorageError INVALID_INPUT, NOT_FOUND, ABORTED, CORRUPT, DRIVER, CLOSED: all of them when the first piece is asked for */
  getStream(key: string, options?: BlobReadOptions): AsyncIterableIterator<Uint8Array>;
  /** Returns the length in bytes, `undefined` where there is none. */
  sizeOf(key: string): Promise<number | undefined>;
}

/** A blob store in the same SQL database as the store's tables: what it writes inside a transaction is undone with it. */
export interface TransactionalBlobStore extends BlobStore {
  /** Returns the same blobs, read and written through a running transaction or savepoint. */
  over(executor: SqlExecutor): TransactionalBlobStore;
}
