import type { RankedGrades } from "./ranked-grades.ts";

/** Normalised discounted cumulative gain at k: a grade at rank r counts as much as it is, divided by log2(r + 1); the ideal ranking is of all
 *  that is judged. 0 where nothing is relevant.
 *  @see trec_eval, m_ndcg_cut.c; Järvelin & Kekäläinen 2002 */
export function ndcgAt(k: number, { found, ideal }: RankedGrades): number {
  let gain = 0;
  for (const [rank, grade] of found) if (rank <= k) gain += grade / Math.log2(rank + 1);
  let best = 0;
  for (let index = 0; index < Math.min(k, ideal.length); index++) best += ideal[index]! / Math.log2(index + 2);
  return best === 0 ? 0 : gain / best;
}
