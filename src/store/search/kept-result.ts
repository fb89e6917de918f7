import type { SearchHit, SearchResult } from "../../contracts/search.ts";

/** Bytes of a hit beside its texts, as engines lay objects out. */
const HIT_BYTES = 640;
const RESULT_BYTES = 320;

/** Copies an answer without `explain` and `withoutVectors`: nobody has a part of another's. By hand, for it is most of what a hit costs. */
export function copyResult(result: SearchResult): SearchResult {
  return { ...result, hits: result.hits.map(copyHit) };
}

function copyHit(hit: SearchHit): SearchHit {
  const { snippet, citation, collapsed } = hit;
  const copy: SearchHit = {
    ...hit,
    headingPath: [...hit.headingPath],
    snippet: { text: snippet.text, highlights: snippet.highlights.map(([start, end]) => [start, end]) },
    citation: { ...citation, headingPath: [...citation.headingPath], span: { ...citation.span } },
  };
  if (collapsed !== undefined) copy.collapsed = [...collapsed];
  return copy;
}

/** Estimates the memory of an answer from above: two bytes a character. */
export function resultBytes(result: SearchResult): number {
  let bytes = RESULT_BYTES + 2 * (result.nextCursor?.length ?? 0);
  for (const hit of result.hits) {
    const { snippet, citation, collapsed = [] } = hit;
    const headings = [...hit.headingPath, ...citation.headingPath];
    const texts = [
      hit.chunkId,
      hit.documentId,
      hit.title,
      snippet.text,
      citation.workspacePath,
      ...headings,
      ...collapsed,
    ];
    bytes += HIT_BYTES + 32 * snippet.highlights.length;
    for (const text of texts) bytes += 24 + 2 * text.length;
  }
  return bytes;
}
