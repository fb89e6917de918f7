/** A chunk in a ranked list. */
export interface RankedKey {
  chunkKey: number;
  score: number;
}

/** A chunk with its place in each list, from 1, and the sum that both make. */
export interface FusedKey {
  chunkKey: number;
  score: number;
  lexical: { rank: number; score: number } | null;
  vector: { rank: number; score: number } | null;
}

/** Softens the difference between the first ranks. */
const K = 60;

/** Fuses two ranked lists: each chunk scores weight / (60 + rank) in each list it stands in. Equal scores share the better
 *  rank: chance must not decide between chunks that one vector stands for. Ties go by lexical rank, then chunk key.
 *  @see Cormack, Clarke & Büttcher 2009, Reciprocal Rank Fusion */
export function fuse(
  lexical: readonly RankedKey[],
  vector: readonly RankedKey[],
  weights: { lexical: number; vector: number },
): FusedKey[] {
  const fused = new Map<number, FusedKey>();
  const add = (list: readonly RankedKey[], side: "lexical" | "vector"): void => {
    let rank = 0;
    let last = Number.NaN;
    for (const [index, { chunkKey, score }] of list.entries()) {
      if (score !== last) rank = index + 1;
      last = score;
      const entry = fused.get(chunkKey) ?? { chunkKey, score: 0, lexical: null, vector: null };
      entry.score += weights[side] / (K + rank);
      entry[side] = { rank, score };
      fused.set(chunkKey, entry);
    }
  };
  add(lexical, "lexical");
  add(vector, "vector");
  const compare = weights.lexical > 0 ? byScoreAndWords : byScore;
  return [...fused.values()].filter(({ score }) => score > 0).sort(compare);
}

function byScoreAndWords(a: FusedKey, b: FusedKey): number {
  if (a.score !== b.score) return b.score - a.score;
  const ranks = (a.lexical?.rank ?? Number.MAX_SAFE_INTEGER) - (b.lexical?.rank ?? Number.MAX_SAFE_INTEGER);
  if (ranks !== 0) return ranks;
  // Of equal words the text index has an order, too: a map keeps it.
  return a.lexical !== null && b.lexical !== null ? 0 : a.chunkKey - b.chunkKey;
}

function byScore(a: FusedKey, b: FusedKey): number {
  return b.score - a.score || a.chunkKey - b.chunkKey;
}
