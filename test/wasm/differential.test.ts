import { describe, test } from "vitest";
import { builtKernel } from "./built-kernel.ts";
import { Differential } from "./differential.ts";

/** Rounds of 13 seeds: every number of dimensions once. LODESTORE_FUZZ_ROUNDS makes more, from seed LODESTORE_FUZZ_FIRST. */
const ROUNDS = Number(process.env["LODESTORE_FUZZ_ROUNDS"] ?? 6);
const FIRST = Number(process.env["LODESTORE_FUZZ_FIRST"] ?? 0);

describe("The kernel agrees with the reference", () => {
  const seeds = Array.from({ length: 13 * ROUNDS }, (_, i) => FIRST + i);
  test.each(seeds)("in random calls, seed %i", { timeout: 60_000 }, (seed) => {
    new Differential(builtKernel, seed).run(60);
  });

  const large = Array.from({ length: Math.ceil(ROUNDS / 6) }, (_, i) => FIRST + i);
  test.each(
    large.flatMap((seed) => [
      { seed, m: 16, dimensions: 8, count: 900 },
      { seed, m: 64, dimensions: 3, count: 500 },
      { seed, m: 4, dimensions: 2, count: 900 },
    ]),
  )("where lists are full: $count vectors, m $m, seed $seed", { timeout: 60_000 }, ({ seed, m, dimensions, count }) => {
    const differential = new Differential(builtKernel, seed, { m, dimensions }, count + 50);
    differential.fill(count);
    // Visited tags begin anew every 255 walks.
    differential.searches(400);
    differential.run(40);
  });
});
