import { describe, expect, test } from "vitest";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { chooseQuantization } from "../../src/drivers/vectors/choose-quantization.ts";
import { IndexPolicy } from "../../src/drivers/vectors/index-policy.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { VectorCorpus } from "../support/vector-corpus.ts";
import { builtKernel } from "../wasm/built-kernel.ts";
import { Random } from "../wasm/random.ts";

const DIMENSIONS = 64;
const TABLE = { dimensions: DIMENSIONS, metric: "cosine" } as const;
const policy = new IndexPolicy({ kernel: builtKernel });

/** Vectors of even values, and such as some models make: a few dimensions a hundred times as great, and nearly the same in all. */
function vectorsLike(kind: "even" | "outliers", count: number): Float32Array[] {
  const random = new Random(3);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: DIMENSIONS }, (_, at) => {
      const value = random.unit() + random.unit() + random.unit() - 1.5;
      return kind === "outliers" && at < 4 ? 100 + value : value;
    }),
  );
}

describe("how an index reads its vectors", () => {
  test.each([
    ["even", "sq8"],
    ["outliers", "f32"],
  ] as const)("%s values: %s", (kind, quantization) => {
    expect(chooseQuantization(policy, TABLE, vectorsLike(kind, 256))).toBe(quantization);
  });

  test("is left open for few vectors, and not asked where it is set", () => {
    expect(chooseQuantization(policy, TABLE, vectorsLike("outliers", 255))).toBeUndefined();
    const set = new IndexPolicy({ kernel: builtKernel, quantization: "sq8" });
    expect(chooseQuantization(set, TABLE, vectorsLike("outliers", 256))).toBe("sq8");
  });

  test.each(["even", "outliers"] as const)(
    "is chosen anew when an index that began small has grown: %s",
    async (kind) => {
      const [{ open }] = sqlDatabases as [(typeof sqlDatabases)[number]];
      const db = await open();
      const blobs = new MemoryBlobStore();
      const corpus = await VectorCorpus.create(db, 600);
      let vectors = openSnapshotStore(db, blobs);
      const table = await vectors.ensureTable({ modelId: "test", ...TABLE });
      const records = vectorsLike(kind, 600).map((vector, at) => corpus.record(table, at, vector));
      const quantization = async (): Promise<string | undefined> =>
        (await vectors.info(table.indexId)).generations[0]?.quantization;

      await vectors.upsert(table.indexId, records.slice(0, 100));
      await corpus.mark(table, records.slice(0, 100));
      expect(await quantization()).toBe("f32");
      await vectors.close();
      vectors = openSnapshotStore(db, blobs);
      await vectors.upsert(table.indexId, records.slice(100));
      await corpus.mark(table, records.slice(100));
      const expected = kind === "even" ? "sq8" : "f32";
      expect(await quantization()).toBe(expected);
      const { vector, chunkId } = records[300]!;
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 1 });
      expect(hits[0]?.chunkId).toBe(chunkId);
      await vectors.close();
      vectors = openSnapshotStore(db, blobs);
      expect(await quantization()).toBe(expected);
      await vectors.close();
      await db.close();
    },
  );

  test("is chosen by a generation's own rows, however many others there are", async () => {
    const [{ open }] = sqlDatabases as [(typeof sqlDatabases)[number]];
    const db = await open();
    const corpus = await VectorCorpus.create(db, 2000);
    const vectors = openSnapshotStore(db, new MemoryBlobStore());
    const table = await vectors.ensureTable({ modelId: "test", ...TABLE });
    for (const [kind, version, count] of [
      ["even", "1", 2000],
      ["outliers", "2", 300],
    ] as const) {
      const records = vectorsLike(kind, count).map((vector, at) => corpus.record(table, at, vector, version));
      for (let from = 0; from < count; from += 1000) {
        await vectors.upsert(table.indexId, records.slice(from, from + 1000));
      }
      await corpus.mark(table, records);
    }
    const { generations } = await vectors.info(table.indexId);
    expect(generations.map(({ quantization }) => quantization)).toEqual(["sq8", "f32"]);
    await vectors.close();
    await db.close();
  });
});
