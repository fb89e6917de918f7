import { expect, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { EVAL_FILES, EVAL_SUITE } from "../support/eval-corpus.ts";
import { openNodeStore, storeFolder } from "../support/open-node-store.ts";

test.each([0, 2])(
  "a store in threads runs suites by words and vectors with %i readers, and every reader sees them",
  async (readers) => {
    const store = await openNodeStore({ readers, embedder: { kind: "hashing", dimensions: 64 } });
    await store.ingest(EVAL_FILES, { embed: "wait" });
    const runs = [];
    for (const mode of ["lexical", "vector", "hybrid"] as const) {
      runs.unshift(await store.evaluations.run(EVAL_SUITE, { search: { mode } }));
    }
    for (const run of runs)
      expect(run).toMatchObject({ status: "completed", aggregates: { scored: 3, withoutVectors: 0 } });
    expect(runs[0]!.config.model).toMatchObject({ dimensions: 64 });
    const seen = await Promise.all(Array.from({ length: 6 }, () => store.evaluations.listRuns()));
    for (const { items } of seen) expect(items).toEqual(runs);
    const [hybrid, vector, lexical] = runs;
    expect(await store.evaluations.compare(lexical!.id, hybrid!.id)).toMatchObject({ queries: 3 });
    expect(vector!.aggregates!.withoutHits).toBe(0);
    const recorded = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.answers.record({ query: `q${n}`, mode: "lexical", text: "a" })),
    );
    expect((await store.answers.list()).items).toEqual(recorded.toReversed());
  },
);

test("a run neither keeps a store from being written nor from being closed, and is cancelled by it", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 1 });
  await store.ingest(EVAL_FILES);
  const queries = Array.from({ length: 10_000 }, (_, n) => ({ id: `${n}`, text: "kiln", expected: ["a.md"] }));
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const run = store.evaluations.run({ name: "long", queries }, { onProgress: () => begun() });
  const outcome = run.then(
    () => "completed",
    (error: unknown) => (error as { code: string }).code,
  );
  await hasBegun;
  expect(await store.ingest({ path: "later.md", content: "kiln" })).toMatchObject({ added: 1 });
  await store.close();
  expect(["CLOSED", "ABORTED"]).toContain(await outcome);
  const again = await openNodeStore({ dir, readers: 0 });
  const [row] = (await again.evaluations.listRuns()).items;
  expect(row).toMatchObject({ status: "cancelled", aggregates: null });
  expect((await again.check()).ok).toBe(true);
});

test("a store that is only read shows answers and runs, beside one that goes on, and takes none", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir });
  await store.ingest(EVAL_FILES);
  const { id } = await store.evaluations.run(EVAL_SUITE);
  const answer = await store.answers.record({ query: "q", mode: "lexical", text: "a" });
  await using reading = await openStore({ dir, readOnly: true, vectors: "hnsw" });
  expect(await reading.evaluations.getRun(id)).toMatchObject({ status: "completed" });
  expect(await reading.evaluations.compare(id, id)).toMatchObject({ difference: 0 });
  expect((await reading.answers.list()).items).toEqual([answer]);
  const evaluations = { code: "UNSUPPORTED", capability: "evaluations" };
  await expect(reading.evaluations.run(EVAL_SUITE)).rejects.toMatchObject(evaluations);
  await expect(reading.evaluations.putSuite(EVAL_SUITE)).rejects.toMatchObject(evaluations);
  await expect(reading.evaluations.deleteSuite("x")).rejects.toMatchObject(evaluations);
  await expect(reading.evaluations.deleteRun(id)).rejects.toMatchObject(evaluations);
  const answers = { code: "UNSUPPORTED", capability: "answers" };
  await expect(reading.answers.record({ query: "q", mode: "lexical", text: "a" })).rejects.toMatchObject(answers);
  await expect(reading.answers.delete(answer.id)).rejects.toMatchObject(answers);
});

test("a run and an embedding end with what their progress throws, across the threads", async () => {
  const store = await openNodeStore({ readers: 1, embedder: { kind: "hashing", dimensions: 64 } });
  await store.ingest(EVAL_FILES, { embed: "off" });
  const onProgress = (): void => {
    throw new RangeError("nobody listens");
  };
  await expect(store.evaluations.run(EVAL_SUITE, { onProgress })).rejects.toThrow("nobody listens");
  expect((await store.evaluations.listRuns()).items).toMatchObject([{ status: "failed", error: "nobody listens" }]);
  await expect(store.embeddings.run({ onProgress })).rejects.toThrow("nobody listens");
});
