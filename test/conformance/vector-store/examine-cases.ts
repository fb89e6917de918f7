import { expect, test } from "vitest";
import type { VectorExamineOptions } from "../../../src/contracts/vectors.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { filledStore, putCommitted } from "./filled-store.ts";

/** What a store says of its indexes to somebody who looks for damage. */
export function vectorExamineCases({ opened, recall }: VectorStoreUnderTest): void {
  test("finds nothing wrong with an index, and says how well it finds", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 300 });
    const [found, ...more] = await vectors.examine(table.indexId);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ modelVersion: "1", vectors: 300, problem: null, index: { vectors: 300 } });
    expect(found?.vectorBytes).toBeGreaterThanOrEqual(300 * 17 * 2);
    expect(found?.recall).toBeGreaterThanOrEqual(recall);
    expect(found?.snapshot?.problem ?? null).toBeNull();
  });

  test("looks without measuring when it is to be quick", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 300 });
    const [found] = await vectors.examine(table.indexId, { quick: true });
    expect(found).toMatchObject({ vectors: 300, problem: null, recall: null, index: { vectors: 300 } });
  });

  test("sees what is committed, of every generation, and leaves everything as it is", async () => {
    const filled = await filledStore(opened(), { count: 40 });
    const { vectors, table, corpus, records } = filled;
    const other = records.map((record, at) => corpus.record(table, at, record.vector, "2"));
    await vectors.upsert(table.indexId, other);
    await corpus.mark(table, other.slice(0, 10));
    await vectors.flush();
    const before = await vectors.info(table.indexId);
    const reports = await vectors.openReports();
    expect(await vectors.generations(table.indexId)).toEqual(["1", "2"]);
    const found = await vectors.examine(table.indexId);
    expect(found.map((one) => [one.modelVersion, one.vectors, one.problem])).toEqual([
      ["1", 40, null],
      ["2", 10, null],
    ]);
    expect(await vectors.info(table.indexId)).toEqual(before);
    expect(await vectors.openReports()).toEqual(reports);
  });

  test("finds an index in step while it is written to", async () => {
    const filled = await filledStore(opened(), { count: 200 });
    const { vectors, table, corpus, records } = filled;
    const gone = records.slice(50, 90);
    const deletion = async (): Promise<unknown> => {
      // A vector whose record is still committed would be missing where it is not in the same database.
      await corpus.forget(gone);
      return vectors.deleteByChunkIds(
        table.indexId,
        gone.map(({ chunkId }) => chunkId),
      );
    };
    const [found] = await Promise.all([
      vectors.examine(table.indexId),
      putCommitted(filled, records.slice(0, 50)),
      deletion(),
    ]);
    expect(found).toMatchObject([{ problem: null }]);
    expect(await vectors.examine(table.indexId)).toMatchObject([{ vectors: 160, index: { vectors: 160 } }]);
  });

  test("has nothing to say of a table without vectors", async () => {
    const { vectors } = opened();
    const { indexId } = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    expect(await vectors.generations(indexId)).toEqual([]);
    expect(await vectors.examine(indexId)).toEqual([]);
  });

  test("ends when it is aborted", async () => {
    const { vectors, table } = await filledStore(opened(), { count: 3 });
    const reason = new Error("enough");
    const call = vectors.examine(table.indexId, { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toMatchObject({ name: "StorageError", code: "ABORTED", cause: reason });
  });

  test.each([
    ["quick", { quick: "yes" }],
    ["depth", { depth: 3 }],
    ["options", null],
  ])("refuses the %s of the look %j", async (field, options) => {
    const { vectors, table } = await filledStore(opened(), { count: 2 });
    await expect(vectors.examine(table.indexId, options as unknown as VectorExamineOptions)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      capability: "vectors",
      operation: "examine",
      message: expect.stringContaining(field) as string,
    });
  });
}
