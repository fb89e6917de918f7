import type { EvalComparison } from "../../../contracts/evaluations.ts";
import { twoSidedTail } from "./student-t.ts";

/** Two-sided paired t-test over differences; null for fewer than two. Where all are equal there is no spread to hold them against: p is 1
 *  if they are 0, else 0. */
export function pairedTTest(differences: readonly number[]): EvalComparison["tTest"] {
  const n = differences.length;
  if (n < 2) return null;
  const degreesOfFreedom = n - 1;
  const [first = 0] = differences;
  if (differences.every((one) => one === first)) return { t: null, degreesOfFreedom, pValue: first === 0 ? 1 : 0 };
  const mean = differences.reduce((sum, one) => sum + one, 0) / n;
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / degreesOfFreedom;
  const t = mean / Math.sqrt(variance / n);
  return { t, degreesOfFreedom, pValue: twoSidedTail(t, degreesOfFreedom) };
}
