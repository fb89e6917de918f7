import { expect, test } from "vitest";
import type { NewEvalSuite } from "../../../src/contracts/evaluations.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { EVAL_FILES, EVAL_SUITE } from "../../support/eval-corpus.ts";

/** Queries that find their document by another form of a word, or as it is, or not at all. */
const FORMS: NewEvalSuite = {
  name: "forms",
  queries: [
    ...Array.from({ length: 6 }, (_, n) => ({ id: `form${n}`, text: "glazes", expected: ["e.md"] })),
    { id: "same", text: "glaze", expected: ["e.md"] },
    { id: "never", text: "porcelain", expected: ["e.md"] },
    { id: "unscored", text: "glaze", expected: [] },
  ],
};

/** Comparisons of two runs. */
export function compareCases(store: () => Store): void {
  const evaluations = () => store().evaluations;

  test("pairs two runs by query, with means, wins and significance", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const a = await evaluations().run(FORMS, { search: { stemming: "off" } });
    const b = await evaluations().run(
      { ...FORMS, queries: FORMS.queries.toReversed() },
      { search: { stemming: "match" } },
    );
    const comparison = await evaluations().compare(a.id, b.id);
    expect(comparison).toMatchObject({ metric: "ndcg", a, b, queries: 8, wins: 6, ties: 2, losses: 0, seed: 1 });
    expect(comparison.meanA).toBeCloseTo(1 / 8, 12);
    expect(comparison.meanB).toBeCloseTo(7 / 8, 12);
    expect(comparison.difference).toBeCloseTo(6 / 8, 12);
    // Differences are six ones and two zeros: mean 3/4, variance 8 · (3/4 · 1/4) / 7, so t = 0.75 / √(3/14 / 8) = √21.
    expect(comparison.tTest!.t).toBeCloseTo(Math.sqrt(21), 10);
    expect(comparison.tTest).toMatchObject({ degreesOfFreedom: 7 });
    expect(comparison.tTest!.pValue).toBeCloseTo(0.002_53, 4);
    // Of the 64 signs of six ones two are as far from 0: all plus, all minus.
    expect(comparison.randomisation).toEqual({ pValue: 2 / 64, permutations: 64, exact: true });
    expect(comparison.interval.low).toBeGreaterThan(0);
    expect(comparison.interval.high).toBeLessThanOrEqual(1);
    expect(comparison.differences.map(({ difference }) => difference)).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
    expect(comparison.differences.at(-2)).toEqual({ queryId: "same", text: "glaze", a: 1, b: 1, difference: 0 });
    expect(await evaluations().compare(a.id, b.id, { seed: 1, metric: "ndcg" })).toEqual(comparison);
    const turned = await evaluations().compare(b.id, a.id, { metric: "recall" });
    expect(turned).toMatchObject({ metric: "recall", wins: 0, losses: 6, difference: -comparison.difference });
    expect(turned.randomisation).toEqual(comparison.randomisation);
  });

  test("finds no difference of a run to itself", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const { id } = await evaluations().run(EVAL_SUITE);
    expect(await evaluations().compare(id, id)).toMatchObject({
      difference: 0,
      wins: 0,
      ties: 3,
      losses: 0,
      tTest: { t: null, degreesOfFreedom: 2, pValue: 1 },
      randomisation: { pValue: 1, permutations: 1, exact: true },
      interval: { low: 0, high: 0 },
    });
  });

  test("has nothing to say of a suite with nothing relevant", async () => {
    const { id, aggregates } = await evaluations().run({ name: "s", queries: [{ id: "1", text: "x", expected: [] }] });
    expect(aggregates).toMatchObject({ metrics: null, scored: 0, unscored: 1 });
    expect(await evaluations().compare(id, id)).toMatchObject({ queries: 0, tTest: null, differences: [] });
  });

  test("is ended by a signal", async () => {
    const queries = Array.from({ length: 20 }, (_, n) => ({ id: `${n}`, text: "glazes", expected: ["e.md"] }));
    await store().ingest(EVAL_FILES, { embed: "off" });
    const a = await evaluations().run({ name: "s", queries }, { search: { stemming: "off" } });
    const b = await evaluations().run({ name: "s", queries }, { search: { stemming: "match" } });
    const compared = evaluations().compare(a.id, b.id, { signal: AbortSignal.abort() });
    await expect(compared).rejects.toMatchObject({ code: "ABORTED" });
    expect(await evaluations().compare(a.id, b.id)).toMatchObject({ wins: 20 });
  });

  test("refuses runs of different suites, other k or depth, unfinished ones, and what is not there", async () => {
    const one = await evaluations().run(EVAL_SUITE);
    const refused = { code: "CONFLICT", capability: "evaluations", operation: "compare" };
    const other = await evaluations().run({ ...EVAL_SUITE, queries: EVAL_SUITE.queries.slice(1) });
    await expect(evaluations().compare(one.id, other.id)).rejects.toMatchObject(refused);
    for (const options of [{ k: 5 }, { depth: 50 }]) {
      const { id } = await evaluations().run(EVAL_SUITE, options);
      await expect(evaluations().compare(one.id, id)).rejects.toMatchObject(refused);
    }
    const controller = new AbortController();
    const queries = Array.from({ length: 5000 }, (_, n) => ({ id: `${n}`, text: "x", expected: ["a.md"] }));
    const ended = evaluations().run(
      { name: "m", queries },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await expect(ended).rejects.toMatchObject({ code: "ABORTED" });
    const [cancelled] = (await evaluations().listRuns({ status: "cancelled" })).items;
    await expect(evaluations().compare(one.id, cancelled!.id)).rejects.toMatchObject(refused);
    await expect(evaluations().compare(cancelled!.id, cancelled!.id)).rejects.toMatchObject(refused);
    await expect(evaluations().compare(one.id, "unknown")).rejects.toMatchObject({ ...refused, code: "NOT_FOUND" });
  });
}
