import type { RankedGrades } from "./ranked-grades.ts";

/** One divided by the rank of the first relevant document; 0 where none was found. Its mean is MRR.
 *  @see trec_eval, m_recip_rank.c */
export function reciprocalRank({ found }: RankedGrades): number {
  const [first] = found;
  return first === undefined ? 0 : 1 / first[0];
}
