import type { VectorMetric } from "../../contracts/vectors.ts";
import type { IndexPolicy } from "./index-policy.ts";
import type { Quantization } from "./vector-index-options.ts";
import { VectorIndex } from "./vector-index.ts";

/** Vectors that a choice is made on. */
export const SAMPLE_SIZE = 256;
const K = 10;
/** Share of the nearest that 8-bit codes find without full precision, on a sample, below which floats take their place: DESIGN.md. */
const LEAST_RECALL = 0.96;

/**
 * Chooses how an index reads its vectors. One scale a vector wastes the codes of models that have a few dimensions of far greater
 * values, so a sample is searched with codes and with floats, and what the codes miss decides.
 *
 * @returns `undefined` where there are too few vectors to say; floats serve until there are more.
 */
export function chooseQuantization(
  policy: IndexPolicy,
  table: { dimensions: number; metric: VectorMetric },
  sample: readonly Float32Array[],
): Quantization | undefined {
  if (policy.quantization !== "auto") return policy.quantization;
  if (sample.length < SAMPLE_SIZE) return undefined;
  const [codes, floats] = (["sq8", "f32"] as const).map((quantization) => {
    const index = new VectorIndex(policy.kernel, {
      ...policy.optionsOf(table, quantization, sample.length),
      m: 0,
      resident: false,
    });
    for (const [label, vector] of sample.entries()) index.add(label, vector);
    return index;
  });
  let found = 0;
  for (const vector of sample) {
    const nearest = new Set(labelsOf(floats!, vector));
    found += labelsOf(codes!, vector).filter((label) => nearest.has(label)).length;
  }
  return found < LEAST_RECALL * sample.length * (K + 1) ? "f32" : "sq8";
}

/** The vector itself and the ten nearest to it, as the index reads them. */
function labelsOf(index: VectorIndex, vector: Float32Array): number[] {
  const options = { k: K + 1, ef: K + 1, refine: 0, plan: "scan" } as const;
  return index.searchKept(vector, options).hits.map(({ label }) => label);
}
