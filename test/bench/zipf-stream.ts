import type { SearchMode } from "../../src/contracts/search.ts";
import type { SearchCacheStats, Store } from "../../src/contracts/store.ts";
import type { SearchCache } from "../../src/store/search/search-cache.ts";

/** A stream of searches with a write now and then. */
export interface StreamTask {
  /** Distinct queries, the most frequent first. */
  queries: readonly string[];
  searches: number;
  /** Exponent of Zipf's law. */
  exponent: number;
  /** Searches from one write to the next. */
  writeEvery: number;
  /** Documents that are written, one at a time, each with a word of its own added. */
  writes: readonly { path: string; content: string }[];
  mode: SearchMode;
}

/** What came of a stream. */
export interface StreamTimes {
  hitUs: number[];
  missUs: number[];
  cache: SearchCacheStats;
}

/** Searches in the thread in which the store is. */
export async function runStream(store: Store, cache: SearchCache, task: StreamTask): Promise<StreamTimes> {
  const { queries, searches, exponent, writeEvery, writes, mode } = task;
  const draw = zipf(queries.length, exponent);
  const times: StreamTimes = { hitUs: [], missUs: [], cache: cache.stats() };
  for (let n = 0; n < searches; n++) {
    if (n > 0 && n % writeEvery === 0) {
      const { path, content } = writes[(n / writeEvery) % writes.length]!;
      await store.ingest(
        { path, content: `${content}\n\nWritten${n}.\n` },
        { embed: mode === "lexical" ? "off" : "wait" },
      );
    }
    const text = queries[draw()]!;
    const { hits } = cache.stats();
    const start = performance.now();
    await store.search({ text, mode });
    const us = 1000 * (performance.now() - start);
    (cache.stats().hits > hits ? times.hitUs : times.missUs).push(us);
  }
  return { ...times, cache: cache.stats() };
}

/** Ranks from 0 that follow Zipf's law: the same in every run. */
function zipf(count: number, exponent: number): () => number {
  const sums: number[] = [];
  for (let rank = 1; rank <= count; rank++) sums.push((sums.at(-1) ?? 0) + rank ** -exponent);
  let random = 11;
  return () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const at = (random / 2 ** 32) * sums.at(-1)!;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
