import { describe, expect, test } from "vitest";
import { latencyOf, meanMetrics } from "../../src/store/evaluation/metrics/mean-metrics.ts";
import { rankGrades } from "../../src/store/evaluation/metrics/ranked-grades.ts";
import { scoreRanking } from "../../src/store/evaluation/metrics/score-ranking.ts";

const measure = (k: number, ranking: string, grades: Record<string, number>) =>
  scoreRanking(k, rankGrades([...ranking], new Map(Object.entries(grades))));

/** Holds measures to hand-worked values. */
function expectMeasures(actual: ReturnType<typeof measure>, expected: NonNullable<ReturnType<typeof measure>>): void {
  for (const [name, value] of Object.entries(expected)) {
    const difference = Math.abs((actual as unknown as Record<string, number>)[name]! - value);
    expect({ name, within: difference <= 1e-9 }).toEqual({ name, within: true });
  }
}

describe("measures agree with values worked out by hand", () => {
  // Ranks 1, 3 and 6 are relevant, of four in all; log2(2) = 1, log2(3) = 1.5849625007, log2(4) = 2, log2(5) = 2.3219280949.
  test("of binary judgements, at 5", () => {
    expectMeasures(measure(5, "axbyzc", { a: 1, b: 1, c: 1, d: 1 }), {
      // (1 + 1/2) / (1 + 1/1.5849625007 + 1/2 + 1/2.3219280949) = 1.5 / 2.5616063116448
      ndcg: 0.585_570_075_0,
      recall: 2 / 4,
      precision: 2 / 5,
      reciprocalRank: 1,
      // (1/1 + 2/3 + 3/6) / 4 = (13/6) / 4
      averagePrecision: 13 / 24,
    });
  });

  test("of graded judgements: a grade counts as much as it is", () => {
    expectMeasures(measure(3, "xab", { a: 1, b: 3, c: 2 }), {
      // (0 + 1/1.5849625007 + 3/2) / (3 + 2/1.5849625007 + 1/2) = 2.1309297536 / 4.7618595071429
      ndcg: 0.447_499_501_1,
      recall: 2 / 3,
      precision: 2 / 3,
      reciprocalRank: 1 / 2,
      // (1/2 + 2/3) / 3 = (7/6) / 3
      averagePrecision: 7 / 18,
    });
  });

  test("of one relevant document at rank 4, at 3 and at 4", () => {
    const beyond = { ndcg: 0, recall: 0, precision: 0, reciprocalRank: 1 / 4, averagePrecision: 1 / 4 };
    expectMeasures(measure(3, "wxya", { a: 1 }), beyond);
    // 1 / log2(5)
    expectMeasures(measure(4, "wxya", { a: 1 }), { ...beyond, ndcg: 0.430_676_558_1, recall: 1, precision: 1 / 4 });
  });

  test("of a ranking that is shorter than k: what is not there is not relevant", () => {
    expectMeasures(measure(10, "ab", { a: 1, b: 1, c: 1 }), {
      // (1 + 1/1.5849625007) / (1 + 1/1.5849625007 + 1/2) = 1.6309297536 / 2.1309297536
      ndcg: 0.765_360_637_0,
      recall: 2 / 3,
      precision: 2 / 10,
      reciprocalRank: 1,
      averagePrecision: 2 / 3,
    });
  });

  test("of grades of 0 and less: not relevant, nor part of the ideal", () => {
    expectMeasures(measure(2, "nza", { n: -2, z: 0, a: 2 }), {
      ndcg: 0,
      recall: 0,
      precision: 0,
      reciprocalRank: 1 / 3,
      averagePrecision: 1 / 3,
    });
    expectMeasures(measure(3, "nza", { n: -2, z: 0, a: 2 }), {
      // 2/log2(4) over 2/log2(2)
      ndcg: 0.5,
      recall: 1,
      precision: 1 / 3,
      reciprocalRank: 1 / 3,
      averagePrecision: 1 / 3,
    });
  });

  test("of a ranking with nothing in it, or nothing relevant in it: 0", () => {
    const zeros = { ndcg: 0, recall: 0, precision: 0, reciprocalRank: 0, averagePrecision: 0 };
    expect(measure(5, "", { a: 1 })).toEqual(zeros);
    expect(measure(5, "xyz", { a: 3, x: 0 })).toEqual(zeros);
  });

  test("of a query with nothing relevant: none", () => {
    expect(measure(5, "xyz", { x: 0, y: -1 })).toBeNull();
    expect(measure(5, "xyz", {})).toBeNull();
  });

  test("in the mean over queries", () => {
    const a = measure(1, "a", { a: 1 })!;
    const b = measure(1, "xa", { a: 1 })!;
    expect(meanMetrics([a, b])).toEqual({
      ndcg: 0.5,
      recall: 0.5,
      precision: 0.5,
      reciprocalRank: 0.75,
      averagePrecision: 0.75,
    });
    expect(meanMetrics([])).toBeNull();
  });
});

test("quantiles of times are times that so many do not exceed", () => {
  const times = Array.from({ length: 200 }, (_, n) => 200 - n);
  expect(latencyOf(times)).toEqual({ mean: 100.5, p50: 100, p95: 190, p99: 198, max: 200 });
  expect(latencyOf([7])).toEqual({ mean: 7, p50: 7, p95: 7, p99: 7, max: 7 });
  expect(latencyOf([])).toEqual({ mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
});
