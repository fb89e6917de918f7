/** Bytes of one table or index of the database. */
export interface StoredObject {
  name: string;
  /** `index`: keeps a table sorted. `fulltext`: one of the tables in which the text index, or the one over chat, keeps its lists. `vectors`:
   *  a table of vectors. */
  kind: "table" | "index" | "fulltext" | "vectors";
  /** Rows of a table, null of an index. */
  rows: number | null;
  /** Bytes of its pages, what is unused of them included; null where the engine cannot tell. */
  bytes: number | null;
}

/** How a text index is. */
export interface TextIndexHealth {
  name: "chunks_fts" | "chat_turns_fts";
  /** Version of the terms it was made by; null where none is remembered. */
  termsVersion: string | null;
  /** What it holds, and what it should hold: chunks, or turns. */
  indexed: number;
  expected: number;
  /** Segments: searches read all of them, an ingest of many documents ends by merging them. */
  segments: number;
  /** Whether it holds each of them and no others. */
  inStep: boolean;
}

/** Where the bytes of the database are. */
export interface StoreSizes {
  /** Every table and index, largest first. */
  objects: StoredObject[];
  /** How the text indexes are; how vector indexes are tells `embeddings.examine`. */
  textIndexes: TextIndexHealth[];
  /** Bytes that the engine itself takes for its bookkeeping: lists of free pages, and pages that say who points to a page. */
  otherBytes: number | null;
  /** Whether the engine tells bytes by table. */
  measured: boolean;
}

export interface StatsOptions {
  /** Also tells the bytes of every table and index, which reads the whole file; false by default. */
  sizes?: boolean;
}

/** How much room there is for a store, as far as the platform tells. */
export interface RoomEstimate {
  /** Bytes of the store's files, journals and snapshots included. */
  storeBytes: number;
  /** Bytes in use: of the site in a browser, of the file system on Node. Null where nobody tells. */
  usageBytes: number | null;
  /** Most bytes that there may be in use: the browser's quota of the site, the size of the file system. */
  quotaBytes: number | null;
  /** Bytes that may still be written. A browser rounds, and may promise more than its quota allows, as Chromium does. */
  availableBytes: number | null;
  /** Whether the platform keeps the store until somebody deletes it. A browser that has not been asked, or said no, may delete it
   *  when room is scarce. */
  persisted: boolean;
}

/** What came of asking the platform to keep a store. */
export interface PersistReport {
  granted: boolean;
  /** Why not, for people; null where it was granted. */
  reason: string | null;
}

/** The room that a store lives in. */
export interface StoreStorage {
  /** Tells how much room is used and left. On Node it looks at every file of the store's folder.
   *  @throws StorageError CLOSED, DRIVER */
  estimate(): Promise<RoomEstimate>;
  /** Asks the browser to keep everything of this site until the user deletes it. Some browsers ask the user, others decide by how the
   *  site is used; to be called on a click. Where files stay anyway (Node) it is granted, where nothing stays (memory) it is not.
   *  @throws StorageError CLOSED, DRIVER */
  persist(): Promise<PersistReport>;
}

export interface VacuumOptions {
  /** Most bytes to give back; all by default. The last step may give back less than a page more. */
  maxBytes?: number;
  /** Milliseconds after which no further step is begun; without an end by default. A step takes some milliseconds. */
  maxMs?: number;
  /** Ends between two steps. The promise rejects with ABORTED; what is given back is given back. */
  signal?: AbortSignal;
  /** Called before the first step, after each, and at the end. What it throws ends the work. */
  onProgress?: (progress: VacuumProgress) => void;
}

export interface VacuumProgress {
  /** `merge`: what was deleted goes out of the text index. `release`: free pages go back to the file system. */
  phase: "merge" | "release";
  /** Bytes given back so far. */
  freedBytes: number;
  /** Free bytes that are still in the file. */
  leftBytes: number;
}

/** What a vacuum did. */
export interface VacuumReport {
  /** `incremental`: step by step, what is at the end of the file moved into free pages. `full`: the file was written anew, once, because it
   *  was made before files could be shortened step by step; from now on it is one that can. */
  mode: "incremental" | "full";
  /** By how many bytes the database is smaller. */
  freedBytes: number;
  /** Free bytes that are still in it. */
  leftBytes: number;
  /** Bytes of the database now. */
  databaseBytes: number;
  /** What ended it. */
  ended: "done" | "maxBytes" | "maxMs";
  elapsedMs: number;
}
