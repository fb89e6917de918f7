import { expect, test } from "vitest";
import type { OrphanSweepOptions, VectorQuery, VectorRecord, VectorTableSpec } from "../../../src/contracts/vectors.ts";
import { VectorCorpus } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore } from "./filled-store.ts";

const ID = "0".repeat(32);
const RIGHT = { modelVersion: "1", k: 3 };
const vector = (...values: number[]): Float32Array => Float32Array.from(values);

function refusal(operation: string, field: string): object {
  const message = expect.stringContaining(field) as string;
  return { name: "StorageError", code: "INVALID_INPUT", capability: "vectors", operation, message };
}

/** What a store refuses, by name. */
export function vectorInputCases({ opened }: VectorStoreUnderTest): void {
  test("says NOT_FOUND for an index that is not there, in every call that takes one", async () => {
    const { vectors } = opened();
    const calls: Record<string, () => Promise<unknown>> = {
      upsert: () => vectors.upsert(ID, []),
      deleteByChunkIds: () => vectors.deleteByChunkIds(ID, [ID]),
      deleteGeneration: () => vectors.deleteGeneration(ID, "1"),
      search: () => vectors.search(ID, vector(1), RIGHT),
      searchBatch: () => vectors.searchBatch(ID, [vector(1)], RIGHT),
      count: () => vectors.count(ID),
      generations: () => vectors.generations(ID),
      info: () => vectors.info(ID),
      batchExists: () => vectors.batchExists(ID, [ID]),
      vectorsOf: () => vectors.vectorsOf(ID, [ID]),
      rebuild: () => vectors.rebuild(ID, "1"),
      examine: () => vectors.examine(ID),
      orphanSweep: () => vectors.orphanSweep(ID),
      selfCheck: () => vectors.selfCheck(ID, "1"),
    };
    for (const [operation, call] of Object.entries(calls)) {
      const missing = { name: "StorageError", code: "NOT_FOUND", capability: "vectors", operation };
      await expect(call()).rejects.toMatchObject(missing);
    }
  });

  test.each([
    ["spec", null],
    ["spec", "test"],
    ["metrik", { modelId: "a", dimensions: 2, metrik: "dot" }],
    ["spec.modelId", { modelId: "", dimensions: 2 }],
    ["spec.modelId", { modelId: "m".repeat(201), dimensions: 2 }],
    ["spec.modelId", { modelId: 7, dimensions: 2 }],
    ["spec.dimensions", { modelId: "a", dimensions: 0 }],
    ["spec.dimensions", { modelId: "a", dimensions: 4097 }],
    ["spec.dimensions", { modelId: "a", dimensions: 2.5 }],
    ["spec.dimensions", { modelId: "a" }],
    ["spec.metric", { modelId: "a", dimensions: 2, metric: "manhattan" }],
  ])("refuses the %s of %j and makes no table", async (field, spec) => {
    const { vectors } = opened();
    const call = vectors.ensureTable(spec as VectorTableSpec);
    await expect(call).rejects.toMatchObject(refusal("ensureTable", field));
    expect(await vectors.tables()).toEqual([]);
  });

  test("refuses a record whose vector or ids are wrong, and then writes none of the batch", async () => {
    const { vectors, db } = opened();
    const corpus = await VectorCorpus.create(db, 2);
    for (const metric of ["cosine", "dot", "l2"] as const) {
      const table = await vectors.ensureTable({ modelId: metric, dimensions: 2, metric });
      const good = corpus.record(table, 0, vector(1, 2));
      const bad: [string, unknown][] = [
        ["records[1]", null],
        ["more", { ...good, more: 1 }],
        ["records[1].embeddingId", { ...good, embeddingId: "e" }],
        ["records[1].chunkId", { ...good, chunkId: ID.toUpperCase().replaceAll("0", "A") }],
        ["records[1].documentId", { ...good, documentId: undefined }],
        ["records[1].modelVersion", { ...good, modelVersion: "" }],
        ["records[1].modelVersion", { ...good, modelVersion: "v".repeat(101) }],
        ["records[1].vector", { ...good, vector: [1, 2] }],
        ["records[1].vector", { ...good, vector: new Float64Array(2) }],
        ["records[1].vector", { ...good, vector: vector() }],
        ["records[1].vector", { ...good, vector: vector(1) }],
        ["records[1].vector", { ...good, vector: vector(1, 2, 3) }],
        ["records[1].vector[1]", { ...good, vector: vector(1, Number.NaN) }],
        ["records[1].vector[0]", { ...good, vector: vector(Infinity, 1) }],
        ["records[1].vector[0]", { ...good, vector: vector(-Infinity, 1) }],
        ["records[1].vector", { ...good, vector: metric === "cosine" ? vector(0, -0) : vector(2e18, 0) }],
      ];
      for (const [field, record] of bad) {
        const call = vectors.upsert(table.indexId, [good, record as VectorRecord]);
        await expect(call).rejects.toMatchObject(refusal("upsert", field));
      }
      await expect(vectors.upsert(table.indexId, null as unknown as [])).rejects.toMatchObject(
        refusal("upsert", "records"),
      );
      expect(await vectors.count(table.indexId)).toBe(0);
      expect((await vectors.info(table.indexId)).generations).toEqual([]);
    }
  });

  test.each([
    ["query", null],
    ["kk", { ...RIGHT, kk: 3 }],
    ["query.k", { modelVersion: "1" }],
    ["query.k", { ...RIGHT, k: 0 }],
    ["query.k", { ...RIGHT, k: 1001 }],
    ["query.k", { ...RIGHT, k: 1.5 }],
    ["query.k", { ...RIGHT, k: "3" }],
    ["query.modelVersion", { k: 3 }],
    ["query.modelVersion", { ...RIGHT, modelVersion: "" }],
    ["query.ef", { ...RIGHT, ef: 2 }],
    ["query.ef", { ...RIGHT, ef: 4097 }],
    ["query.ef", { ...RIGHT, ef: 3.5 }],
    ["filters", { ...RIGHT, filters: null }],
    ["tag", { ...RIGHT, filters: { tag: "x" } }],
    ["query.filters.lang", { ...RIGHT, filters: { lang: [] } }],
    ["query.filters.trustMin", { ...RIGHT, filters: { trustMin: 2 } }],
  ])("refuses the %s of the query %j", async (field, query) => {
    const { vectors } = opened();
    const { indexId } = await vectors.ensureTable({ modelId: "a", dimensions: 2 });
    const wrong = query as VectorQuery;
    await expect(vectors.search(indexId, vector(1, 2), wrong)).rejects.toMatchObject(refusal("search", field));
    const batch = vectors.searchBatch(indexId, [vector(1, 2)], wrong);
    await expect(batch).rejects.toMatchObject(refusal("searchBatch", field));
  });

  test("refuses query vectors that compare with nothing", async () => {
    const { vectors, table } = await filledStore(opened(), { values: [vector(1, 2)] });
    for (const wrong of [
      [1, 2],
      null,
      vector(),
      vector(1),
      vector(1, 2, 3),
      vector(0, 0),
      vector(1, Number.NaN),
      vector(Infinity, 1),
    ]) {
      const query = wrong as unknown as Float32Array;
      const call = vectors.search(table.indexId, query, RIGHT);
      await expect(call).rejects.toMatchObject(refusal("search", "vector"));
      const batch = vectors.searchBatch(table.indexId, [vector(1, 2), query], RIGHT);
      await expect(batch).rejects.toMatchObject(refusal("searchBatch", "vectors[1]"));
    }
    const batch = vectors.searchBatch(table.indexId, null as unknown as [], RIGHT);
    await expect(batch).rejects.toMatchObject(refusal("searchBatch", "vectors"));
  });

  test("refuses lists of ids that are too long or hold what are no ids", async () => {
    const { vectors } = opened();
    const { indexId } = await vectors.ensureTable({ modelId: "a", dimensions: 2 });
    for (const [field, ids] of [
      ["Ids", Array.from({ length: 1001 }, () => ID)],
      ["Ids[1]", [ID, "x"]],
      ["Ids", null],
    ] as const) {
      const list = ids as string[];
      await expect(vectors.deleteByChunkIds(indexId, list)).rejects.toMatchObject(refusal("deleteByChunkIds", field));
      await expect(vectors.batchExists(indexId, list)).rejects.toMatchObject(refusal("batchExists", field));
      await expect(vectors.vectorsOf(indexId, list)).rejects.toMatchObject(refusal("vectorsOf", field));
    }
  });

  test.each([
    ["maxDelete", { maxDelete: 0 }],
    ["maxDelete", { maxDelete: 1_000_001 }],
    ["dryRun", { dryRun: "yes" }],
    ["allowlist[0]", { allowlist: ["x"] }],
    ["allowlist", { allowlist: "x" }],
    ["limit", { limit: 3 }],
    ["options", null],
  ])("refuses the %s of the sweep %j", async (field, options) => {
    const { vectors, table, corpus, records } = await filledStore(opened(), { count: 2 });
    await corpus.forget(records);
    const call = vectors.orphanSweep(table.indexId, options as OrphanSweepOptions);
    await expect(call).rejects.toMatchObject(refusal("orphanSweep", field));
    expect(await vectors.count(table.indexId)).toBe(2);
  });

  test("refuses versions of a model that are none", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 2 });
    for (const version of ["", "v".repeat(101), 7 as unknown as string]) {
      const field = "modelVersion";
      const { indexId } = table;
      await expect(vectors.rebuild(indexId, version)).rejects.toMatchObject(refusal("rebuild", field));
      await expect(vectors.selfCheck(indexId, version)).rejects.toMatchObject(refusal("selfCheck", field));
      await expect(vectors.count(indexId, version)).rejects.toMatchObject(refusal("count", field));
      await expect(vectors.deleteGeneration(indexId, version)).rejects.toMatchObject(
        refusal("deleteGeneration", field),
      );
      await expect(vectors.deleteByChunkIds(indexId, [], version)).rejects.toMatchObject(
        refusal("deleteByChunkIds", field),
      );
    }
    expect(await vectors.count(table.indexId)).toBe(2);
  });

  test.each([0, 1001, 2.5, "10"])("refuses a sample of %j", async (sample) => {
    const { vectors, table } = await filledStore(opened(), { count: 2 });
    const call = vectors.selfCheck(table.indexId, "1", { sample: sample as number });
    await expect(call).rejects.toMatchObject(refusal("selfCheck", "sample"));
  });

  test("refuses what is no signal", async () => {
    const { vectors, table } = await filledStore(opened(), { values: [vector(1, 2)] });
    const options = { signal: {} as AbortSignal };
    const call = vectors.search(table.indexId, vector(1, 2), RIGHT, options);
    await expect(call).rejects.toMatchObject(refusal("search", "signal"));
    const batch = vectors.searchBatch(table.indexId, [vector(1, 2)], RIGHT, options);
    await expect(batch).rejects.toMatchObject(refusal("searchBatch", "signal"));
    const again = vectors.rebuild(table.indexId, "1", options);
    await expect(again).rejects.toMatchObject(refusal("rebuild", "signal"));
    await expect(vectors.examine(table.indexId, options)).rejects.toMatchObject(refusal("examine", "signal"));
  });
}
