/** Bytes that were taken in, addressed by their content; several documents may share one. */
export interface Asset {
  /** Id over the content hash (contract: kind `asset`). */
  id: string;
  /** blake3 of the bytes, 64 hex digits. */
  contentHash: string;
  byteLength: number;
  /** Media type without parameters, as it was first put: `text/markdown`. */
  mediaType: string;
  createdAt: number;
}

/** Bytes of an asset as they are handed in: whole, or as a stream whose length nobody needs to know. */
export type AssetSource = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** An asset whose bytes were put. */
export interface PutAsset extends Asset {
  /** Whether the store had these bytes already: nothing more is stored. */
  deduplicated: boolean;
}

/** Options of reading an asset whole. */
export interface AssetReadOptions {
  /** Whether the bytes are compared with the asset's hash; false by default. */
  verify?: boolean;
}

/** Options of reading an asset as a stream. */
export interface AssetStreamOptions {
  /** First byte, from 0; 0 by default. */
  start?: number;
  /** The byte after the last one, at least `start`; by default, and where it is greater, the end of the asset. */
  end?: number;
  /** Whether the bytes are compared with the asset's hash, which takes all of them; the last piece is handed out when they are found
   *  right. False by default. */
  verify?: boolean;
  /** Ends the stream with ABORTED before its next piece. */
  signal?: AbortSignal;
}

/** Options of a sweep of bytes. */
export interface AssetSweepOptions {
  /** Only says what would be deleted. */
  dryRun?: boolean;
  /** Most blobs that are deleted, 1 to 1,000,000; 100,000 by default. */
  maxDelete?: number;
  /** Ends the sweep with ABORTED after the blob at hand; what is deleted stays so. */
  signal?: AbortSignal;
}

/** What a sweep of bytes did, or with `dryRun` would do. */
export interface AssetSweepReport {
  dryRun: boolean;
  /** Blobs that were looked at, in the database and beside it. */
  examined: number;
  /** Blobs that no asset had, and that nobody was putting. */
  deleted: number;
  deletedBytes: number;
  /** Whether `maxDelete`, or an export that was under way, ended it before its end. */
  more: boolean;
}

/** Where the bytes of assets are, and what sharing them spares. */
export interface AssetStorage {
  /** Bytes of all documents, each with all of its own. */
  logicalBytes: number;
  /** Bytes of the assets that documents have, each counted once. */
  distinctBytes: number;
  /** What documents with equal bytes need not store: `logicalBytes` less `distinctBytes`. */
  deduplicatedBytes: number;
  /** Assets in the database, and their bytes. */
  inDatabase: { assets: number; bytes: number };
  /** Assets in the blob store beside it, and their bytes. */
  external: { assets: number; bytes: number; driver: string | null };
  /** Assets of which only the hash is known. */
  referenced: { assets: number; bytes: number };
}
