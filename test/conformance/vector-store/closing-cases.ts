import { expect, test } from "vitest";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore } from "./filled-store.ts";

/** The end of a store. */
export function vectorClosingCases({ opened }: VectorStoreUnderTest): void {
  test("is CLOSED for everything but its capabilities, its reports and being closed", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 5 });
    const { indexId } = table;
    const vector = new Float32Array(17).fill(1);
    const query = { modelVersion: "1", k: 1 };
    await Promise.all([vectors.close(), vectors.close()]);
    await vectors.close();
    const calls: Record<string, () => Promise<unknown>> = {
      ensureTable: () => vectors.ensureTable({ modelId: "a", dimensions: 2 }),
      tables: () => vectors.tables(),
      upsert: () => vectors.upsert(indexId, records),
      deleteByChunkIds: () => vectors.deleteByChunkIds(indexId, []),
      deleteGeneration: () => vectors.deleteGeneration(indexId, "1"),
      search: () => vectors.search(indexId, vector, query),
      searchBatch: () => vectors.searchBatch(indexId, [vector], query),
      count: () => vectors.count(indexId),
      generations: () => vectors.generations(indexId),
      info: () => vectors.info(indexId),
      batchExists: () => vectors.batchExists(indexId, []),
      vectorsOf: () => vectors.vectorsOf(indexId, []),
      rebuild: () => vectors.rebuild(indexId, "1"),
      examine: () => vectors.examine(indexId),
      orphanSweep: () => vectors.orphanSweep(indexId),
      selfCheck: () => vectors.selfCheck(indexId, "1"),
      flush: () => vectors.flush(),
    };
    for (const [operation, call] of Object.entries(calls)) {
      const closed = { name: "StorageError", code: "CLOSED", capability: "vectors", operation };
      await expect(call()).rejects.toMatchObject(closed);
    }
    expect((await vectors.capabilities()).maxK).toBe(1000);
  });

  test("ends what runs when it is closed: with an answer, or CLOSED", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 200 });
    const query = { modelVersion: "1", k: 10 };
    const running = [
      ...records.slice(0, 20).map(({ vector }) => vectors.search(table.indexId, vector, query)),
      vectors.rebuild(table.indexId, "1"),
      vectors.flush(),
    ];
    await vectors.close();
    for (const outcome of await Promise.allSettled(running)) {
      if (outcome.status === "rejected") {
        expect(outcome.reason).toMatchObject({ name: "StorageError", code: "CLOSED" });
      }
    }
    expect(await opened().db.get("SELECT 1 AS one")).toEqual({ one: 1 });
  });
}
