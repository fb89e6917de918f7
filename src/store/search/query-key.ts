import type { CheckedSearchQuery } from "../../contracts/check-search.ts";

/** Returns a text that is the same for two queries if and only if they ask the same: two vectors are the same when their bytes are. */
export function queryKey(query: CheckedSearchQuery): string {
  const { vector, filters, ...asked } = query;
  // An absent filter and an empty one allow the same.
  return JSON.stringify({ ...asked, filters: filters ?? {}, vector: vector === undefined ? null : bytesOf(vector) });
}

/** Two bytes a character: JSON writes halves of surrogate pairs so that each is told from every other. */
function bytesOf(vector: Float32Array): string {
  const units = new Uint16Array(vector.slice().buffer);
  let text = "";
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.subarray(at, at + 4096));
  return text;
}
