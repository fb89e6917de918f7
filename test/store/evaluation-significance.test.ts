import { describe, expect, test } from "vitest";
import { bootstrapInterval as bootstrap } from "../../src/store/evaluation/significance/bootstrap-interval.ts";
import { pairedTTest } from "../../src/store/evaluation/significance/paired-t-test.ts";
import { randomisationTest as randomisation } from "../../src/store/evaluation/significance/randomisation-test.ts";
import { randomWords } from "../../src/store/evaluation/significance/random-words.ts";
import { twoSidedTail } from "../../src/store/evaluation/significance/student-t.ts";

const breathe = async (): Promise<void> => undefined;
const randomisationTest = (differences: readonly number[], seed: number) => randomisation(differences, seed, breathe);
const bootstrapInterval = (differences: readonly number[], seed: number) => bootstrap(differences, seed, breathe);

describe("Student's t distribution", () => {
  test("with one degree of freedom is Cauchy's: p = 1 - 2 atan(t) / π", () => {
    for (const t of [0.1, 0.5, 1, 2, 12.706, 100]) {
      expect(twoSidedTail(t, 1)).toBeCloseTo(1 - (2 * Math.atan(t)) / Math.PI, 12);
    }
  });

  test("with two is p = 1 - t / √(2 + t²)", () => {
    for (const t of [0.1, 0.5, 1, 2, 4.303, 100])
      expect(twoSidedTail(t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 12);
  });

  // Percentage points of the t distribution as printed tables have them.
  test.each([
    [3, 3.182_446, 0.05],
    [5, 4.032_143, 0.01],
    [10, 2.228_139, 0.05],
    [30, 2.042_272, 0.05],
    [120, 1.979_930, 0.05],
    [1000, 1.962_339, 0.05],
  ])("with %i has %f as the point of %f", (degrees, t, p) => {
    expect(twoSidedTail(t, degrees)).toBeCloseTo(p, 6);
    expect(twoSidedTail(-t, degrees)).toBeCloseTo(p, 6);
  });

  test("is sure of 0, and gives far values no chance", () => {
    expect(twoSidedTail(0, 7)).toBeCloseTo(1, 12);
    expect(twoSidedTail(1e6, 7)).toBeLessThan(1e-30);
    expect(twoSidedTail(50, 9999)).toBeGreaterThanOrEqual(0);
  });
});

describe("the paired t-test", () => {
  test("agrees with Student's own sleep data of 1908: t = 4.0621, p = 0.002833", () => {
    // Additional hours of sleep by two medicines, the same ten patients.
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const result = pairedTTest(second.map((value, index) => value - first[index]!))!;
    expect(result.degreesOfFreedom).toBe(9);
    expect(result.t).toBeCloseTo(4.062_128, 6);
    expect(result.pValue).toBeCloseTo(0.002_832_89, 8);
  });

  test("has nothing to say of one difference, and no t where all are equal", () => {
    expect(pairedTTest([])).toBeNull();
    expect(pairedTTest([0.3])).toBeNull();
    expect(pairedTTest([0, 0, 0])).toEqual({ t: null, degreesOfFreedom: 2, pValue: 1 });
    expect(pairedTTest([0.1, 0.1, 0.1])).toEqual({ t: null, degreesOfFreedom: 2, pValue: 0 });
  });
});

describe("the paired randomisation test", () => {
  test("tries all signs where they are few: differences 1, 2, 3 and signs that reach 4 or more", async () => {
    // Sums: ±6, ±4, ±2, ±0 in pairs. Of 1 + 2 + 3 = 6 only all plus and all minus are as far: 2 of 8.
    expect(await randomisationTest([1, 2, 3], 1)).toEqual({ pValue: 2 / 8, permutations: 8, exact: true });
    // -1 + 2 + 3 = 4: also -6, -4, 4 and 6, 4 of 8. What is 0 changes nothing.
    expect(await randomisationTest([-1, 0, 2, 3, 0], 1)).toEqual({ pValue: 4 / 8, permutations: 8, exact: true });
    expect(await randomisationTest([], 1)).toEqual({ pValue: 1, permutations: 1, exact: true });
    const thirteen = Array.from({ length: 13 }, () => 0.1);
    expect(await randomisationTest(thirteen, 1)).toEqual({ pValue: 2 / 8192, permutations: 8192, exact: true });
  });

  test("draws signs where they are many, the same for the same seed", async () => {
    const word = randomWords(3);
    const differences = Array.from({ length: 70 }, () => word() / 2 ** 32 - 0.45);
    const one = await randomisationTest(differences, 1);
    expect(one).toMatchObject({ permutations: 10_000, exact: false });
    expect(await randomisationTest(differences, 1)).toEqual(one);
    // It says what the t-test says, as far as ten thousand draws can.
    expect(Math.abs(one.pValue - pairedTTest(differences)!.pValue)).toBeLessThan(0.02);
    expect(Math.abs((await randomisationTest(differences, 2)).pValue - one.pValue)).toBeLessThan(0.02);
    expect(
      (
        await randomisationTest(
          differences.map((value) => -value),
          1,
        )
      ).pValue,
    ).toBeCloseTo(one.pValue, 12);
    const clear = await randomisationTest(
      Array.from({ length: 70 }, () => 1),
      1,
    );
    expect(clear.pValue).toBe(1 / 10_001);
  });
});

describe("the bootstrap interval", () => {
  test("holds the mean, is narrower for more queries, and the same for the same seed", async () => {
    const differences = (count: number): number[] => Array.from({ length: count }, (_, n) => (n % 4 === 0 ? 1 : 0));
    const few = await bootstrapInterval(differences(40), 1);
    const many = await bootstrapInterval(differences(4000), 1);
    expect(await bootstrapInterval(differences(40), 1)).toEqual(few);
    for (const { low, high } of [few, many]) {
      expect(low).toBeLessThan(0.25);
      expect(high).toBeGreaterThan(0.25);
    }
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 5);
    // Binomial: a quarter ± 1.96 √(0.25 · 0.75 / 4000)
    expect(many.low).toBeCloseTo(0.25 - 1.96 * Math.sqrt((0.25 * 0.75) / 4000), 2);
    expect(await bootstrapInterval([0.5, 0.5], 9)).toEqual({ low: 0.5, high: 0.5 });
    expect(await bootstrapInterval([], 9)).toEqual({ low: 0, high: 0 });
  });
});

test("random numbers are decided by their seed alone, and even", () => {
  const word = randomWords(1);
  const first = [word(), word(), word()];
  const again = randomWords(1);
  expect([again(), again(), again()]).toEqual(first);
  expect(randomWords(2)()).not.toBe(first[0]);
  const bits = Array.from({ length: 32 }, () => 0);
  for (let n = 0; n < 10_000; n++) {
    const value = word();
    for (let bit = 0; bit < 32; bit++) bits[bit]! += (value >>> bit) & 1;
  }
  for (const count of bits) expect(Math.abs(count - 5000)).toBeLessThan(250);
});
