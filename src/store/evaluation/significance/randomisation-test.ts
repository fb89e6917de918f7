import type { EvalComparison } from "../../../contracts/evaluations.ts";
import { randomWords } from "./random-words.ts";

/** Permutations that are drawn; all are tried where there are no more. */
export const PERMUTATIONS = 10_000;
/** Differences whose signs have no more than that many permutations. */
const EXACT_UP_TO = Math.floor(Math.log2(PERMUTATIONS));
/** What rounding may take from a sum that is as far from 0 as the observed one. */
const TOLERANCE = 1e-10;

/** Two-sided paired randomisation test: if it made no difference which run is which, each difference might have either sign. p is the share
 *  of permutations whose sum is at least as far from 0 as the observed one; where they are drawn, the observed one counts among them.
 *  @param breathe Called from time to time; what it throws ends it.
 *  @see Smucker, Allan & Carterette 2007, section 3.3 */
export async function randomisationTest(
  differences: readonly number[],
  seed: number,
  breathe: () => Promise<void>,
): Promise<EvalComparison["randomisation"]> {
  // What is 0 is so with either sign.
  const values = Float64Array.from(differences.filter((one) => one !== 0));
  const observed = Math.abs(values.reduce((sum, one) => sum + one, 0)) - TOLERANCE;
  const exact = values.length <= EXACT_UP_TO;
  const permutations = exact ? 2 ** values.length : PERMUTATIONS;
  const next = randomWords(seed);
  let asFar = 0;
  for (let permutation = 0; permutation < permutations; permutation++) {
    let signs = permutation;
    let sum = 0;
    for (let index = 0; index < values.length; index++) {
      if (!exact && (index & 31) === 0) signs = next();
      sum += (signs >>> (index & 31)) & 1 ? -values[index]! : values[index]!;
    }
    if (Math.abs(sum) >= observed) asFar++;
    if ((permutation & 63) === 0) await breathe();
  }
  return { pValue: exact ? asFar / permutations : (asFar + 1) / (permutations + 1), permutations, exact };
}
