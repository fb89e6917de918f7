import { expect, test } from "vitest";
import { VectorCorpus } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore } from "./filled-store.ts";

/** The order of hits. */
export function vectorOrderCases({ opened }: VectorStoreUnderTest): void {
  test("puts equal vectors in the order of their chunks' ids", async () => {
    const values = Array.from({ length: 40 }, (_, at) => Float32Array.of(1, at % 4, 2));
    const { vectors, table, corpus, oracle } = await filledStore(opened(), { values });
    const query = Float32Array.of(1, 0, 2);
    const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 40 });
    oracle.expectExact(hits, query, 40);
    const group = (at: number): string[] =>
      corpus.chunks
        .filter((_, n) => n % 4 === at)
        .map(({ id }) => id)
        .sort();
    expect(hits.map(({ chunkId }) => chunkId)).toEqual([...group(0), ...group(1), ...group(2), ...group(3)]);
  });

  test("finds k of a hundred equal vectors, all with the same score", async () => {
    const values = Array.from({ length: 100 }, () => Float32Array.of(3, 4));
    const { vectors, table, oracle } = await filledStore(opened(), { values, metric: "l2" });
    for (const k of [1, 10, 100, 1000]) {
      const query = Float32Array.of(0, 0);
      const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k });
      oracle.expectExact(hits, query, k);
      expect(new Set(hits.map(({ score }) => score))).toEqual(new Set([-5]));
    }
  });

  test("answers the same question the same way", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 200, dimensions: 1 });
    const query = records[0]?.vector ?? new Float32Array(1);
    const ask = { modelVersion: "1", k: 30 };
    const first = await vectors.search(table.indexId, query, ask);
    for (let again = 0; again < 3; again++) {
      expect((await vectors.search(table.indexId, query, ask)).hits).toEqual(first.hits);
    }
  });

  test("keeps extremes of what floats hold in their order", async () => {
    const { vectors, db } = opened();
    const corpus = await VectorCorpus.create(db, 4);
    const table = await vectors.ensureTable({ modelId: "test", dimensions: 2, metric: "dot" });
    const values = [Float32Array.of(1e17, 0), Float32Array.of(-1e17, 0), Float32Array.of(1, 0), Float32Array.of(0, 0)];
    const records = values.map((vector, at) => corpus.record(table, at, vector));
    await vectors.upsert(table.indexId, records);
    await corpus.mark(table, records);
    const { hits } = await vectors.search(table.indexId, Float32Array.of(1e17, 0), { modelVersion: "1", k: 4 });
    expect(hits.map(({ chunkId }) => chunkId)).toEqual([0, 2, 3, 1].map((at) => corpus.chunks[at]?.id));
    expect(hits.every(({ score }) => Number.isFinite(score))).toBe(true);
  });
}
