import { LRUCache } from "lru-cache";
import { SEARCH_CACHE_BYTES } from "../../contracts/check-search-cache.ts";
import type { CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { SearchResult } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import type { SearchCacheStats } from "../../contracts/store.ts";
import { copyResult, resultBytes } from "./kept-result.ts";
import { queryKey } from "./query-key.ts";
import { throwIfAborted } from "./timing.ts";

/** What an answer stands on: of words, the counters of the corpus and of its index; of vectors, that and which embeddings are searched, by
 *  which version, in which engine. Every one of them only rises, or names what it is, so that no state comes a second time. */
const STATE = `SELECT
  (SELECT value FROM kv WHERE key = 'corpus_revision') || ' ' ||
    coalesce((SELECT value FROM kv WHERE key = 'text_index_epoch'), '') AS words,
  coalesce((SELECT value FROM kv WHERE key = 'embedding_revision'), '') || ' ' ||
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'vector_changes'), '') || ' ' ||
    coalesce((SELECT value FROM kv WHERE key = 'vector_engine'), '') || ' ' ||
    coalesce((SELECT group_concat(value) FROM kv WHERE key > 'lance_table/' AND key < 'lance_table0'), '') AS vectors`;

interface State {
  /** Null where the corpus has no revision: nothing is kept then. */
  words: string | null;
  vectors: string;
}

interface Kept {
  state: string;
  result: SearchResult;
}

/**
 * The answers of the last searches. An answer is handed out as long as the store is in the state in which it was made, which is read from
 * the database for each search: one read of a few rows, which sees what other connections and processes committed, too.
 *
 * Answers that depend on more are not kept: those that stand on words because a model failed, and those with `explain`, whose times are
 * of their own making. A query that is to be answered `fresh` passes by.
 */
export class SearchCache {
  readonly #db: SqlDatabase;
  readonly #maxBytes: number;
  readonly #kept: LRUCache<string, Kept> | undefined;
  #words: string | null = null;
  #hits = 0;
  #misses = 0;

  /** @param maxBytes 0: nothing is kept. */
  constructor(db: SqlDatabase, maxBytes: number = SEARCH_CACHE_BYTES) {
    this.#db = db;
    this.#maxBytes = maxBytes;
    if (maxBytes === 0) return;
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ state, result }, key) => 2 * (key.length + state.length) + resultBytes(result),
    });
  }

  /** Returns the answer to a query: the one that is kept, or what `search` answers.
   *  @param rebuilds How often indexes of vectors were made anew: they may find better since. */
  async answer(
    query: CheckedSearchQuery,
    rebuilds: () => number,
    signal: AbortSignal | undefined,
    search: () => Promise<SearchResult>,
  ): Promise<SearchResult> {
    const kept = this.#kept;
    if (kept === undefined || query.explain || query.fresh) return search();
    throwIfAborted(signal);
    const stateOf = async (): Promise<string | null> => {
      const { words, vectors } = await this.#state();
      return query.mode === "lexical" || words === null ? words : `${words} ${vectors} ${rebuilds()}`;
    };
    const key = queryKey(query);
    const state = await stateOf();
    const found = kept.get(key);
    if (found !== undefined && found.state === state) {
      this.#hits++;
      return copyResult(found.result);
    }
    this.#misses++;
    const result = await search();
    // Of one state only what began and ended in it.
    if (state !== null && result.withoutVectors === undefined && state === (await stateOf())) {
      kept.set(key, { state, result: copyResult(result) });
    }
    return result;
  }

  stats(): SearchCacheStats {
    const [hits, misses] = [this.#hits, this.#misses];
    return {
      hits,
      misses,
      hitRate: hits === 0 ? 0 : hits / (hits + misses),
      entries: this.#kept?.size ?? 0,
      bytes: this.#kept?.calculatedSize ?? 0,
      maxBytes: this.#maxBytes,
    };
  }

  async #state(): Promise<State> {
    const state = (await this.#db.get<State & Record<string, string | null>>(STATE)) as State;
    // Nothing that is kept is of this corpus any more.
    if (state.words !== this.#words) this.#kept?.clear();
    this.#words = state.words;
    return state;
  }
}
