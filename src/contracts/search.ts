import type { DocumentFilter, SourceSpan } from "./documents.ts";

export type SearchMode = "lexical" | "vector" | "hybrid";

/** How inflected forms of English words take part.
 *  `rank` (default): a hit holds at least one of your words as a whole word; other forms raise its rank.
 *  `match`: a hit may hold only another form (`flow` finds `flowing`).
 *  `off`: only the words as written count. */
export type Stemming = "rank" | "match" | "off";

/** A search. */
export interface SearchQuery {
  /** What to find, at most 4,096 characters. Words are joined by OR and ranked by BM25.
   *  Deliberate syntax: `"a phrase"`, `begin*`, `-not`, `-"not this phrase"`; everything else is text. */
  text: string;
  /** `lexical` by default. */
  mode?: SearchMode;
  /** Hits a page, 1 to 1000; 10 by default. */
  k?: number;
  filters?: DocumentFilter;
  /** `nextCursor` of the page before; the rest of the query must be the same. */
  cursor?: string;
  /** Longest snippet in characters, 40 to 2000; 240 by default. */
  snippetLength?: number;
  /** Adds `explain` to the result. */
  explain?: boolean;
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

export type ScoreKind = "bm25" | "cosine" | "rrf";

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
  vectorRank: number | null;
  vectorScore: number | null;
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
}

export interface SearchResult {
  hits: SearchHit[];
  /** Absent when there is no further page. */
  nextCursor?: string;
  /** Corpus revision the answer stands for. */
  revision: number;
  explain?: SearchExplain;
}
