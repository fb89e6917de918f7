import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RankedGrades, rankGrades } from "../../src/store/evaluation/metrics/ranked-grades.ts";
import { scoreRanking } from "../../src/store/evaluation/metrics/score-ranking.ts";
import { naiveMeasures } from "../support/trec-measures.ts";

const KEYS = Array.from({ length: 30 }, (_, n) => `d${n}`);
const ranking = fc.shuffledSubarray(KEYS);
const k = fc.integer({ min: 1, max: 40 });
/** Judgements of which at least one is relevant. */
const grades = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...KEYS), fc.integer({ min: -2, max: 4 }), { noNullPrototype: true }),
    fc.constantFrom(...KEYS),
    fc.integer({ min: 1, max: 4 }),
  )
  .map(([all, key, grade]) => new Map(Object.entries({ ...all, [key]: grade })));

const scored = (size: number, ranked: RankedGrades) => scoreRanking(size, ranked)!;

describe("measures of any ranking", () => {
  test("are those of the published definitions", () => {
    fc.assert(
      fc.property(k, ranking, grades, (size, keys, judged) => {
        const expected = naiveMeasures(size, keys, judged);
        for (const [name, value] of Object.entries(scored(size, rankGrades(keys, judged)))) {
          expect(Math.abs(value - (expected as unknown as Record<string, number>)[name]!)).toBeLessThanOrEqual(1e-9);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("are from 0 to 1", () => {
    fc.assert(
      fc.property(k, ranking, grades, (size, keys, judged) => {
        for (const value of Object.values(scored(size, rankGrades(keys, judged)))) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  test("are 1 for the ideal one, precision and recall as far as k allows", () => {
    fc.assert(
      fc.property(k, grades, (size, judged) => {
        const ideal = [...judged].filter(([, grade]) => grade > 0).toSorted((a, b) => b[1] - a[1]);
        const measures = scored(
          size,
          rankGrades(
            ideal.map(([key]) => key),
            judged,
          ),
        );
        expect(measures.ndcg).toBeCloseTo(1, 12);
        expect(measures.reciprocalRank).toBe(1);
        expect(measures.averagePrecision).toBeCloseTo(1, 12);
        expect(measures.precision).toBeCloseTo(Math.min(size, ideal.length) / size, 12);
        expect(measures.recall).toBeCloseTo(Math.min(size, ideal.length) / ideal.length, 12);
      }),
    );
  });

  test("are the same whatever follows the last relevant document, and in whatever order judgements came", () => {
    fc.assert(
      fc.property(k, ranking, grades, fc.array(fc.string()), (size, keys, judged, tail) => {
        const irrelevant = tail.filter((key) => !judged.has(key) && !keys.includes(key));
        const turned = new Map([...judged].toReversed());
        expect(scored(size, rankGrades([...keys, ...irrelevant], turned))).toEqual(
          scored(size, rankGrades(keys, judged)),
        );
      }),
    );
  });

  test("do not fall when a relevant document changes places with an irrelevant one before it", () => {
    fc.assert(
      fc.property(k, ranking, grades, fc.nat(), fc.nat(), (size, keys, judged, one, other) => {
        fc.pre(keys.length > 1);
        const [high, low] = [one % keys.length, other % keys.length].toSorted((a, b) => a - b) as [number, number];
        fc.pre((judged.get(keys[low]!) ?? 0) > 0 && (judged.get(keys[high]!) ?? 0) <= 0);
        const better = [...keys];
        [better[high], better[low]] = [keys[low]!, keys[high]!];
        const before = scored(size, rankGrades(keys, judged));
        for (const [name, value] of Object.entries(scored(size, rankGrades(better, judged)))) {
          expect(value).toBeGreaterThanOrEqual((before as unknown as Record<string, number>)[name]! - 1e-12);
        }
      }),
    );
  });
});
