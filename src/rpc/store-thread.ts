import type { Embedder } from "../contracts/embedder.ts";
import type { Store } from "../contracts/store.ts";
import type { VectorUpkeep } from "../contracts/vector-upkeep.ts";

/** What a thread of a store serves to the one that started it. */
export interface StoreThread {
  readonly store: Store;
  /** Of the thread that writes: what the indexes of another thread have written. */
  readonly upkeep: VectorUpkeep;
  /** To the thread that keeps the indexes: another one wrote vectors. */
  follow(indexId: string, modelVersion: string): Promise<void>;
}

/** What the one that started a thread serves to it. */
export interface ThreadHome {
  /** The caller's embedder, where the thread has none of its own. */
  embed: Embedder["embed"];
  /** From the thread that writes: vectors were written and are committed. */
  written(indexId: string, modelVersion: string): void;
  /** To the thread that writes. */
  readonly upkeep: VectorUpkeep;
}
