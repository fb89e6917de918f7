import type { VectorSet } from "./clustered.ts";

/** An index under test, through its own documented calls. */
export interface Engine {
  readonly name: string;
  /** What its graph is built with. */
  readonly parameters: string;
  /** Widths to try, ascending, where trying one is costly. */
  readonly widths?: readonly number[];
  /** Takes the whole set in. */
  build(set: VectorSet): Promise<void> | void;
  /** Sets how far a search goes. */
  setEf(ef: number): void;
  /** Ids of the `k` nearest of query `q`. */
  search(q: number, k: number): Promise<readonly number[]> | readonly number[];
}
