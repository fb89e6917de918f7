import { expect, onTestFinished, test } from "vitest";
import { checkRunOptions } from "../../src/contracts/check-evaluations.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError } from "../../src/errors.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { rankQuery, type SearchCall } from "../../src/store/evaluation/rank-query.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { EVAL_FILES, EVAL_SUITE, runOverCorpus } from "../support/eval-corpus.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const CITATION = {
  chunkId: "c",
  documentId: "d",
  title: "t",
  workspacePath: "a.md",
  headingPath: [],
  span: { kind: "line" as const, start: 1, end: 2 },
};

async function withVectors(embedder?: TestEmbedder): Promise<EmbeddingStore> {
  const opened = await openEmbeddingStore({ vectors: flatVectors, embedder });
  await opened.store.ingest(EVAL_FILES, { embed: embedder === undefined ? "off" : "wait" });
  return opened;
}

test("a run by vectors says which model served, and stands on words where that fails", async () => {
  const embedder = new TestEmbedder("7");
  await using opened = await withVectors(embedder);
  const { evaluations } = opened.store;
  const model = { modelId: "test", modelVersion: "7", dimensions: 16 };
  for (const mode of ["vector", "hybrid"] as const) {
    const run = await evaluations.run(EVAL_SUITE, { search: { mode, weights: { vector: 2 } } });
    const config = { model, search: { mode, plainText: true, weights: { vector: 2 } }, ownVectors: false };
    expect(run).toMatchObject({ config, aggregates: { withoutVectors: 0, withoutHits: 0 } });
  }
  embedder.before = () => {
    throw new StorageError("TIMEOUT", "no answer", { capability: "embedder", operation: "embed" });
  };
  const alone = await evaluations.run(EVAL_SUITE, { search: { mode: "hybrid" } });
  expect(alone).toMatchObject({ config: { model: null }, aggregates: { withoutVectors: 4 } });
  await expect(evaluations.run(EVAL_SUITE, { search: { mode: "vector" } })).rejects.toMatchObject({ code: "TIMEOUT" });
});

test("a run that fails in its midst is kept with what it has, and why it failed", async () => {
  const embedder = new TestEmbedder();
  await using opened = await withVectors(embedder);
  const { evaluations } = opened.store;
  embedder.before = (texts) => {
    if (texts.includes("glaze"))
      throw new StorageError("DRIVER", "broken", { capability: "embedder", operation: "embed" });
  };
  await expect(evaluations.run(EVAL_SUITE, { search: { mode: "vector" } })).rejects.toMatchObject({ code: "DRIVER" });
  const [run] = (await evaluations.listRuns()).items;
  expect(run).toMatchObject({ status: "failed", error: "broken", doneCount: 1, queryCount: 4, aggregates: null });
  expect((await evaluations.listResults(run!.id)).items.map(({ queryId }) => queryId)).toEqual(["graded"]);
});

test("queries are asked with embeddings of their own, by words in hybrid and for nothing in vector where they have none", async () => {
  await using opened = await withVectors();
  const { store } = opened;
  const document = await store.documents.getDocumentByWorkspacePath("e.md");
  const [chunk] = await store.documents.getChunksOf(document!.id);
  const spec = { modelId: "own", modelVersion: "1", dimensions: 2 };
  await store.embeddings.put(spec, [{ chunkId: chunk!.id, vector: new Float32Array([1, 0]) }]);
  const vectors = { graded: new Float32Array([1, 0]) };
  const hits = async (mode: "vector" | "hybrid"): Promise<string[][]> => {
    const run = await store.evaluations.run(EVAL_SUITE, { vectors, search: { mode } });
    expect(run.config).toMatchObject({ ownVectors: true, model: spec });
    const { items } = await store.evaluations.listResults(run.id);
    return items.map((result) => result.hits.map(({ workspacePath }) => workspacePath));
  };
  expect(await hits("vector")).toEqual([["e.md"], [], [], []]);
  const [graded, expected] = await hits("hybrid");
  expect(graded!.toSorted()).toEqual(["a.md", "b.md", "c.md", "d.md", "e.md"]);
  expect(expected).toEqual(["e.md"]);
});

test("a suite of more than 16 MiB is refused, and one of 10,000 queries is kept", async () => {
  const { store } = await openTestStore();
  const suite = (count: number, length: number) => ({
    name: "large",
    queries: Array.from({ length: count }, (_, n) => ({ id: `${n}`, text: "x".repeat(length), expected: ["a.md"] })),
  });
  await expect(store.evaluations.putSuite(suite(5000, 4000))).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(/^suite has \d+ characters as JSON/) as string,
  });
  await expect(store.evaluations.putSuite(suite(10_001, 1))).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await store.evaluations.putSuite(suite(10_000, 1000));
  expect((await store.evaluations.getSuite("large"))?.queries).toHaveLength(10_000);
  await store.close();
});

async function fill(store: Store): Promise<void> {
  await runOverCorpus(store, "before");
  await store.evaluations.putSuite(EVAL_SUITE);
  await store.answers.record({ query: "q", mode: "lexical", text: "a", citations: [CITATION], metadata: { n: 1 } });
  await store.answers.record({ query: "q", mode: "hybrid", text: "", outcome: "refused", refusalReason: "no" });
}

async function everything(store: Store): Promise<unknown> {
  const runs = (await store.evaluations.listRuns()).items;
  return {
    runs,
    results: await Promise.all(runs.map(({ id }) => store.evaluations.listResults(id))),
    suites: (await store.evaluations.listSuites()).items,
    suite: await store.evaluations.getSuite("kilns"),
    answers: (await store.answers.list()).items,
  };
}

test("an archive carries answers, suites and runs; a run that was going on is interrupted in the other store", async () => {
  const source = await openTestStore();
  await fill(source.store);
  const before = await everything(source.store);
  const target = await openTestStore();
  await target.store.import(inPieces(await archiveOf(source.store)));
  expect(await everything(target.store)).toEqual(before);
  expect(await target.store.check()).toMatchObject({ ok: true });
  await source.db.run("UPDATE eval_runs SET status = 'running', metrics = NULL, finished_at = NULL");
  const other = await openTestStore();
  await other.store.import(inPieces(await archiveOf(source.store)));
  expect((await other.store.evaluations.listRuns()).items).toMatchObject([{ status: "interrupted", aggregates: null }]);
  await expect(target.store.import(inPieces(await archiveOf(source.store)))).rejects.toMatchObject({
    code: "CONFLICT",
  });
  for (const { store } of [source, target, other]) await store.close();
});

test.each<[string, string]>([
  ["answers", "UPDATE answers SET citations = 'nothing'"],
  ["answers", "UPDATE answers SET packed_chunks = '{}'"],
  ["answers", "UPDATE answers SET sequence = 9223372036854775807"],
  ["eval_suites", "UPDATE eval_suites SET queries = '7'"],
  ["eval_runs", "UPDATE eval_runs SET config = '[]'"],
  ["eval_runs", "UPDATE eval_runs SET metrics = 'x'"],
  ["eval_query_results", "UPDATE eval_query_results SET hits = 'null'"],
  ["eval_query_results", "UPDATE eval_query_results SET ordinal = -1"],
])("an archive whose %s no store could have written is refused: %s", async (table, statement) => {
  const source = await openTestStore();
  await fill(source.store);
  await source.db.run(statement);
  const archive = await archiveOf(source.store);
  const target = await openTestStore();
  await expect(target.store.import(inPieces(archive))).rejects.toMatchObject({
    code: "CORRUPT",
    message: expect.stringContaining(`${table} has a row`) as string,
  });
  for (const { store } of [source, target]) await store.close();
});

test("check finds what is not whole, and repair says of it what it is", async () => {
  const { store, db } = await openTestStore();
  await fill(store);
  const bad = async (): Promise<string[]> =>
    (await store.check()).findings.filter(({ ok }) => !ok).map(({ name }) => name);
  expect(await bad()).toEqual([]);
  await db.run("UPDATE answers SET citations = '[]'");
  await db.run("DELETE FROM eval_query_results WHERE query_id = 'expected'");
  expect(await bad()).toEqual(["grounded answers", "whole evaluation runs"]);
  expect((await store.repair({ dryRun: true })).steps.map(({ outcome }) => outcome)).toEqual(["planned", "planned"]);
  const { steps } = await store.repair();
  expect(steps).toEqual([
    { name: "grounded answers", outcome: "repaired", detail: "1 answer said to be ungrounded" },
    { name: "whole evaluation runs", outcome: "repaired", detail: "1 run said to be interrupted" },
  ]);
  expect(await bad()).toEqual([]);
  expect((await store.answers.list({ outcome: "grounded" })).items).toEqual([]);
  expect((await store.evaluations.listRuns()).items).toMatchObject([{ status: "interrupted", aggregates: null }]);
  await db.run("UPDATE eval_suites SET query_count = 5");
  expect(await bad()).toEqual(["whole evaluation runs"]);
  expect((await store.repair()).steps).toMatchObject([{ name: "whole evaluation runs", outcome: "left" }]);
  await store.evaluations.putSuite(EVAL_SUITE);
  expect(await bad()).toEqual([]);
  await store.close();
});

test("closing ends a run, which is cancelled", async () => {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  let rows: unknown[] = [];
  const watched: SqlDatabase = new Proxy(db, {
    get: (target, name) => {
      if (name !== "close") {
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      }
      return async () => {
        rows = await target.all("SELECT status, error FROM eval_runs");
        await target.close();
      };
    },
  });
  const store = await createStore({ db: watched, blobs: new SqlBlobStore(db) });
  const queries = Array.from({ length: 10_000 }, (_, n) => ({ id: `${n}`, text: "kiln", expected: ["a.md"] }));
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const run = store.evaluations.run({ name: "long", queries }, { onProgress: () => begun() });
  const outcome = run.then(
    () => "completed",
    (error: unknown) => (error as StorageError).code,
  );
  await hasBegun;
  await store.close();
  expect(await outcome).toBe("CLOSED");
  expect(rows).toEqual([{ status: "cancelled", error: expect.any(String) }]);
});

test("rows of earlier releases stay readable: in the order of their time, and as what they say", async () => {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  await migrate(db, migrations.slice(0, 8));
  await db.exec(`
    INSERT INTO answers VALUES ('b', 'q2', 'lexical', 'x', '[]', NULL, 3, 20), ('a', 'q1', 'hybrid', 'y', '${JSON.stringify([CITATION])}', 'm', 2, 10);
    INSERT INTO eval_runs VALUES ('r', 's', '{}', NULL, 4, 30, NULL);
  `);
  const store = await createStore({ db, blobs: new SqlBlobStore(db) });
  expect((await store.answers.list()).items).toMatchObject([
    { id: "b", query: "q2", outcome: "ungrounded", packedChunks: [], corpusRevision: 3 },
    { id: "a", query: "q1", outcome: "grounded", citations: [CITATION], model: "m" },
  ]);
  const { id } = await store.answers.record({ query: "q3", mode: "lexical", text: "" });
  expect((await store.answers.list({}, { limit: 1 })).items[0]?.id).toBe(id);
  expect((await store.evaluations.listRuns()).items).toMatchObject([{ id: "r", status: "interrupted", startedAt: 30 }]);
  await store.close();
});

test("a query whose corpus grows between its pages comes to its end", async () => {
  const { store } = await openTestStore();
  onTestFinished(() => store.close());
  const files = Array.from({ length: 60 }, (_, n) => ({
    path: `${n}.md`,
    content: `# Cone ${n}\n\nkiln in a long row`,
  }));
  await store.ingest(files);
  // Shorter ones than the others: what is as long as before is long now, and its score sinks.
  let pages = 0;
  const search: SearchCall = async (query, options) => {
    if (++pages > 50) throw new Error("it does not end");
    const page = await store.search(query, options);
    await store.ingest({ path: `later/${pages}.md`, content: `# Cone ${pages}\n\nkiln` });
    return page;
  };
  const options = checkRunOptions({ capability: "evaluations", operation: "run" }, { depth: 1000 });
  const query = { id: "1", text: "kiln", judgements: { "7.md": 1 } };
  const { result } = await rankQuery(search, query, "path", options, new AbortController().signal);
  expect(result).toMatchObject({ relevant: 1, found: [[expect.any(Number), 1]] });
});
