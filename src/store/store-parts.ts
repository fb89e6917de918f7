import type { StreamingBlobStore, TransactionalBlobStore } from "../contracts/blobs.ts";
import type { Embedder } from "../contracts/embedder.ts";
import type { RoomReserve } from "../contracts/room-reserve.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import type { StoreStorage } from "../contracts/upkeep.ts";
import type { SearchActivity } from "../turns.ts";
import type { AllowedChunks } from "./allowed-chunks.ts";
import type { StorageStyle } from "./compression/storage-style.ts";
import type { OpenVectors } from "./embeddings/adopt-vectors.ts";
import type { AnyVectorStore } from "./embeddings/vector-side.ts";
import type { SearchCall } from "./evaluation/rank-query.ts";
import type { SearchCache } from "./search/search-cache.ts";
import type { SpareRoom } from "./upkeep/spare-room.ts";

/** What a store is made of. */
export interface StoreParts {
  db: SqlDatabase;
  /** Keeps asset bytes. */
  blobs: TransactionalBlobStore;
  /** Keeps large ones, beside the database. Without one all are in `blobs`. */
  assets?: StreamingBlobStore;
  /** Keeps the vectors of chunks. Without one the store finds by words only. */
  vectors?: AnyVectorStore;
  /** Opens what kept the vectors of this store until now, where that is something else than `vectors`. */
  vectorsBefore?: OpenVectors;
  /** Why `vectors` is not what was preferred. */
  vectorsFallback?: string;
  /** Makes the vectors. Without one they are the caller's to put. */
  embedder?: Embedder;
  /** Whether embeddings that are missing when the store opens are made in the background; true by default. */
  embedOnOpen?: boolean;
  /** Says which chunks a filter allows; the vector store's, where it asks too. */
  filters?: AllowedChunks;
  /** Keeps answers of searches in `db`; one of the default size where it is absent. */
  searchCache?: SearchCache;
  /** Told of every search; the vector store's, where it works in the background. */
  activity?: SearchActivity;
  /** Whether `db` is open for reading only. What would have to be brought up to date is refused then, and nothing is embedded. */
  readOnly?: boolean;
  /** Knows how much room there is. Without one nobody does. */
  storage?: StoreStorage;
  /** Sets room aside, so that a full store can be tidied. Without one a full disk lets nothing be written. */
  reserve?: RoomReserve;
  /** How bytes and rows of documents are written from now on; `compact` by default. Both are read. */
  storageStyle?: StorageStyle;
  /** Answers the searches of evaluations, where another thread does better: this one may not keep the indexes. */
  searchElsewhere?: SearchCall;
  /** What keeps others from writing; let go when all else is closed. */
  lock?: { release(): void };
  /** Aborted shortly before the store is closed, while the calls at hand are waited for: ends what may hang for ever. */
  closing?: AbortSignal;
  /** Gives up opening; has no effect once the store is open. */
  signal?: AbortSignal;
}

/** What a store works with: its database tells of a full disk, and gives up what was set aside. */
export interface RoomAwareParts extends StoreParts {
  storage: StoreStorage;
  spare: SpareRoom;
}

/** The vector store writes its last to the database, so the database is the last to close, whatever else fails. */
export async function closeParts({ db, vectors, embedder, lock }: StoreParts): Promise<void> {
  try {
    await embedder?.close?.();
  } finally {
    try {
      await vectors?.close();
    } finally {
      try {
        await db.close();
      } finally {
        lock?.release();
      }
    }
  }
}
