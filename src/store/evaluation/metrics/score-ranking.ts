import type { EvalMetrics } from "../../../contracts/evaluations.ts";
import { averagePrecision } from "./average-precision.ts";
import { ndcgAt } from "./ndcg.ts";
import { precisionAt } from "./precision.ts";
import type { RankedGrades } from "./ranked-grades.ts";
import { recallAt } from "./recall.ts";
import { reciprocalRank } from "./reciprocal-rank.ts";

/** All measures of one ranking; null where nothing is relevant, for then they say nothing. */
export function scoreRanking(k: number, grades: RankedGrades): EvalMetrics | null {
  if (grades.ideal.length === 0) return null;
  return {
    ndcg: ndcgAt(k, grades),
    recall: recallAt(k, grades),
    precision: precisionAt(k, grades),
    reciprocalRank: reciprocalRank(grades),
    averagePrecision: averagePrecision(grades),
  };
}
