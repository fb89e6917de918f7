import { expect, test } from "vitest";
import type { Evaluations } from "../../../src/contracts/evaluations.ts";
import type { Store } from "../../../src/contracts/store.ts";

const QUERY = { id: "1", text: "kiln", expected: ["a.md"] };
const SUITE = { name: "s", queries: [QUERY] };
const withQuery = (query: object): unknown[] => [{ ...SUITE, queries: [{ ...QUERY, expected: undefined, ...query }] }];

/** Field, method, and arguments that are refused for it. */
const CASES: readonly [string, keyof Evaluations, unknown[]][] = [
  ["suite got", "putSuite", ["s"]],
  ['suite has an unknown field "query"', "putSuite", [{ ...SUITE, query: [] }]],
  ["suite.name", "putSuite", [{ ...SUITE, name: "" }]],
  ["suite.name", "putSuite", [{ ...SUITE, name: "x".repeat(257) }]],
  ["suite.description", "putSuite", [{ ...SUITE, description: "" }]],
  ["suite.judged", "putSuite", [{ ...SUITE, judged: "line" }]],
  ["suite.queries", "putSuite", [{ ...SUITE, queries: [] }]],
  ["suite.queries[1].id", "putSuite", [{ ...SUITE, queries: [QUERY, QUERY] }]],
  ["suite.queries[0] takes either", "putSuite", withQuery({})],
  ["suite.queries[0] takes either", "putSuite", withQuery({ expected: [], judgements: {} })],
  ["suite.queries[0].id", "putSuite", withQuery({ expected: [], id: 7 })],
  ["suite.queries[0].text", "putSuite", withQuery({ expected: [], text: undefined })],
  ["suite.queries[0].text", "putSuite", withQuery({ expected: [], text: "x".repeat(4097) })],
  ["suite.queries[0].expected", "putSuite", withQuery({ expected: "a.md" })],
  ["suite.queries[0].expected[1]", "putSuite", withQuery({ expected: ["a.md", ""] })],
  ["suite.queries[0].judgements", "putSuite", withQuery({ judgements: [["a.md", 1]] })],
  ['suite.queries[0].judgements["a.md"]', "putSuite", withQuery({ judgements: { "a.md": 0.5 } })],
  ['suite.queries[0].judgements["a.md"]', "putSuite", withQuery({ judgements: { "a.md": 1001 } })],
  ["suite.queries[0].judgements", "putSuite", withQuery({ judgements: { ["x".repeat(1025)]: 1 } })],
  ["suite.queries[0].filters.trustMin", "putSuite", withQuery({ expected: [], filters: { trustMin: 2 } })],
  ["name", "getSuite", [""]],
  ["name", "deleteSuite", [7]],
  ["page.limit", "listSuites", [{ limit: 0 }]],
  ["page.cursor", "listSuites", [{ cursor: "garbage" }]],
  ["suite got", "run", [undefined]],
  ["suite", "run", [""]],
  ["options", "run", [SUITE, 7]],
  ['options has an unknown field "mode"', "run", [SUITE, { mode: "hybrid" }]],
  ["options.k", "run", [SUITE, { k: 0 }]],
  ["options.k", "run", [SUITE, { k: 1001 }]],
  ["options.depth", "run", [SUITE, { k: 20, depth: 10 }]],
  ["options.label", "run", [SUITE, { label: "" }]],
  ["options.search", "run", [SUITE, { search: "hybrid" }]],
  ['options.search has an unknown field "text"', "run", [SUITE, { search: { text: "x" } }]],
  ["options.vectors", "run", [SUITE, { vectors: [] }]],
  ['options.vectors["1"]', "run", [SUITE, { vectors: { "1": [1, 2] } }]],
  ["options.onProgress", "run", [SUITE, { onProgress: "tell" }]],
  ["id", "getRun", [""]],
  ["id", "deleteRun", [null]],
  ["filter.suite", "listRuns", [{ suite: "" }]],
  ["filter.status", "listRuns", [{ status: "done" }]],
  ['filter has an unknown field "label"', "listRuns", [{ label: "x" }]],
  ["page.limit", "listRuns", [{}, { limit: 1.5 }]],
  ["runId", "listResults", [""]],
  ["page.cursor", "listResults", ["x", { cursor: "garbage" }]],
  ["a got", "compare", ["", "x"]],
  ["b got", "compare", ["x", 7]],
  ["options.metric", "compare", ["x", "y", { metric: "f1" }]],
  ["options.seed", "compare", ["x", "y", { seed: -1 }]],
];

/** What is refused, and changes nothing. */
export function evaluationInputCases(store: () => Store): void {
  const methods = new Set(CASES.map(([, method]) => method));
  test.each([...methods])("%s refuses what it does not take, and names it", async (method) => {
    for (const [field, of, args] of CASES) {
      if (of !== method) continue;
      const evaluations = store().evaluations as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const error = await evaluations[method]!(...args).then(
        () => `${field} was taken`,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "INVALID_INPUT", capability: "evaluations", operation: method });
      expect((error as Error).message.slice(0, field.length)).toBe(field);
    }
    expect(await store().evaluations.listRuns()).toEqual({ items: [] });
    expect(await store().evaluations.listSuites()).toEqual({ items: [] });
  });

  test("run refuses what a search would refuse, before anything is written", async () => {
    for (const search of [{ mode: "fuzzy" }, { weights: { lexical: 11 } }, { ef: 1 }, { stemming: "much" }]) {
      await expect(store().evaluations.run(SUITE, { search } as object)).rejects.toMatchObject({
        code: "INVALID_INPUT",
      });
    }
    expect(await store().evaluations.listRuns()).toEqual({ items: [] });
  });
}
