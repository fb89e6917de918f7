/** A whole store as a stream of bytes: where an import takes it from. */
export type ArchiveSource = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> | Blob;

/** How far an export or an import is. */
export interface ArchiveProgress {
  /** `copy`: the database is copied aside. `transfer`: the archive is handed out, or read. `write`: an import writes what it read;
   *  until its end nothing of it is seen. */
  phase: "copy" | "transfer" | "write";
  /** Bytes of the archive while it is transferred, rows while they are written. */
  done: number;
  /** `null` while it is not known. */
  total: number | null;
  elapsedMs: number;
}

/** Options of an export and of an import. */
export interface ArchiveOptions {
  signal?: AbortSignal;
  /** Called at most ten times a second, and when a phase begins and ends. What it throws ends the export or the import. */
  onProgress?: (progress: ArchiveProgress) => void;
}

/** What an import did. */
export interface ArchiveImportReport {
  documents: number;
  chunks: number;
  /** Vectors that were carried over. */
  embeddings: number;
  /** Embeddings whose vector could not be carried over: it was not in the archive, or this store keeps no vectors. The next run of the
   *  embedder makes them anew. */
  missing: number;
  /** Bytes of the archive. */
  bytes: number;
  elapsedMs: number;
  /** Names of the migrations that the archive's database needed. */
  migrations: string[];
  /** What wrote the archive. */
  from: ArchiveOrigin;
}

/** What an archive says of the store it was made from. */
export interface ArchiveOrigin {
  /** ISO 8601. */
  createdAt: string;
  /** Version of Lodestore. */
  packageVersion: string;
  schemaVersion: number;
  /** Driver that kept the vectors, `null` without one. */
  vectorEngine: string | null;
}
