import { expect, test } from "vitest";
import type { VectorRecord } from "../../../src/contracts/vectors.ts";
import { FILTERS, randomVectors } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore } from "./filled-store.ts";

/** Searches for many vectors in one call. */
export function vectorBatchCases({ opened }: VectorStoreUnderTest): void {
  test.each(["cosine", "dot", "l2"] as const)("answers each vector as a search does, by %s", async (metric) => {
    const { vectors, table, random, records } = await filledStore(opened(), { count: 300, metric });
    const queries = [...randomVectors(random, 95, 17), ...records.slice(0, 10).map(({ vector }) => vector)];
    for (const ask of [
      { modelVersion: "1", k: 5 },
      { modelVersion: "1", k: 20, ef: 30 },
      { modelVersion: "1", k: 3, filters: FILTERS[3]?.filter ?? {} },
    ]) {
      const batched = await vectors.searchBatch(table.indexId, queries, ask);
      expect(batched).toHaveLength(queries.length);
      for (const [at, query] of queries.entries()) {
        const alone = await vectors.search(table.indexId, query, ask);
        expect(batched[at]?.hits).toEqual(alone.hits);
        expect(batched[at]?.plan).toMatchObject({ kind: alone.plan.kind, ef: alone.plan.ef, total: 300 });
      }
    }
  });

  test("answers nothing to no vectors, and each vector of a thousand", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 20, dimensions: 3 });
    const ask = { modelVersion: "1", k: 1 };
    expect(await vectors.searchBatch(table.indexId, [], ask)).toEqual([]);
    const queries = Array.from({ length: 1000 }, (_, at) => (records[at % 20] as VectorRecord).vector);
    const answers = await vectors.searchBatch(table.indexId, queries, ask);
    expect(answers.map(({ hits }) => hits[0]?.chunkId)).toEqual(queries.map((_, at) => records[at % 20]?.chunkId));
    await expect(vectors.searchBatch(table.indexId, [...queries, queries[0]!], ask)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      operation: "searchBatch",
    });
  });

  test("answers with empty lists where there is no such generation", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 3 });
    const queries = records.map(({ vector }) => vector);
    const answers = await vectors.searchBatch(table.indexId, queries, { modelVersion: "2", k: 4 });
    expect(answers.map(({ hits }) => hits)).toEqual([[], [], []]);
  });

  test("names the vector that it refuses", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 3 });
    const queries = [...records.map(({ vector }) => vector), new Float32Array(17)];
    await expect(vectors.searchBatch(table.indexId, queries, { modelVersion: "1", k: 4 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("vectors[3]") as string,
    });
  });
}
