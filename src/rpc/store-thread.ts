import type { Embedder } from "../contracts/embedder.ts";
import type { SearchCacheStats, Store } from "../contracts/store.ts";
import type { VectorIndexWork, VectorKeeper, VectorUpkeep } from "../contracts/vector-upkeep.ts";
import type { HeavyCalls } from "./heavy-calls.ts";

/** What a thread of a store serves to the one that started it. */
export interface StoreThread {
  readonly store: Store;
  /** Calls of that store that carry much. */
  readonly heavy: HeavyCalls;
  /** Of the thread that writes: what the indexes of another thread have written. */
  readonly upkeep: VectorUpkeep;
  /** Of the thread that keeps the indexes: what others have it do. */
  readonly indexes: VectorIndexWork;
  /** What keeps its vectors; `undefined` in a thread without any. */
  engine(): Promise<string | undefined>;
  /** Ends what is being waited for and may never come, as the answer of an embedder to a search: the store is to be closed. */
  hurry(): Promise<void>;
  /** The answers that this thread keeps. */
  searchCache(): Promise<SearchCacheStats>;
  /** Of the thread that writes: keeps the bytes of assets beside the database where they are, until what it returns is called. */
  pinAssets(): Promise<() => Promise<void>>;
  /** To the thread that keeps the indexes: another one wrote vectors. */
  follow(indexId: string, modelVersion: string): Promise<void>;
}

/** What the one that started a thread serves to it. */
export interface ThreadHome {
  /** The caller's embedder, where the thread has none of its own. */
  embed: Embedder["embed"];
  /** From the thread that writes: searches, which the threads answer that read. */
  search: Store["search"];
  /** From the thread that writes: the thread that keeps the indexes. */
  readonly keeper: VectorKeeper;
  /** To the thread that writes. */
  readonly upkeep: VectorUpkeep;
}
