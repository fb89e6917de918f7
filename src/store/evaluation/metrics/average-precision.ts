import type { RankedGrades } from "./ranked-grades.ts";

/** Sum of the precisions at the rank of each relevant document that was found, divided by the number of all that are relevant: one that was not
 *  found adds 0. 0 where nothing is relevant. Its mean is MAP.
 *  @see trec_eval, m_map.c */
export function averagePrecision({ found, ideal }: RankedGrades): number {
  if (ideal.length === 0) return 0;
  let sum = 0;
  for (const [index, [rank]] of found.entries()) sum += (index + 1) / rank;
  return sum / ideal.length;
}
