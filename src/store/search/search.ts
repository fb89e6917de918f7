import { type CheckedSearchQuery, checkSearchQuery } from "../../contracts/check-search.ts";
import type { SearchQuery, SearchResult } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import type { AllowedChunks } from "../allowed-chunks.ts";
import { LexicalSearch } from "./lexical-search.ts";
import { RankedSearch } from "./ranked-search.ts";
import { SearchCache } from "./search-cache.ts";
import type { VectorParts } from "./vector-ranking.ts";

/** Finds chunks: by words, by nearness, or by both. */
export class Search {
  readonly #lexical: LexicalSearch;
  readonly #ranked: RankedSearch | undefined;
  readonly #cache: SearchCache;
  readonly #rebuilds: () => number;

  /** @param vectors Without it only `lexical` is there.
   *  @param filters What the vector store asks too, where it does.
   *  @param cache Keeps answers of this database. */
  constructor(db: SqlDatabase, vectors?: VectorParts, filters?: AllowedChunks, cache?: SearchCache) {
    this.#cache = cache ?? new SearchCache(db, 0);
    this.#rebuilds = () => vectors?.vectors.rebuilds ?? 0;
    this.#lexical = new LexicalSearch(db, filters);
    this.#ranked = vectors === undefined ? undefined : new RankedSearch(db, this.#lexical, vectors);
  }

  /** Answers a query; see `Store.search`. */
  async search(query: SearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    const checked = checkSearchQuery(query);
    return this.#cache.answer(checked, this.#rebuilds, options.signal, () => this.#answer(checked, options));
  }

  async #answer(checked: CheckedSearchQuery, options: { signal?: AbortSignal }): Promise<SearchResult> {
    if (checked.mode === "lexical") return this.#lexical.answer(checked, options);
    if (this.#ranked !== undefined) return this.#ranked.answer(checked, options);
    throw new StorageError("UNSUPPORTED", `mode "${checked.mode}" needs vectors, and this store was opened without`, {
      capability: "search",
      operation: "search",
    });
  }
}
