import { expect, test } from "vitest";
import type { VectorTableSpec } from "../../../src/contracts/vectors.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";

/** Tables: one for each model and number of dimensions. */
export function vectorTableCases({ opened }: VectorStoreUnderTest): void {
  test("declares a driver, its metrics and its limits", async () => {
    const { vectors, over } = opened();
    const { costlyUpserts, ...declared } = await vectors.capabilities();
    expect([undefined, true, false]).toContain(costlyUpserts);
    expect(declared).toEqual({
      driver: expect.stringMatching(/^vectors-[a-z]+$/) as string,
      persistent: expect.any(Boolean) as boolean,
      transactional: over !== undefined,
      metrics: ["cosine", "dot", "l2"],
      maxDimensions: 4096,
      maxK: 1000,
      maxEf: 4096,
      maxBatch: 1000,
      storedAs: expect.stringMatching(/^(?:f32|i16)$/) as string,
    });
  });

  test("makes a table once, by its model and dimensions, with cosine where nothing is said", async () => {
    const { vectors } = opened();
    const made = await vectors.ensureTable({ modelId: "Some/Model v1", dimensions: 384 });
    expect(made).toEqual({
      indexId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      tableName: "chunk_embeddings_some_model_v1_384",
      modelId: "Some/Model v1",
      dimensions: 384,
      metric: "cosine",
    });
    expect(await vectors.ensureTable({ modelId: "Some/Model v1", dimensions: 384, metric: "cosine" })).toEqual(made);
    expect(await vectors.tables()).toEqual([made]);
  });

  test("keeps models, dimensions and metrics apart, and lists the tables by name", async () => {
    const { vectors } = opened();
    expect(await vectors.tables()).toEqual([]);
    const specs: VectorTableSpec[] = [
      { modelId: "b", dimensions: 3, metric: "l2" },
      { modelId: "a", dimensions: 4096, metric: "dot" },
      { modelId: "a", dimensions: 1, metric: "cosine" },
    ];
    const made = [];
    for (const spec of specs) made.push(await vectors.ensureTable(spec));
    expect(new Set(made.map(({ indexId }) => indexId)).size).toBe(3);
    const listed = await vectors.tables();
    expect(listed.map(({ tableName }) => tableName)).toEqual([
      "chunk_embeddings_a_1",
      "chunk_embeddings_a_4096",
      "chunk_embeddings_b_3",
    ]);
    expect(listed.map(({ metric }) => metric)).toEqual(["cosine", "dot", "l2"]);
  });

  test("gives two models whose names read the same a table each", async () => {
    const { vectors } = opened();
    const one = await vectors.ensureTable({ modelId: "a-b", dimensions: 2 });
    const other = await vectors.ensureTable({ modelId: "a/b", dimensions: 2 });
    expect(other.tableName).not.toBe(one.tableName);
    expect(other.indexId).not.toBe(one.indexId);
    expect(await vectors.ensureTable({ modelId: "a-b", dimensions: 2 })).toEqual(one);
  });

  test("takes a model's name with quotes, which reach SQL as text", async () => {
    const { vectors } = opened();
    const modelId = `o'clock"; DROP TABLE chunks; --`;
    expect(await vectors.ensureTable({ modelId, dimensions: 2 })).toMatchObject({ modelId });
    expect(await vectors.tables()).toHaveLength(1);
  });

  test("makes one table for two who ask at once", async () => {
    const { vectors } = opened();
    const spec = { modelId: "a", dimensions: 2 };
    const [one, other] = await Promise.all([vectors.ensureTable(spec), vectors.ensureTable(spec)]);
    expect(one).toEqual(other);
    expect(await vectors.tables()).toEqual([one]);
  });

  test("says CONFLICT where the table compares otherwise", async () => {
    const { vectors } = opened();
    await vectors.ensureTable({ modelId: "a", dimensions: 2, metric: "dot" });
    for (const metric of ["cosine", "l2", undefined] as const) {
      const spec = { modelId: "a", dimensions: 2, ...(metric === undefined ? {} : { metric }) };
      await expect(vectors.ensureTable(spec)).rejects.toMatchObject({
        name: "StorageError",
        code: "CONFLICT",
        capability: "vectors",
        operation: "ensureTable",
      });
    }
  });
}
