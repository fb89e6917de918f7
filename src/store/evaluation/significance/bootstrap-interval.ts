import { randomWords } from "./random-words.ts";

const SAMPLES = 10_000;
const LEVEL = 0.95;

/** 95 % interval of the mean of differences: percentiles of the means of samples with replacement.
 *  @param breathe Called from time to time; what it throws ends it.
 *  @see Efron 1979; Sakai 2006 */
export async function bootstrapInterval(
  differences: readonly number[],
  seed: number,
  breathe: () => Promise<void>,
): Promise<{ low: number; high: number }> {
  const values = Float64Array.from(differences);
  const n = values.length;
  if (n === 0) return { low: 0, high: 0 };
  const next = randomWords(seed);
  const means = new Float64Array(SAMPLES);
  for (let sample = 0; sample < SAMPLES; sample++) {
    let sum = 0;
    for (let index = 0; index < n; index++) sum += values[Math.floor((next() / 2 ** 32) * n)]!;
    means[sample] = sum / n;
    if ((sample & 63) === 0) await breathe();
  }
  means.sort();
  const tail = Math.floor(((1 - LEVEL) / 2) * SAMPLES);
  return { low: means[tail]!, high: means[SAMPLES - 1 - tail]! };
}
