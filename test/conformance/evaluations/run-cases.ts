import { expect, test } from "vitest";
import type { EvalProgress, EvalRun } from "../../../src/contracts/evaluations.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { EVAL_FILES, EVAL_SUITE, runOverCorpus } from "../../support/eval-corpus.ts";

/** Runs: what they keep, and how they end. */
export function runCases(store: () => Store): void {
  const evaluations = () => store().evaluations;
  const many = (count: number) => ({
    name: "many",
    queries: Array.from({ length: count }, (_, n) => ({ id: `q${n}`, text: "kiln", expected: ["a.md"] })),
  });

  test("keeps how it was made, what was found and what that is worth", async () => {
    const run = await runOverCorpus(store(), "before");
    const corpusRevision = await store().documents.corpusRevision();
    expect(run).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      suite: "kilns",
      suiteHash: (await evaluations().putSuite(EVAL_SUITE)).hash,
      label: "before",
      status: "completed",
      error: null,
      config: {
        k: 3,
        depth: 100,
        search: { mode: "lexical", plainText: true },
        judged: "path",
        ownVectors: false,
        model: null,
        documents: 5,
        chunks: (await store().stats()).chunks,
        packageVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
        schemaVersion: (await store().stats()).schemaVersion,
        engine: (await store().stats()).sql.engine,
      },
      aggregates: {
        metrics: expect.any(Object) as object,
        scored: 3,
        unscored: 1,
        withoutHits: 1,
        withoutVectors: 0,
        missing: 1,
        latency: expect.any(Object) as object,
      },
      queryCount: 4,
      doneCount: 4,
      corpusRevision,
      endRevision: corpusRevision,
      startedAt: expect.any(Number) as number,
      finishedAt: expect.any(Number) as number,
    });
    expect(await evaluations().getRun(run.id)).toEqual(run);
  });

  test("counts a document once, at its first hit, and measures by hand-worked values", async () => {
    const run = await runOverCorpus(store());
    const { items } = await evaluations().listResults(run.id);
    expect(items.map(({ queryId, text, relevant }) => [queryId, text, relevant])).toEqual([
      ["graded", "kiln", 3],
      ["expected", "glaze", 1],
      ["nothing", "kiln", 0],
      ["unfound", "porcelain", 2],
    ]);
    const [graded, expected, nothing, unfound] = items;
    expect(graded!.hits.map(({ workspacePath, rank, grade }) => [workspacePath, rank, grade])).toEqual([
      ["a.md", 1, 0],
      ["b.md", 2, 2],
      ["c.md", 3, -1],
    ]);
    expect(graded!.found).toEqual([
      [2, 2],
      [4, 1],
    ]);
    for (const hit of graded!.hits) {
      const document = await store().documents.getDocumentByWorkspacePath(hit.workspacePath);
      expect(hit.documentId).toBe(document?.id);
      expect((await store().documents.getChunk(hit.chunkId))?.documentId).toBe(hit.documentId);
    }
    // The ideal ranking has the grades 3, 2, 1; of the three relevant one is among the first three, and ranks 2 and 4 are relevant.
    const ideal = 3 / Math.log2(2) + 2 / Math.log2(3) + 1 / Math.log2(4);
    expect(graded!.metrics!.ndcg).toBeCloseTo(2 / Math.log2(3) / ideal, 12);
    expect(graded!.metrics!.recall).toBeCloseTo(1 / 3, 12);
    expect(graded!.metrics!.precision).toBeCloseTo(1 / 3, 12);
    expect(graded!.metrics!.reciprocalRank).toBeCloseTo(1 / 2, 12);
    expect(graded!.metrics!.averagePrecision).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
    expect(expected!.metrics).toEqual({ ndcg: 1, recall: 1, precision: 1 / 3, reciprocalRank: 1, averagePrecision: 1 });
    expect(nothing).toMatchObject({ metrics: null, found: [] });
    expect(unfound).toMatchObject({ hits: [], found: [] });
    expect(Object.values(unfound!.metrics!)).toEqual([0, 0, 0, 0, 0]);
    const { metrics } = run.aggregates!;
    expect(metrics!.ndcg).toBeCloseTo((graded!.metrics!.ndcg + 1 + 0) / 3, 12);
    expect(metrics!.averagePrecision).toBeCloseTo((1 / 3 + 1 + 0) / 3, 12);
    const times = items.map(({ elapsedMs }) => elapsedMs).toSorted((a, b) => a - b);
    const { latency } = run.aggregates!;
    expect([latency.p50, latency.p95, latency.p99, latency.max]).toEqual([times[1], times[3], times[3], times[3]]);
  });

  test("turns pages until the depth is reached, and no further", async () => {
    const files = Array.from({ length: 130 }, (_, n) => ({
      path: `n/${String(n).padStart(3, "0")}.md`,
      content: `kiln ${"clay ".repeat(n + 1)}`,
    }));
    await store().ingest(files, { embed: "off" });
    const suite = { name: "deep", queries: [{ id: "1", text: "kiln", expected: files.map(({ path }) => path) }] };
    const found = async (options: { k?: number; depth?: number }): Promise<number[]> => {
      const { id } = await evaluations().run(suite, options);
      const [result] = (await evaluations().listResults(id)).items;
      return [result!.hits.length, result!.found.length];
    };
    expect(await found({})).toEqual([10, 100]);
    expect(await found({ k: 5, depth: 5 })).toEqual([5, 5]);
    expect(await found({ k: 60, depth: 1000 })).toEqual([60, 130]);
  });

  test("is judged by documents or chunks, too", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const { hits } = await store().search({ text: "kiln" });
    const inA = hits.filter(({ citation }) => citation.workspacePath === "a.md");
    expect(inA).toHaveLength(2);
    const measure = async (judged: "document" | "chunk", key: string): Promise<number[]> => {
      const run = await evaluations().run({
        name: judged,
        judged,
        queries: [{ id: "1", text: "kiln", expected: [key] }],
      });
      expect(run.aggregates).toMatchObject({ missing: 0 });
      return (await evaluations().listResults(run.id)).items[0]!.found.map(([rank]) => rank);
    };
    expect(await measure("document", inA[1]!.documentId)).toEqual([1]);
    expect(await measure("chunk", inA[1]!.chunkId)).toEqual([hits.indexOf(inA[1]!) + 1]);
  });

  test("asks queries with their filters, as text, and as its options say", async () => {
    await store().ingest([...EVAL_FILES, { path: "de/f.md", content: "kilns -kiln" }], { embed: "off" });
    const paths = async (text: string, search: object, filters?: object): Promise<string[]> => {
      const query = { id: "1", text, expected: [], ...(filters === undefined ? {} : { filters }) };
      const { id } = await evaluations().run({ name: "s", queries: [query] }, { search });
      return (await evaluations().listResults(id)).items[0]!.hits.map(({ workspacePath }) => workspacePath);
    };
    expect(await paths("kiln", {}, { pathGlob: "de/**" })).toEqual(["de/f.md"]);
    expect(await paths("glaze -kiln", {})).toContain("a.md");
    expect(await paths("glaze -kiln", { plainText: false })).toEqual(["e.md"]);
    expect(await paths("glazes", {})).toEqual([]);
    expect(await paths("glazes", { stemming: "match" })).toEqual(["e.md"]);
  });

  test("runs a suite that was put, and is of it as it was then", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const { hash } = await evaluations().putSuite(EVAL_SUITE);
    const { id } = await evaluations().run("kilns");
    await evaluations().putSuite({ ...EVAL_SUITE, queries: EVAL_SUITE.queries.slice(1) });
    await evaluations().deleteSuite("kilns");
    expect(await evaluations().getRun(id)).toMatchObject({ suite: "kilns", suiteHash: hash, queryCount: 4 });
    await expect(evaluations().run("kilns")).rejects.toMatchObject({ code: "NOT_FOUND", capability: "evaluations" });
  });

  test("lists runs, the last begun first, by suite and status, page by page", async () => {
    const runs: EvalRun[] = [];
    for (let n = 0; n < 5; n++)
      runs.unshift(await evaluations().run({ ...EVAL_SUITE, name: n % 2 === 0 ? "even" : "odd" }));
    const all = async (filter: object, limit: number): Promise<EvalRun[]> => {
      const seen: EvalRun[] = [];
      let cursor: string | undefined;
      do {
        const page = await evaluations().listRuns(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return seen;
    };
    for (const limit of [1, 2, 5, 6]) expect(await all({}, limit)).toEqual(runs);
    expect(await all({ suite: "even" }, 2)).toEqual(runs.filter(({ suite }) => suite === "even"));
    expect(await all({ status: "failed" }, 2)).toEqual([]);
    expect(await all({ suite: "odd", status: "completed" }, 1)).toHaveLength(2);
    const { nextCursor } = await evaluations().listRuns({}, { limit: 1 });
    const refused = { code: "INVALID_INPUT", message: expect.stringContaining("another list") as string };
    await expect(evaluations().listRuns({ suite: "even" }, { cursor: nextCursor! })).rejects.toMatchObject(refused);
  });

  test("lists results in the order of the suite, page by page", async () => {
    const { id } = await evaluations().run(many(120));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await evaluations().listResults(id, { limit: 50, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ queryId }) => queryId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(many(120).queries.map((query) => query.id));
    await expect(evaluations().listResults("unknown")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("tells how far it is, and keeps what is done when it is cancelled", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const told: EvalProgress[] = [];
    await evaluations().run(many(120), { onProgress: (progress) => void told.push(progress) });
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [50, 120],
      [100, 120],
      [120, 120],
    ]);
    const controller = new AbortController();
    const cancelled = evaluations().run(many(5000), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === 100) controller.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED", capability: "evaluations", operation: "run" });
    const [run] = (await evaluations().listRuns({ status: "cancelled" })).items;
    expect(run).toMatchObject({ suite: "many", aggregates: null, queryCount: 5000 });
    expect(run!.doneCount).toBeGreaterThanOrEqual(100);
    expect(run!.doneCount).toBeLessThan(5000);
    expect((await evaluations().listResults(run!.id, { limit: 1 })).items[0]).toMatchObject({
      queryId: "q0",
      relevant: 1,
    });
  });

  test("writes nothing when it is cancelled before it begins, or cannot begin", async () => {
    const signal = AbortSignal.abort();
    await expect(evaluations().run(EVAL_SUITE, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(evaluations().run(EVAL_SUITE, { search: { mode: "vector" } })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      capability: "search",
    });
    expect(await evaluations().listRuns()).toEqual({ items: [] });
  });

  test("is kept as failed when its progress cannot be told", async () => {
    const failing = evaluations().run(EVAL_SUITE, {
      onProgress: () => {
        throw new RangeError("nobody listens");
      },
    });
    await expect(failing).rejects.toThrow("nobody listens");
    const [run] = (await evaluations().listRuns()).items;
    expect(run).toMatchObject({ status: "failed", error: "nobody listens", aggregates: null });
  });

  test("ends where its progress cannot be told any more, also where that is known later", async () => {
    const later: unknown = async ({ done }: EvalProgress): Promise<void> => {
      if (done === 100) throw new RangeError("nobody listens");
    };
    const failing = evaluations().run(many(5000), { onProgress: later as (progress: EvalProgress) => void });
    await expect(failing).rejects.toThrow("nobody listens");
    const [run] = (await evaluations().listRuns()).items;
    expect(run).toMatchObject({ status: "failed", error: "nobody listens", queryCount: 5000 });
    expect(run!.doneCount).toBeGreaterThanOrEqual(100);
    expect(run!.doneCount).toBeLessThan(5000);
  });

  test("is deleted with its results", async () => {
    const kept = await evaluations().run(EVAL_SUITE);
    const { id } = await evaluations().run(EVAL_SUITE);
    expect(await evaluations().deleteRun(id)).toBe(true);
    expect(await evaluations().deleteRun(id)).toBe(false);
    expect(await evaluations().getRun(id)).toBeUndefined();
    await expect(evaluations().listResults(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await evaluations().listRuns()).items).toEqual([kept]);
  });

  test("leaves the corpus revision, and notes it when it changes meanwhile", async () => {
    await store().ingest(EVAL_FILES, { embed: "off" });
    const before = await store().documents.corpusRevision();
    let changed: Promise<unknown> | undefined;
    const run = await evaluations().run(many(150), {
      onProgress: ({ done }) => {
        if (done === 50) changed = store().ingest({ path: "later.md", content: "kiln" }, { embed: "off" });
      },
    });
    await changed;
    const after = await store().documents.corpusRevision();
    expect(run.corpusRevision).toBe(before);
    expect([before, after]).toContain(run.endRevision);
    expect(await evaluations().run(EVAL_SUITE)).toMatchObject({ corpusRevision: after, endRevision: after });
  });
}
