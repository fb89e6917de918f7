import type { RankedGrades } from "./ranked-grades.ts";

/** Share of what is relevant that is among the first k. 0 where nothing is relevant.
 *  @see trec_eval, m_recall.c */
export function recallAt(k: number, { found, ideal }: RankedGrades): number {
  return ideal.length === 0 ? 0 : found.filter(([rank]) => rank <= k).length / ideal.length;
}
