import type { RankedGrades } from "./ranked-grades.ts";

/** Share of the first k places that is relevant; places that a short ranking does not fill are not.
 *  @see trec_eval, m_P.c */
export function precisionAt(k: number, { found }: RankedGrades): number {
  return found.filter(([rank]) => rank <= k).length / k;
}
