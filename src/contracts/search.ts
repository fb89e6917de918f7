import type { DocumentFilter, SourceSpan } from "./documents.ts";
import type { VectorPlan } from "./vectors.ts";

export type SearchMode = "lexical" | "vector" | "hybrid";

/** How inflected forms of English words take part.
 *  `rank` (default): a hit holds at least one of your words as a whole word; other forms raise its rank.
 *  `match`: a hit may hold only another form (`flow` finds `flowing`).
 *  `off`: only the words as written count. */
export type Stemming = "rank" | "match" | "off";

/** A search. */
export interface SearchQuery {
  /** What to find, at most 4,096 characters. Words are joined by OR and ranked by BM25.
   *  Deliberate syntax: `"a phrase"`, `begin*`, `-not`, `-"not this phrase"`, at most 64 phrases and 64 exclusions; everything
   *  else is text.
   *  May be left out where `vector` is given. */
  text?: string;
  /** `lexical` (default): by words. `vector`: by nearness of embeddings. `hybrid`: both lists, fused by reciprocal rank. */
  mode?: SearchMode;
  /** Embedding of the query; made from `text` by the store's embedder when absent. */
  vector?: Float32Array;
  /** Model whose embeddings are searched; by default the embedder's, if its vectors are as long as `vector`, else the only one
   *  whose are. */
  modelId?: string;
  /** Weights of the two lists in `hybrid`, 0 to 10 each; lexical 1, and vector what the embedder asks for, else 1.2. */
  weights?: { lexical?: number; vector?: number };
  /** Hits whose text mostly stands in a better hit of the same document are left out, in `vector` and `hybrid`; false by default. */
  collapse?: boolean;
  /** Width of the walk through the vector graph, 10 to 4096; chosen by the number of hits when absent. It is as wide as the
   *  list is deep at least: 100, or twice `k`. */
  ef?: number;
  /** Hits a page, 1 to 1000; 10 by default. */
  k?: number;
  filters?: DocumentFilter;
  /** `nextCursor` of the page before; the rest of the query must be the same. */
  cursor?: string;
  /** Longest snippet in characters, 40 to 2000; 240 by default. */
  snippetLength?: number;
  /** Adds `explain` to the result. */
  explain?: boolean;
  /** Makes the answer anew where one is kept: for measuring, for they are the same. False by default. */
  fresh?: boolean;
  stemming?: Stemming;
  /** Takes everything as text, quotes, hyphens and asterisks too: for questions and pasted passages; false by default. */
  plainText?: boolean;
  /** Takes the last word as a beginning, for search as you type; false by default. */
  prefixLast?: boolean;
}

/** Part of a chunk's text around the best matches. */
export interface Snippet {
  text: string;
  /** `[start, end)` offsets in `text`, in UTF-16 units, sorted, not overlapping. */
  highlights: [number, number][];
}

/** Where a hit stands in its source. */
export interface Citation {
  workspacePath: string;
  headingPath: string[];
  span: SourceSpan;
}

/** `cosine`, `dot` and `l2` (minus the distance) are those of the vector search; `rrf` is the sum of weight / (60 + rank),
 *  where equal scores share the better rank. */
export type ScoreKind = "bm25" | "cosine" | "dot" | "l2" | "rrf";

export interface SearchHit {
  chunkId: string;
  documentId: string;
  title: string;
  headingPath: string[];
  snippet: Snippet;
  citation: Citation;
  /** Higher is better; comparable only within one result. */
  score: number;
  scoreKind: ScoreKind;
  /** Rank among the lexical hits, from 1. */
  lexicalRank: number | null;
  /** BM25, higher is better. */
  lexicalScore: number | null;
  /** Rank among the vector hits, from 1. */
  vectorRank: number | null;
  /** Similarity, higher is nearer. */
  vectorScore: number | null;
  /** Hits that were left out for this one, where `collapse` is on. */
  collapsed?: string[];
}

/** One list of a fused answer. */
export interface RankedChunk {
  chunkId: string;
  /** From 1. */
  rank: number;
  score: number;
}

/** How an answer was made. */
export interface SearchExplain {
  mode: SearchMode;
  /** What was read, in order, until the page was full: rows that `ranking` matches and for which `must` holds. FTS5 expressions. */
  tiers: { name: string; ranking: string; must: string | null }[];
  /** Words that stand in so many chunks that they are scored last. */
  commonWords: string[];
  stemming: Stemming;
  /** Time per step, in milliseconds. */
  steps: { name: string; ms: number }[];
  /** The vector side, in `vector` and `hybrid`. */
  vector?: {
    modelId: string;
    modelVersion: string;
    dimensions: number;
    plan: VectorPlan;
  };
  /** Both lists before they were fused, in `hybrid`. */
  lists?: { lexical: RankedChunk[]; vector: RankedChunk[] };
  weights?: { lexical: number; vector: number };
}

export interface SearchResult {
  hits: SearchHit[];
  /** Absent when there is no further page. Where documents came or went between two pages, hits may be seen again or not at all: another
   *  `revision` tells. Whoever asks for pages while the store is written to ends at a page without a new hit. In `vector` and `hybrid` pages end with the first 1,000 hits of each list. */
  nextCursor?: string;
  /** Corpus revision the answer stands for. */
  revision: number;
  /** Why a `hybrid` answer stands on words alone: the query could not be embedded, nothing there compares with it, or the
   *  vectors cannot be read. The pages
   *  after it stand on words alone, too. */
  withoutVectors?: { code: string; message: string };
  explain?: SearchExplain;
}
