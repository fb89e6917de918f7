import { expect, test, type TestContext } from "vitest";
import type { SqlExecutor } from "../../../src/contracts/sql.ts";
import type { VectorRecord, VectorTableWriter } from "../../../src/contracts/vectors.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { type FilledStore, filledStore } from "./filled-store.ts";

/** What a store inside the database's transactions does with those that are undone. */
export function vectorTransactionCases({ opened }: VectorStoreUnderTest): void {
  const writerOver = (skip: TestContext["skip"]): ((executor: SqlExecutor) => VectorTableWriter) => {
    const { over } = opened();
    if (over === undefined) return skip("capabilities().transactional is false");
    return over;
  };

  const expectSame = async ({ vectors, table, records, oracle }: FilledStore): Promise<void> => {
    for (const { vector } of records.slice(0, 4)) {
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 1000 });
      oracle.expectExact(hits, vector, 1000);
    }
  };

  test("an upsert that is rolled back was never there", async ({ skip }) => {
    const over = writerOver(skip);
    const filled = await filledStore(opened(), { count: 60 });
    const { vectors, table, corpus, random, records } = filled;
    await vectors.deleteByChunkIds(table.indexId, [(records[59] as VectorRecord).chunkId]);
    filled.oracle.delete([(records[59] as VectorRecord).chunkId]);
    const changed = [...Array(30).keys(), 59].map((at) =>
      corpus.record(
        table,
        at,
        Float32Array.from({ length: 17 }, () => random.normal()),
      ),
    );
    const undone = opened().db.transaction(async (tx) => {
      await over(tx).upsert(table.indexId, changed);
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    await expectSame(filled);
    expect(await vectors.count(table.indexId)).toBe(59);
    await vectors.rebuild(table.indexId, "1");
    await expectSame(filled);
  });

  test("a table that is made in a transaction goes with it, and is there with it", async ({ skip }) => {
    const over = writerOver(skip);
    const { vectors, table, corpus } = await filledStore(opened(), { count: 5 });
    const there = await vectors.tables();
    const spec = { modelId: "another", dimensions: 17, metric: "cosine" } as const;
    const make = async (tx: SqlExecutor, modelVersion: string): Promise<string> => {
      const made = await over(tx).ensureTable(spec);
      const record = corpus.record(made, 0, new Float32Array(17).fill(1), modelVersion);
      await corpus.mark(made, [record], "committed", tx);
      await over(tx).upsert(made.indexId, [record]);
      return made.indexId;
    };
    const undone = opened().db.transaction(async (tx) => {
      await make(tx, "undone");
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    expect(await vectors.tables()).toEqual(there);
    // One takes the key that the other would have had.
    const other = await vectors.ensureTable({ ...spec, modelId: "a third" });
    const indexId = await opened().db.transaction((tx) => make(tx, "1"));
    expect((await vectors.tables()).map((one) => one.modelId).sort()).toEqual(
      ["a third", "another", table.modelId].sort(),
    );
    expect(await vectors.count(indexId)).toBe(1);
    expect(await vectors.count(other.indexId)).toBe(0);
    const { hits } = await vectors.search(indexId, new Float32Array(17).fill(1), { modelVersion: "1", k: 5 });
    expect(hits).toHaveLength(1);
  });

  test("a generation that is rolled back was never there", async ({ skip }) => {
    const over = writerOver(skip);
    const filled = await filledStore(opened(), { count: 5 });
    const { vectors, table, corpus } = filled;
    const record = corpus.record(table, 0, new Float32Array(17).fill(1), "2");
    const undone = opened().db.transaction(async (tx) => {
      await corpus.mark(table, [record], "committed", tx);
      await over(tx).upsert(table.indexId, [record]);
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    expect((await vectors.info(table.indexId)).generations).toHaveLength(1);
    const { hits } = await vectors.search(table.indexId, record.vector, { modelVersion: "2", k: 1 });
    expect(hits).toEqual([]);
  });

  test("deletions that are rolled back leave everything found", async ({ skip }) => {
    const over = writerOver(skip);
    const filled = await filledStore(opened(), { count: 60 });
    const { table, records } = filled;
    const undone = opened().db.transaction(async (tx) => {
      const ids = records.slice(0, 20).map(({ chunkId }) => chunkId);
      expect(await over(tx).deleteByChunkIds(table.indexId, ids)).toBe(20);
      expect(await over(tx).deleteGeneration(table.indexId, "1")).toBe(40);
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    await expectSame(filled);
  });

  test("a search meanwhile sees nothing of a transaction, and all of it when it has committed", async ({ skip }) => {
    const over = writerOver(skip);
    const filled = await filledStore(opened(), { count: 60 });
    const { vectors, table, records, oracle } = filled;
    const ids = records.slice(0, 20).map(({ chunkId }) => chunkId);
    let meanwhile: Promise<void> = Promise.resolve();
    await opened().db.transaction(async (tx) => {
      await over(tx).deleteByChunkIds(table.indexId, ids);
      const { vector } = records[0] as VectorRecord;
      // It may have to wait for the transaction; then it sees what the transaction left.
      meanwhile = vectors.search(table.indexId, vector, { modelVersion: "1", k: 1000 }).then(({ hits }) => {
        expect([40, 60]).toContain(hits.length);
      });
    });
    await meanwhile;
    oracle.delete(ids);
    await expectSame(filled);
  });

  test("an inner savepoint that is undone takes back only itself", async ({ skip }) => {
    const over = writerOver(skip);
    const filled = await filledStore(opened(), { count: 30 });
    const { table, records, oracle } = filled;
    const [first, second] = records.map(({ chunkId }) => chunkId) as [string, string];
    await opened().db.transaction(async (tx) => {
      await over(tx).deleteByChunkIds(table.indexId, [first]);
      const inner = tx.transaction(async (savepoint) => {
        await over(savepoint).deleteByChunkIds(table.indexId, [second]);
        throw new Error("undo");
      });
      await expect(inner).rejects.toThrow("undo");
    });
    oracle.delete([first]);
    await expectSame(filled);
  });
}
