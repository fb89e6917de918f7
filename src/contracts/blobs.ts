import type { SqlExecutor } from "./sql.ts";

/** What a blob driver declares of itself. */
export interface BlobCapabilities {
  /** Driver name: `blobs-sql`, `blobs-memory`, `blobs-fs`, `blobs-opfs`. */
  driver: string;
  persistent: boolean;
  /** Whether a put inside a SQL transaction of the same database is undone with it. */
  transactional: boolean;
  /** Largest blob it takes, in bytes. */
  maxBlobBytes: number;
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

/** A blob store in the same SQL database as the store's tables: what it writes inside a transaction is undone with it. */
export interface TransactionalBlobStore extends BlobStore {
  /** Returns the same blobs, read and written through a running transaction or savepoint. */
  over(executor: SqlExecutor): TransactionalBlobStore;
}
