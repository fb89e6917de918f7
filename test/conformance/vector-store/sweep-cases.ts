import { expect, test } from "vitest";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore } from "./filled-store.ts";

/** Vectors that no embedding record stands for. */
export function vectorSweepCases({ opened }: VectorStoreUnderTest): void {
  test("sweeps nothing where every vector has its record", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 20 });
    expect(await vectors.orphanSweep(table.indexId)).toEqual({ orphans: 0, deleted: 0 });
    expect(await vectors.count(table.indexId)).toBe(20);
  });

  test("only counts in a dry run", async () => {
    const { vectors, table, corpus, records } = await filledStore(opened(), { count: 20 });
    await corpus.forget(records.slice(0, 5));
    expect(await vectors.orphanSweep(table.indexId, { dryRun: true })).toEqual({ orphans: 5, deleted: 0 });
    expect(await vectors.count(table.indexId)).toBe(20);
  });

  test("deletes orphans up to the limit, and the rest the next time", async () => {
    const { vectors, table, corpus, records, oracle } = await filledStore(opened(), { count: 20 });
    await corpus.forget(records.slice(0, 5));
    oracle.delete(records.slice(0, 5).map(({ chunkId }) => chunkId));
    expect(await vectors.orphanSweep(table.indexId, { maxDelete: 3 })).toEqual({ orphans: 5, deleted: 3 });
    expect(await vectors.orphanSweep(table.indexId, { maxDelete: 3 })).toEqual({ orphans: 2, deleted: 2 });
    expect(await vectors.orphanSweep(table.indexId, { maxDelete: 3 })).toEqual({ orphans: 0, deleted: 0 });
    expect(await vectors.count(table.indexId)).toBe(15);
    for (const { vector } of records.slice(0, 6)) {
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 1000 });
      oracle.expectExact(hits, vector, 1000);
    }
  });

  test("spares the chunks of the allowlist", async () => {
    const { vectors, table, corpus, records } = await filledStore(opened(), { count: 20 });
    await corpus.forget(records.slice(0, 5));
    const allowlist = records.slice(0, 2).map(({ chunkId }) => chunkId);
    expect(await vectors.orphanSweep(table.indexId, { allowlist, dryRun: true })).toEqual({ orphans: 3, deleted: 0 });
    expect(await vectors.orphanSweep(table.indexId, { allowlist })).toEqual({ orphans: 3, deleted: 3 });
    const ids = records.slice(0, 6).map(({ embeddingId }) => embeddingId);
    expect(await vectors.batchExists(table.indexId, ids)).toEqual([true, true, false, false, false, true]);
  });

  test("spares what is pending: its record is on its way", async () => {
    const { vectors, table, corpus, records } = await filledStore(opened(), { count: 4 });
    await corpus.mark(table, records.slice(0, 2), "pending");
    expect(await vectors.orphanSweep(table.indexId)).toEqual({ orphans: 0, deleted: 0 });
    expect(await vectors.count(table.indexId)).toBe(4);
  });

  test("sweeps every generation of the table, and no other table", async () => {
    const { vectors, table, corpus, records } = await filledStore(opened(), { count: 4 });
    const other = await vectors.ensureTable({ modelId: "other", dimensions: 17 });
    const stray = corpus.record(table, 0, new Float32Array(17).fill(1), "2");
    const elsewhere = corpus.record(other, 0, new Float32Array(17).fill(1));
    await vectors.upsert(table.indexId, [stray]);
    await vectors.upsert(other.indexId, [elsewhere]);
    await corpus.forget(records.slice(3));
    expect(await vectors.orphanSweep(table.indexId)).toEqual({ orphans: 2, deleted: 2 });
    expect(await vectors.count(other.indexId)).toBe(1);
    expect(await vectors.orphanSweep(other.indexId)).toEqual({ orphans: 1, deleted: 1 });
  });
}
