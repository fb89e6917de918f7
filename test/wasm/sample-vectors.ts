import type { Random } from "./random.ts";
import type { Metric } from "./reference/arithmetic.ts";

/** Makes a vector of its kind. */
export type Sampler = (random: Random) => Float32Array;

const filled = (dimensions: number, value: (i: number) => number): Float32Array =>
  Float32Array.from({ length: dimensions }, (_, i) => value(i));

/** Kinds of vectors that are hard on arithmetic, on ties and on ranges. */
export function samplers(dimensions: number, metric: Metric): Record<string, Sampler> {
  const normal = (random: Random, scale: number): Float32Array => filled(dimensions, () => random.normal() * scale);
  // Dot product and L2 take lengths up to 1e18; cosine takes all that is finite.
  const largest = metric === "cosine" ? 3.4e38 : 0.99e18 / Math.sqrt(dimensions);
  const kinds: Record<string, Sampler> = {
    normal: (random) => normal(random, 1),
    // Few different ones: most are equal to others.
    doubles: (random) => {
      const which = random.below(4);
      return filled(dimensions, (i) => ((i * 7 + which * 3) % 11) - 5 + which);
    },
    steps: (random) => filled(dimensions, () => random.below(3) - 1 + (metric === "cosine" ? 0.25 : 0)),
    sparse: (random) => {
      const vector = filled(dimensions, () => (random.chance(0.1) ? random.normal() : 0));
      vector[random.below(dimensions)] = 1;
      return vector;
    },
    outlier: (random) => {
      const vector = normal(random, 0.05);
      vector[0] = 3;
      return vector;
    },
    lengths: (random) => normal(random, Math.exp(2 * random.normal())),
    tiny: (random) => normal(random, 1e-30),
    small: (random) => normal(random, 1e-19),
    subnormal: (random) => {
      const vector = filled(dimensions, () => random.below(400) * 1.401298464324817e-45);
      vector[0] = 1e-43;
      return vector;
    },
    huge: (random) => filled(dimensions, () => (random.unit() * 2 - 1) * largest),
    largest: (random) => filled(dimensions, () => (random.chance(0.5) ? largest : -largest)),
  };
  if (metric !== "cosine") kinds["zero"] = () => new Float32Array(dimensions);
  return kinds;
}
