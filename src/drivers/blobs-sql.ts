import type { BlobCapabilities, TransactionalBlobStore } from "../contracts/blobs.ts";
import { requireBlobBytes, requireBlobKey, requireBlobPrefix } from "../contracts/check-blobs.ts";
import type { SqlExecutor } from "../contracts/sql.ts";
import { StorageError } from "../errors.ts";

/** SQLite takes 1,000,000,000 bytes a value; half of it leaves a WebAssembly heap room for the copies on the way. */
const MAX_BLOB_BYTES: number = 512 * 1024 * 1024;

interface BlobRow {
  byte_length: number;
  bytes: Uint8Array;
}

/** Blobs in the `blobs` table of a SQL database: written, undone and copied with everything else in it. */
export class SqlBlobStore implements TransactionalBlobStore {
  readonly #db: SqlExecutor;
  readonly #persistent: boolean;

  /** @param db A migrated database, or a transaction on one; the caller closes it.
   *  @param options `persistent`: what the database declares of itself; false by default. */
  constructor(db: SqlExecutor, options: { persistent?: boolean } = {}) {
    this.#db = db;
    this.#persistent = options.persistent ?? false;
  }

  over(executor: SqlExecutor): SqlBlobStore {
    return new SqlBlobStore(executor, { persistent: this.#persistent });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const site = { capability: "blobs", operation: "put" } as const;
    requireBlobKey(site, key);
    requireBlobBytes(site, bytes, MAX_BLOB_BYTES);
    await this.#db.run(
      `INSERT INTO blobs (blob_key, byte_length, bytes) VALUES ($1, $2, $3)
       ON CONFLICT (blob_key) DO UPDATE SET byte_length = excluded.byte_length, bytes = excluded.bytes`,
      [key, bytes.byteLength, bytes],
    );
  }

  async get(key: string): Promise<Uint8Array> {
    requireBlobKey({ capability: "blobs", operation: "get" }, key);
    const row = await this.#db.get<BlobRow>("SELECT byte_length, bytes FROM blobs WHERE blob_key = $1", [key]);
    if (row === undefined) throw failure("NOT_FOUND", `there is no blob "${key}"`);
    if (!(row.bytes instanceof Uint8Array) || row.bytes.byteLength !== row.byte_length) {
      throw failure("CORRUPT", `blob "${key}" is not the ${row.byte_length} bytes it was put with`);
    }
    return row.bytes;
  }

  async has(key: string): Promise<boolean> {
    requireBlobKey({ capability: "blobs", operation: "has" }, key);
    return (await this.#db.get("SELECT 1 AS found FROM blobs WHERE blob_key = $1", [key])) !== undefined;
  }

  async delete(key: string): Promise<void> {
    requireBlobKey({ capability: "blobs", operation: "delete" }, key);
    await this.#db.run("DELETE FROM blobs WHERE blob_key = $1", [key]);
  }

  async list(prefix: string): Promise<string[]> {
    requireBlobPrefix({ capability: "blobs", operation: "list" }, prefix);
    // "~" is greater than every character of a key; keys are ASCII, so byte order is code-unit order.
    const rows = await this.#db.all<{ blob_key: string }>(
      "SELECT blob_key FROM blobs WHERE blob_key >= $1 AND blob_key < $2 ORDER BY blob_key",
      [prefix, `${prefix}~`],
    );
    return rows.map((row) => row.blob_key);
  }

  async capabilities(): Promise<BlobCapabilities> {
    return {
      driver: "blobs-sql",
      persistent: this.#persistent,
      transactional: true,
      maxBlobBytes: MAX_BLOB_BYTES,
      // SQLite reads and writes a value as a whole.
      streaming: false,
      maxStreamBytes: 0,
    };
  }
}

function failure(code: "NOT_FOUND" | "CORRUPT", message: string): StorageError {
  return new StorageError(code, message, { capability: "blobs", operation: "get" });
}
