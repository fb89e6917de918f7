import type { CheckedRunOptions } from "../../contracts/check-evaluations.ts";
import type { EvalHit, EvalQuery, EvalQueryResult, JudgedBy } from "../../contracts/evaluations.ts";
import type { SearchHit, SearchQuery, SearchResult } from "../../contracts/search.ts";
import { rankGrades } from "./metrics/ranked-grades.ts";
import { scoreRanking } from "./metrics/score-ranking.ts";

/** Answers a query as `Store.search` does. */
export type SearchCall = (query: SearchQuery, options: { signal?: AbortSignal }) => Promise<SearchResult>;

/** Hits a page. A hybrid search fuses lists of at least 100, or of twice the hits a page: with 50 they are as deep as for whoever asks for
 *  ten, and every page of a query comes from the same lists. */
const PAGE = 50;

/** What came of one query. */
export interface RankedQuery {
  result: EvalQueryResult;
  /** Whether a hybrid search stood on words alone. */
  withoutVectors: boolean;
}

/** Asks one query, turning pages until `depth` documents, or chunks, are there or hits end, and scores what came. */
export async function rankQuery(
  search: SearchCall,
  query: EvalQuery,
  judged: JudgedBy,
  options: CheckedRunOptions,
  signal: AbortSignal,
): Promise<RankedQuery> {
  const { k, depth } = options;
  const asked = searchQueryOf(query, options);
  const ranking: Ranking = { first: new Map(), elapsedMs: 0, withoutVectors: false };
  if (asked !== undefined) await collect(search, asked, judged, depth, ranking, signal);
  const { first, elapsedMs, withoutVectors } = ranking;
  const grades = new Map(Object.entries(query.judgements));
  const ranked = rankGrades([...first.keys()], grades);
  const result: EvalQueryResult = {
    queryId: query.id,
    text: query.text,
    hits: [...first].slice(0, k).map(([key, hit], index) => toHit(hit, index + 1, grades.get(key) ?? null)),
    found: ranked.found.map(([rank, grade]) => [rank, grade]),
    relevant: ranked.ideal.length,
    metrics: scoreRanking(k, ranked),
    elapsedMs,
  };
  return { result, withoutVectors };
}

/** What was found so far. */
interface Ranking {
  /** The first hit of each document, or chunk, in the order of the hits. */
  first: Map<string, SearchHit>;
  /** Until the first page was there. */
  elapsedMs: number;
  withoutVectors: boolean;
}

async function collect(
  search: SearchCall,
  asked: SearchQuery,
  judged: JudgedBy,
  depth: number,
  ranking: Ranking,
  signal: AbortSignal,
): Promise<void> {
  const { first } = ranking;
  const seen = new Set<string>();
  const start = performance.now();
  let page = await search(asked, { signal });
  ranking.elapsedMs = performance.now() - start;
  for (;;) {
    ranking.withoutVectors ||= page.withoutVectors !== undefined;
    const before = seen.size;
    for (const hit of page.hits) {
      seen.add(hit.chunkId);
      const key = keyOf(hit, judged);
      if (first.size < depth && !first.has(key)) first.set(key, hit);
    }
    // Scores sink with every document that comes in meanwhile, and what stood before a cursor stands behind it again, page after page.
    const { nextCursor } = page;
    if (first.size === depth || nextCursor === undefined || seen.size === before) return;
    page = await search({ ...asked, cursor: nextCursor }, { signal });
  }
}

/** What is asked; `undefined` where there is nothing to ask with. */
export function searchQueryOf(
  { id, text, filters }: EvalQuery,
  { search, vectors }: CheckedRunOptions,
): SearchQuery | undefined {
  const query: SearchQuery = { ...search, text, k: PAGE, fresh: true, ...(filters === undefined ? {} : { filters }) };
  if (vectors === undefined || search.mode === "lexical") return query;
  const vector = vectors.get(id);
  if (vector !== undefined) return { ...query, vector };
  return search.mode === "hybrid" ? { ...query, mode: "lexical" } : undefined;
}

/** By what documents, or chunks, are judged. */
function keyOf({ chunkId, documentId, citation }: SearchHit, judged: JudgedBy): string {
  switch (judged) {
    case "path":
      return citation.workspacePath;
    case "document":
      return documentId;
    case "chunk":
      return chunkId;
  }
}

function toHit({ chunkId, documentId, citation, score }: SearchHit, rank: number, grade: number | null): EvalHit {
  return { chunkId, documentId, workspacePath: citation.workspacePath, rank, score, grade };
}
