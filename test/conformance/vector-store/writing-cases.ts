import { expect, test } from "vitest";
import type { VectorHit, VectorRecord } from "../../../src/contracts/vectors.ts";
import { VectorCorpus } from "../../support/vector-corpus.ts";
import type { VectorStoreUnderTest } from "../vector-store.ts";
import { type FilledStore, filledStore, MODEL, putCommitted } from "./filled-store.ts";

const unit = (...values: number[]): Float32Array => Float32Array.from(values);

async function nearestTo({ vectors, table }: FilledStore, vector: Float32Array, version = "1"): Promise<VectorHit[]> {
  const { hits } = await vectors.search(table.indexId, vector, { modelVersion: version, k: 1000 });
  return hits;
}

const chunksOf = (hits: readonly VectorHit[]): string[] => hits.map(({ chunkId }) => chunkId).sort();
const idsOf = (records: readonly VectorRecord[]): string[] => records.map(({ chunkId }) => chunkId).sort();

/** Upserts, deletions, generations, and what of them searches see. */
export function vectorWritingCases({ opened }: VectorStoreUnderTest): void {
  test("finds a vector once its record is committed, whichever of the two came first, and not before", async () => {
    const { vectors, db } = opened();
    const corpus = await VectorCorpus.create(db, 3);
    const table = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    const [a, b, c] = [0, 1, 2].map((at) => corpus.record(table, at, unit(1, at))) as [
      VectorRecord,
      VectorRecord,
      VectorRecord,
    ];
    const found = async (): Promise<string[]> =>
      chunksOf((await vectors.search(table.indexId, unit(1, 0), { modelVersion: "1", k: 10 })).hits);
    await vectors.upsert(table.indexId, [a]);
    expect(await found()).toEqual([]);
    await corpus.mark(table, [a], "pending");
    expect(await found()).toEqual([]);
    await corpus.mark(table, [a], "committed");
    expect(await found()).toEqual([a.chunkId]);
    await corpus.mark(table, [b], "committed");
    await vectors.upsert(table.indexId, [b, c]);
    await corpus.mark(table, [c], "pending");
    expect(await found()).toEqual(idsOf([a, b]));
    await corpus.mark(table, [a], "pending");
    expect(await found()).toEqual([b.chunkId]);
    expect(await vectors.count(table.indexId)).toBe(3);
  });

  test("replaces a vector whose id is there, in every answer after", async () => {
    const filled = await filledStore(opened(), { count: 60 });
    const { vectors, table, corpus, oracle, random } = filled;
    for (let round = 0; round < 3; round++) {
      const changed = Array.from({ length: 20 }, (_, i) =>
        corpus.record(
          table,
          (round * 17 + i) % 60,
          Float32Array.from({ length: 17 }, () => random.normal()),
        ),
      );
      await vectors.upsert(table.indexId, changed);
      oracle.put(changed);
      for (const { vector, chunkId } of changed.slice(0, 3)) {
        const hits = await nearestTo(filled, vector);
        oracle.expectExact(hits, vector, 1000);
        expect(hits[0]).toMatchObject({ chunkId });
      }
    }
    expect(await vectors.count(table.indexId)).toBe(60);
  });

  test("takes the same records again, any number of times, as if once", async () => {
    const filled = await filledStore(opened(), { count: 30 });
    const { vectors, table, records, oracle } = filled;
    await vectors.upsert(table.indexId, records);
    await vectors.upsert(table.indexId, [...records, ...records]);
    const query = (records[0] as VectorRecord).vector;
    oracle.expectExact(await nearestTo(filled, query), query, 1000);
    expect(await vectors.count(table.indexId)).toBe(30);
  });

  test("keeps the last of several records of one embedding in a batch", async () => {
    const filled = await filledStore(opened(), { values: [unit(1, 0), unit(0, 1)] });
    const { vectors, table, corpus } = filled;
    await vectors.upsert(table.indexId, [
      corpus.record(table, 0, unit(0, -1)),
      corpus.record(table, 1, unit(-1, 0)),
      corpus.record(table, 0, unit(-1, -1)),
    ]);
    const hits = await nearestTo(filled, unit(-1, -1));
    expect(hits[0]?.chunkId).toBe(corpus.chunks[0]?.id);
    expect(hits[0]?.score).toBeCloseTo(1, 5);
    expect(hits[1]?.score).toBeCloseTo(Math.SQRT1_2, 5);
  });

  test("stores nothing of an empty batch", async () => {
    const { vectors } = opened();
    const { indexId } = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    await vectors.upsert(indexId, []);
    expect(await vectors.count(indexId)).toBe(0);
    expect((await vectors.info(indexId)).generations).toEqual([]);
  });

  test("keeps a copy: changing a vector that was handed in changes nothing inside", async () => {
    const given = unit(1, 0);
    const filled = await filledStore(opened(), { values: [given, unit(0, 1)] });
    given.set([0, 1]);
    await filled.vectors.rebuild(filled.table.indexId, "1");
    expect((await nearestTo(filled, unit(1, 0)))[0]).toMatchObject({ chunkId: filled.corpus.chunks[0]?.id });
  });

  test("takes a view on part of a buffer as that part", async () => {
    const wide = Float32Array.of(9, 9, 1, 0, 9, 9);
    const filled = await filledStore(opened(), { values: [wide.subarray(2, 4), unit(0, 1)] });
    const [first] = await nearestTo(filled, Float32Array.of(7, 1, 0, 7).subarray(1, 3));
    expect(first).toMatchObject({ chunkId: filled.corpus.chunks[0]?.id });
    expect(first?.score).toBeCloseTo(1, 6);
  });

  test("says NOT_FOUND for a chunk that is not there, and writes none of the batch", async () => {
    const { vectors, db } = opened();
    const corpus = await VectorCorpus.create(db, 2);
    const table = await vectors.ensureTable({ modelId: "test", dimensions: 2 });
    const good = corpus.record(table, 0, unit(1, 0));
    const stray = { ...corpus.record(table, 1, unit(0, 1)), chunkId: "f".repeat(32) };
    await expect(vectors.upsert(table.indexId, [good, stray])).rejects.toMatchObject({
      code: "NOT_FOUND",
      capability: "vectors",
      operation: "upsert",
    });
    expect(await vectors.count(table.indexId)).toBe(0);
  });

  test("finds no longer what was deleted by its chunk, and says how many that were", async () => {
    const filled = await filledStore(opened(), { count: 60 });
    const { vectors, table, records, oracle } = filled;
    const gone = records.filter((_, at) => at % 3 === 0).map(({ chunkId }) => chunkId);
    expect(await vectors.deleteByChunkIds(table.indexId, [...gone, "f".repeat(32)])).toBe(20);
    expect(await vectors.deleteByChunkIds(table.indexId, gone)).toBe(0);
    expect(await vectors.deleteByChunkIds(table.indexId, [])).toBe(0);
    oracle.delete(gone);
    for (const { vector } of records.slice(0, 6)) oracle.expectExact(await nearestTo(filled, vector), vector, 1000);
    expect(await vectors.count(table.indexId)).toBe(40);
    // What was deleted may come back.
    await vectors.upsert(table.indexId, records);
    oracle.put(records);
    const query = (records[0] as VectorRecord).vector;
    oracle.expectExact(await nearestTo(filled, query), query, 1000);
  });

  test("deletes all there is and finds nothing", async () => {
    const filled = await filledStore(opened(), { count: 60 });
    const { vectors, table, records } = filled;
    expect(await vectors.deleteByChunkIds(table.indexId, idsOf(records))).toBe(60);
    expect(await nearestTo(filled, (records[0] as VectorRecord).vector)).toEqual([]);
    await vectors.flush();
    expect((await vectors.info(table.indexId)).generations).toMatchObject([{ vectors: 0, linked: 0, unlinked: 0 }]);
  });

  test("searches one generation, deletes in one or in all, and drops one whole", async () => {
    const filled = await filledStore(opened(), { count: 40 });
    const { vectors, table, corpus, records, random } = filled;
    const second = records.map((_, at) =>
      corpus.record(
        table,
        at,
        Float32Array.from({ length: 17 }, () => random.normal()),
        "2",
      ),
    );
    await putCommitted(filled, second.slice(0, 30));
    const query = (records[0] as VectorRecord).vector;
    expect(chunksOf(await nearestTo(filled, query, "1"))).toEqual(idsOf(records));
    expect(chunksOf(await nearestTo(filled, query, "2"))).toEqual(idsOf(second.slice(0, 30)));
    expect((await nearestTo(filled, query, "1"))[0]).toMatchObject({ embeddingId: records[0]?.embeddingId });
    expect([await vectors.count(table.indexId, "1"), await vectors.count(table.indexId, "2")]).toEqual([40, 30]);
    expect(await vectors.count(table.indexId)).toBe(70);
    expect((await vectors.info(table.indexId)).generations).toMatchObject([
      { modelVersion: "1", vectors: 40 },
      { modelVersion: "2", vectors: 30 },
    ]);

    const two = idsOf(records.slice(0, 2));
    expect(await vectors.deleteByChunkIds(table.indexId, two, "2")).toBe(2);
    expect(await vectors.deleteByChunkIds(table.indexId, two, "3")).toBe(0);
    expect(await vectors.deleteByChunkIds(table.indexId, idsOf(records.slice(1, 3)))).toBe(3);
    expect(chunksOf(await nearestTo(filled, query, "1"))).toEqual(idsOf([records[0]!, ...records.slice(3)]));
    expect(chunksOf(await nearestTo(filled, query, "2"))).toEqual(idsOf(second.slice(3, 30)));

    expect(await vectors.deleteGeneration(table.indexId, "1")).toBe(38);
    expect(await vectors.deleteGeneration(table.indexId, "1")).toBe(0);
    expect(await nearestTo(filled, query, "1")).toEqual([]);
    expect(await vectors.count(table.indexId, "1")).toBe(0);
    expect(chunksOf(await nearestTo(filled, query, "2"))).toEqual(idsOf(second.slice(3, 30)));
    // A generation of the same name begins empty.
    await vectors.upsert(table.indexId, records.slice(5, 7));
    expect(chunksOf(await nearestTo(filled, query, "1"))).toEqual(idsOf(records.slice(5, 7)));
  });

  test("keeps tables apart: what is written to one is not in another", async () => {
    const filled = await filledStore(opened(), { count: 10 });
    const { vectors, corpus } = filled;
    const other = await vectors.ensureTable({ modelId: "other", dimensions: 17 });
    await putCommitted({ vectors, corpus, table: other }, [corpus.record(other, 0, new Float32Array(17).fill(1))]);
    expect(await vectors.count(other.indexId)).toBe(1);
    expect(await vectors.count(filled.table.indexId)).toBe(10);
    const query = { modelVersion: MODEL.modelVersion, k: 20 };
    const { hits } = await vectors.search(other.indexId, new Float32Array(17).fill(1), query);
    expect(chunksOf(hits)).toEqual([corpus.chunks[0]?.id]);
  });

  test("reads vectors back in the order they are asked for, of records in any state", async () => {
    const values = [unit(3, 4), unit(-1, 0), unit(0.5, 0.25)];
    const { vectors, table, corpus, records } = await filledStore(opened(), { values, metric: "dot" });
    await corpus.mark(table, records.slice(0, 1), "pending");
    const ids = records.map(({ embeddingId }) => embeddingId);
    const asked = [ids[2], ids[0], "f".repeat(32), ids[1], ids[2]] as string[];
    expect(await vectors.vectorsOf(table.indexId, asked)).toEqual([
      values[2],
      values[0],
      undefined,
      values[1],
      values[2],
    ]);
    expect(await vectors.vectorsOf(table.indexId, [])).toEqual([]);
  });

  test("knows which embeddings are there", async () => {
    const { vectors, table, records } = await filledStore(opened(), { count: 10 });
    const ids = records.map(({ embeddingId }) => embeddingId);
    expect(await vectors.batchExists(table.indexId, [])).toEqual([]);
    const [first = "", second = ""] = ids;
    await vectors.deleteByChunkIds(table.indexId, [records[1]?.chunkId ?? ""]);
    const asked = [second, first, "f".repeat(32), first];
    expect(await vectors.batchExists(table.indexId, asked)).toEqual([false, true, false, true]);
    const many = Array.from({ length: 1000 }, (_, at) => ids[at % 10] as string);
    expect(await vectors.batchExists(table.indexId, many)).toEqual(many.map((id) => id !== second));
  });

  test("takes a batch of 1000 and refuses one record more, writing nothing", async () => {
    const { vectors, db } = opened();
    const corpus = await VectorCorpus.create(db, 1001);
    const table = await vectors.ensureTable({ modelId: "test", dimensions: 1 });
    const records = corpus.chunks.map((_, at) => corpus.record(table, at, unit(at + 1)));
    await expect(vectors.upsert(table.indexId, records)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await vectors.count(table.indexId)).toBe(0);
    await vectors.upsert(table.indexId, records.slice(0, 1000));
    expect(await vectors.count(table.indexId)).toBe(1000);
  });
}
