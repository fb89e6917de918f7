import type { VectorSet } from "./clustered.ts";

/** Neighbours that count. */
export const K = 10;

/** The `K` nearest of each query by dot product in 64-bit floats, row after row. `among` leaves out what a filter bars. */
export function exactNeighbours(set: VectorSet, queryCount = set.queryCount, among?: Uint32Array): Uint32Array[] {
  const { dimensions, base, queries } = set;
  const ids = among ?? Uint32Array.from({ length: set.count }, (_, i) => i);
  return Array.from({ length: queryCount }, (_, q) => {
    const best: { id: number; score: number }[] = [];
    for (const id of ids) {
      let score = 0;
      for (let d = 0; d < dimensions; d++) {
        score += (queries[q * dimensions + d] as number) * (base[id * dimensions + d] as number);
      }
      if (best.length === K && score <= (best[K - 1] as { score: number }).score) continue;
      best.push({ id, score });
      best.sort((a, b) => b.score - a.score);
      if (best.length > K) best.pop();
    }
    return Uint32Array.from(best, ({ id }) => id);
  });
}

/** Share of the true neighbours that were found. */
export function recallOf(truth: readonly Uint32Array[], found: readonly (readonly number[])[]): number {
  let hits = 0;
  let wanted = 0;
  for (const [q, ids] of found.entries()) {
    const right = new Set(truth[q]);
    wanted += right.size;
    for (const id of ids) if (right.has(id)) hits++;
  }
  return wanted === 0 ? 1 : hits / wanted;
}
