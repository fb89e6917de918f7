import type { CheckedSearchQuery } from "../../contracts/check-search.ts";

/** Fingerprint of everything that decides which rows come in which order: a cursor belongs to it.
 *  FNV-1a: guards against mix-ups, not against attack; a forged cursor only moves the page. */
export function fingerprint(query: CheckedSearchQuery): string {
  const { vector } = query;
  const text = JSON.stringify([
    query.text,
    query.mode,
    query.stemming,
    query.plainText,
    query.prefixLast,
    query.filters ?? null,
    ...(query.mode === "lexical" ? [] : [query.modelId, query.weights, query.collapse, query.ef]),
  ]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  if (vector !== undefined && query.mode !== "lexical") {
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
