/** A chunk in a ranked list. */
export interface RankedKey {
  chunkKey: number;
  score: number;
}

/** A chunk's place in a list, from 1. */
export interface Place {
  rank: number;
  score: number;
}

/** A chunk with its place in each list, and the sum that both make. */
export interface FusedKey {
  chunkKey: number;
  score: number;
  lexical: Place | null;
  vector: Place | null;
}

/** Softens the difference between the first ranks. */
const K = 60;

/** Returns the places of a list. Equal scores share the better rank: chance must not decide between chunks that one vector
 *  stands for. */
export function placesOf(list: readonly RankedKey[]): Place[] {
  let rank = 0;
  let last = Number.NaN;
  return list.map(({ score }, index) => {
    if (score !== last) rank = index + 1;
    last = score;
    return { rank, score };
  });
}

/** Fuses two ranked lists: each chunk scores weight / (60 + rank) in each list it stands in. Ties go by lexical rank;
 *  what is left of them (`isTie`) is for the caller, who knows the chunks' ids, and stands by chunk key until then.
 *  @see Cormack, Clarke & Büttcher 2009, Reciprocal Rank Fusion */
export function fuse(
  lexical: readonly RankedKey[],
  vector: readonly RankedKey[],
  weights: { lexical: number; vector: number },
): FusedKey[] {
  const fused = new Map<number, FusedKey>();
  const add = (list: readonly RankedKey[], side: "lexical" | "vector"): void => {
    const places = placesOf(list);
    for (const [index, { chunkKey }] of list.entries()) {
      const place = places[index] as Place;
      const entry = fused.get(chunkKey) ?? { chunkKey, score: 0, lexical: null, vector: null };
      entry.score += weights[side] / (K + place.rank);
      entry[side] = place;
      fused.set(chunkKey, entry);
    }
  };
  add(lexical, "lexical");
  add(vector, "vector");
  return [...fused.values()].filter(({ score }) => score > 0).sort((a, b) => compare(a, b, weights.lexical > 0));
}

/** Whether nothing but their ids decides between two fused chunks. */
export function isTie(a: FusedKey, b: FusedKey, byWords: boolean): boolean {
  return a.score === b.score && (!byWords || (a.lexical === null && b.lexical === null));
}

/** Of chunks with equal words the text index has an order, too: a map keeps it. */
function compare(a: FusedKey, b: FusedKey, byWords: boolean): number {
  if (a.score !== b.score) return b.score - a.score;
  if (isTie(a, b, byWords)) return a.chunkKey - b.chunkKey;
  return (a.lexical?.rank ?? Number.MAX_SAFE_INTEGER) - (b.lexical?.rank ?? Number.MAX_SAFE_INTEGER);
}
