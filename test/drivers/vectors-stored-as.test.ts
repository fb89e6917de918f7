import { describe, expect, onTestFinished, test } from "vitest";
import type { VectorMetric } from "../../src/contracts/vectors.ts";
import { checkVectorSettings } from "../../src/drivers/vectors/index-policy.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { migrated } from "../support/migrated.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { type FilledStore, filledStore } from "../conformance/vector-store/filled-store.ts";
import { randomVectors } from "../support/vector-corpus.ts";
import { builtKernel as kernel } from "../wasm/built-kernel.ts";
import { Random } from "../wasm/random.ts";

const DIMENSIONS = 24;
const COUNT = 300;

async function filled(storedAs: "f32" | "i16", metric: VectorMetric, values: Float32Array[]): Promise<FilledStore> {
  const db = await openSqlNode({ path: ":memory:", functions });
  await migrated(db);
  const allowedChunks = new AllowedChunks(db).matching;
  // Floats in the index, too: what differs is the rows'.
  const vectors = new FlatVectorStore(db, { kernel, allowedChunks, indexId, storedAs, quantization: "f32" });
  onTestFinished(async () => {
    await vectors.close();
    await db.close();
  });
  expect(await vectors.capabilities()).toMatchObject({ storedAs });
  return filledStore({ vectors, db, close: async () => {} }, { metric, values });
}

/** Scores of 16-bit integers differ by this share of the greatest that there is, and vectors that are nearer to each other may change places. */
const TIE = 1e-5;

describe.each(["cosine", "dot", "l2"] as const)("rows of 16-bit integers under %s", (metric) => {
  test.each([1, 1e-12, 1e12])("rank as those of 32-bit floats do, but for ties, at a scale of %d", async (scale) => {
    const random = new Random(DIMENSIONS);
    const some = (count: number): Float32Array[] =>
      randomVectors(random, count, DIMENSIONS).map((vector) => vector.map((value) => value * scale));
    const values = some(COUNT);
    const exact = await filled("f32", metric, values);
    const stored = await filled("i16", metric, values);
    const greatest = { cosine: 1, dot: DIMENSIONS * scale ** 2, l2: Math.sqrt(DIMENSIONS) * scale }[metric];
    for (const query of some(20)) {
      const ask = { modelVersion: "1", k: 10 };
      const wanted = (await exact.vectors.search(exact.table.indexId, query, { ...ask, k: COUNT })).hits;
      const { hits } = await stored.vectors.search(stored.table.indexId, query, ask);
      const scoreOf = new Map(wanted.map(({ chunkId, score }) => [chunkId, score]));
      expect(hits).toHaveLength(10);
      for (const [rank, { chunkId, score }] of hits.entries()) {
        const slack = TIE * greatest;
        expect(Math.abs((scoreOf.get(chunkId) as number) - (wanted[rank]?.score as number))).toBeLessThanOrEqual(slack);
        expect(Math.abs(score - (scoreOf.get(chunkId) as number))).toBeLessThanOrEqual(slack * 4);
      }
    }
  });
});

test("rows of 16-bit integers give vectors back to 1 part in 65,534 of their largest value, and take them again unchanged", async () => {
  const { vectors, table, records, corpus } = await filled("i16", "dot", randomVectors(new Random(3), 50, DIMENSIONS));
  const ids = records.map(({ embeddingId }) => embeddingId);
  const read = (await vectors.vectorsOf(table.indexId, ids)) as Float32Array[];
  for (const [at, { vector }] of records.entries()) {
    const largest = Math.max(...Array.from(vector, Math.abs));
    for (const [place, value] of vector.entries()) {
      expect(Math.abs((read[at]?.[place] as number) - value)).toBeLessThanOrEqual(largest / 65_500);
    }
  }
  const changes = (): Promise<unknown> => corpus.db.get("SELECT max(change) AS last FROM vector_changes");
  const before = await changes();
  await vectors.upsert(table.indexId, records);
  await vectors.upsert(
    table.indexId,
    records.map((record, at) => ({ ...record, vector: read[at] as Float32Array })),
  );
  expect(await changes()).toEqual(before);
});

test("an encoding that there is not is refused by name", () => {
  const site = { capability: "store", operation: "open" } as const;
  expect(checkVectorSettings(site, { storedAs: "f32" })).toEqual({ storedAs: "f32" });
  expect(() => checkVectorSettings(site, { storedAs: "i8" })).toThrow(
    expect.objectContaining({ code: "INVALID_INPUT" }),
  );
});
