import { expect, test } from "vitest";
import type { EvalSuiteInfo, NewEvalSuite } from "../../../src/contracts/evaluations.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { EVAL_SUITE } from "../../support/eval-corpus.ts";

/** Suites: putting, getting, listing and deleting them. */
export function suiteCases(store: () => Store): void {
  const evaluations = () => store().evaluations;

  test("keeps a suite whole, what is expected as judgements of grade 1", async () => {
    const info = await evaluations().putSuite(EVAL_SUITE);
    expect(info).toEqual({
      name: "kilns",
      hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      description: "What burns",
      judged: "path",
      queryCount: 4,
      createdAt: expect.any(Number) as number,
      updatedAt: info.createdAt,
    });
    expect(await evaluations().getSuite("kilns")).toEqual({
      ...info,
      queries: [
        EVAL_SUITE.queries[0],
        { id: "expected", text: "glaze", judgements: { "e.md": 1 } },
        EVAL_SUITE.queries[2],
        { id: "unfound", text: "porcelain", judgements: { "e.md": 1, "gone.md": 1 } },
      ],
    });
  });

  test("keeps names of any kind, filters, and grades of what objects call their own", async () => {
    const suite: NewEvalSuite = {
      name: "窯 / __proto__",
      judged: "document",
      queries: [
        {
          id: "constructor",
          text: "x",
          judgements: JSON.parse('{"__proto__":2,"toString":1}') as Record<string, number>,
          filters: { lang: ["zh", "en"], trustMin: 0.5 },
        },
      ],
    };
    await evaluations().putSuite(suite);
    const read = await evaluations().getSuite(suite.name);
    expect(read).toMatchObject({ judged: "document", description: null });
    const [query] = read!.queries;
    expect(Object.entries(query!.judgements)).toEqual([
      ["__proto__", 2],
      ["toString", 1],
    ]);
    expect(query!.filters).toEqual({ lang: ["zh", "en"], trustMin: 0.5 });
  });

  test("has the same hash for what measures the same, and another for what does not", async () => {
    const { queries } = EVAL_SUITE;
    const put = async (suite: Partial<NewEvalSuite>): Promise<string> =>
      (await evaluations().putSuite({ ...EVAL_SUITE, ...suite })).hash;
    const hash = await put({});
    expect(await put({ name: "other", description: null, queries: queries.toReversed() })).toBe(hash);
    const expected = [{ id: "1", text: "x", expected: ["b", "a"] }];
    expect(await put({ queries: expected })).toBe(
      await put({ queries: [{ id: "1", text: "x", judgements: { a: 1, b: 1 } }] }),
    );
    expect(await put({ judged: "document" })).not.toBe(hash);
    expect(await put({ queries: queries.slice(1) })).not.toBe(hash);
    expect(await put({ queries: [{ ...queries[0]!, text: "kilns" }, ...queries.slice(1)] })).not.toBe(hash);
    expect(await put({ queries: [{ ...queries[0]!, filters: { lang: "en" } }, ...queries.slice(1)] })).not.toBe(hash);
  });

  test("takes the place of the one of its name, and the same again changes nothing", async () => {
    const first = await evaluations().putSuite(EVAL_SUITE);
    expect(await evaluations().putSuite(EVAL_SUITE)).toEqual(first);
    const other = await evaluations().putSuite({ ...EVAL_SUITE, queries: EVAL_SUITE.queries.slice(0, 1) });
    expect(other).toMatchObject({ queryCount: 1, createdAt: first.createdAt });
    expect((await evaluations().listSuites()).items).toEqual([other]);
  });

  test("lists the last made first, page by page, and forgets what is deleted", async () => {
    const infos: EvalSuiteInfo[] = [];
    for (let n = 0; n < 5; n++) infos.unshift(await evaluations().putSuite({ ...EVAL_SUITE, name: `suite ${n}` }));
    for (const limit of [1, 2, 4, 5, 6]) {
      const seen: EvalSuiteInfo[] = [];
      let cursor: string | undefined;
      do {
        const page = await evaluations().listSuites({ limit, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(infos);
    }
    expect(await evaluations().deleteSuite("suite 3")).toBe(true);
    expect(await evaluations().deleteSuite("suite 3")).toBe(false);
    expect(await evaluations().getSuite("suite 3")).toBeUndefined();
    expect((await evaluations().listSuites()).items).toHaveLength(4);
  });
}
