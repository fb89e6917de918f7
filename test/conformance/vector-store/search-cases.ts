import { expect, test } from "vitest";
import type { VectorMetric, VectorRecord } from "../../../src/contracts/vectors.ts";
import { randomVectors } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { type FilledStore, filledStore } from "./filled-store.ts";

/** Searches without filters. */
export function vectorSearchCases({ opened, recall }: VectorStoreUnderTest): void {
  /** Searches for random vectors and for stored ones, and holds the answers against the oracle. */
  async function expectRecall(filled: FilledStore, k: number, ef?: number): Promise<void> {
    const { vectors, table, records, oracle, random } = filled;
    const queries = [
      ...randomVectors(random, 10, table.dimensions),
      ...records.slice(0, 5).map(({ vector }) => vector),
    ];
    let near = 0;
    let wanted = 0;
    for (const query of queries) {
      const asked = { modelVersion: "1", k, ...(ef === undefined ? {} : { ef }) };
      const { hits, plan } = await vectors.search(table.indexId, query, asked);
      const checked = oracle.check(hits, query, k);
      near += checked.near;
      wanted += checked.wanted;
      expect(plan).toMatchObject({ total: records.length, allowed: records.length, fellBack: false });
      expect(plan.evaluations).toBeGreaterThan(0);
      if (ef !== undefined) expect(plan.ef).toBe(ef);
      if (plan.kind === "scan") expect(plan.evaluations).toBeGreaterThanOrEqual(records.length);
    }
    expect(near / wanted).toBeGreaterThanOrEqual(recall);
  }

  const shapes: [VectorMetric, number][] = (["cosine", "dot", "l2"] as const).flatMap((metric) =>
    [1, 3, 17, 384, 4096].map((dimensions): [VectorMetric, number] => [metric, dimensions]),
  );
  test.each(shapes)("finds the nearest by %s in %i dimensions, with their scores", async (metric, dimensions) => {
    const filled = await filledStore(opened(), { metric, dimensions, count: dimensions > 1000 ? 60 : 150 });
    await expectRecall(filled, 1);
    await expectRecall(filled, 10);
  });

  test("finds k of them for every k up to 1000, and all where there are fewer", async () => {
    const filled = await filledStore(opened(), { count: 1020, dimensions: 8 });
    for (const k of [2, 99, 1000]) await expectRecall(filled, k);
    const { vectors, table, records } = filled;
    const few = records.slice(0, 1010).map(({ chunkId }) => chunkId);
    for (let from = 0; from < few.length; from += 1000) {
      await vectors.deleteByChunkIds(table.indexId, few.slice(from, from + 1000));
    }
    filled.oracle.delete(few);
    const query = (records[0] as VectorRecord).vector;
    const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 1000 });
    filled.oracle.expectExact(hits, query, 1000);
  });

  test("takes every width of the walk from k to 4096", async () => {
    const filled = await filledStore(opened(), { count: 300, dimensions: 4 });
    for (const ef of [40, 300, 4096]) await expectRecall(filled, 40, ef);
  });

  test("does not care how long a vector is under cosine, and does under the others", async () => {
    const filled = await filledStore(opened(), { count: 50 });
    const { vectors, table, records } = filled;
    const query = (records[3] as VectorRecord).vector;
    const ask = { modelVersion: "1", k: 10 };
    const plain = await vectors.search(table.indexId, query, ask);
    const long = await vectors.search(
      table.indexId,
      query.map((x) => x * 1e10),
      ask,
    );
    expect(long.hits.map(({ chunkId }) => chunkId)).toEqual(plain.hits.map(({ chunkId }) => chunkId));
    expect(plain.hits[0]?.score).toBeCloseTo(1, 5);
    expect(long.hits[0]?.score).toBeLessThanOrEqual(1);
  });

  test.each(["dot", "l2"] as const)("measures lengths under %s", async (metric) => {
    const values = [1, 2, 3].map((x) => Float32Array.of(x, 0));
    const { vectors, table, corpus } = await filledStore(opened(), { metric, values });
    const { hits } = await vectors.search(table.indexId, Float32Array.of(2, 0), { modelVersion: "1", k: 3 });
    const [one, two, three] = corpus.chunks.map(({ id }) => id);
    if (metric === "dot") {
      expect(hits.map(({ chunkId, score }) => [chunkId, score])).toEqual([
        [three, 6],
        [two, 4],
        [one, 2],
      ]);
    } else {
      expect(hits[0]).toMatchObject({ chunkId: two });
      expect(hits.map(({ score }) => score + 0)).toEqual([0, -1, -1]);
    }
  });

  test("takes the zero vector under dot and l2, stored and asked", async () => {
    for (const metric of ["dot", "l2"] as const) {
      const { vectors, db } = opened();
      const table = await vectors.ensureTable({ modelId: metric, dimensions: 2, metric });
      const answer = await vectors.search(table.indexId, new Float32Array(2), { modelVersion: "1", k: 3 });
      expect(answer.hits).toEqual([]);
      expect(await db.get("SELECT 1 AS one")).toEqual({ one: 1 });
    }
    const values = [new Float32Array(2), Float32Array.of(3, 4)];
    const { vectors, table, oracle } = await filledStore(opened(), { metric: "l2", values });
    const { hits } = await vectors.search(table.indexId, new Float32Array(2), { modelVersion: "1", k: 3 });
    oracle.expectExact(hits, new Float32Array(2), 3);
    expect(hits.map(({ score }) => score + 0)).toEqual([0, -5]);
  });

  test("finds nothing in a generation that is not there", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 5 });
    const query = (records[0] as VectorRecord).vector;
    expect(await vectors.search(table.indexId, query, { modelVersion: "none", k: 5 })).toMatchObject({
      hits: [],
      plan: { kind: "scan", total: 0, allowed: 0, evaluations: 0 },
    });
  });

  test("sees what others committed before it was asked, without a flush", async () => {
    const filled = await filledStore(opened(), { count: 100 });
    const { vectors, table, corpus, random, oracle } = filled;
    for (let round = 0; round < 20; round++) {
      const [vector] = randomVectors(random, 1, 17) as [Float32Array];
      const record = corpus.record(table, random.below(100), vector);
      await vectors.upsert(table.indexId, [record]);
      oracle.put([record]);
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 3 });
      expect(hits[0]?.chunkId).toBe(record.chunkId);
    }
  });

  test("answers searches at once with writes, each with what was committed when it was asked or later", async () => {
    const filled = await filledStore(opened(), { count: 100 });
    const { vectors, table, records } = filled;
    const gone = records.slice(0, 30).map(({ chunkId }) => chunkId);
    const searches = records
      .slice(0, 20)
      .map(({ vector }) => vectors.search(table.indexId, vector, { modelVersion: "1", k: 1000 }));
    const [deleted, ...answers] = await Promise.all([vectors.deleteByChunkIds(table.indexId, gone), ...searches]);
    expect(deleted).toBe(30);
    for (const { hits } of answers) {
      const found = new Set(hits.map(({ chunkId }) => chunkId));
      for (const { chunkId } of records.slice(30)) expect(found.has(chunkId)).toBe(true);
    }
  });

  test("says ABORTED with the reason where the signal has fired", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 5 });
    const reason = new Error("enough");
    const query = (records[0] as VectorRecord).vector;
    const options = { signal: AbortSignal.abort(reason) };
    const ask = { modelVersion: "1", k: 5 };
    const aborted = { name: "StorageError", code: "ABORTED", cause: reason };
    await expect(vectors.search(table.indexId, query, ask, options)).rejects.toMatchObject(aborted);
    await expect(vectors.searchBatch(table.indexId, [query], ask, options)).rejects.toMatchObject(aborted);
    expect((await vectors.search(table.indexId, query, ask)).hits).toHaveLength(5);
  });

  test("is ABORTED or whole where the signal fires during the search, and goes on working", async () => {
    const { vectors, table, records, corpus } = await filledStore(opened(), { count: 50 });
    const query = (records[0] as VectorRecord).vector;
    const ask = { modelVersion: "1", k: 50 };
    for (let turns = 0; turns < 12; turns++) {
      // Something to read before it can search.
      await vectors.upsert(table.indexId, [corpus.record(table, turns, query)]);
      const stop = new AbortController();
      const call = vectors.search(table.indexId, query, ask, { signal: stop.signal });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      stop.abort(new Error("enough"));
      const [outcome] = await Promise.allSettled([call]);
      if (outcome.status === "fulfilled") expect(outcome.value.hits).toHaveLength(50);
      else expect(outcome.reason).toMatchObject({ name: "StorageError", code: "ABORTED" });
      expect((await vectors.search(table.indexId, query, ask)).hits).toHaveLength(50);
    }
  });
}
