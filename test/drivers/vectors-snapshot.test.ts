import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { BlobStore } from "../../src/contracts/blobs.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorMetric, VectorRecord, VectorWriter } from "../../src/contracts/vectors.ts";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { readLhv1 } from "../../src/formats/lhv1.ts";
import { SnapshotCase } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];
let db: SqlDatabase;
beforeEach(async () => {
  db = await openDatabase();
});
afterEach(() => db.close());

async function fsBlobs(): Promise<BlobStore> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-snapshots-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return openFsBlobs({ dir });
}

describe.each([
  { store: "blobs-memory", open: async (): Promise<BlobStore> => new MemoryBlobStore() },
  { store: "blobs-fs", open: fsBlobs },
])("a snapshot in $store", ({ open }) => {
  test.each<[VectorMetric, "sq8" | "f32"]>([
    ["cosine", "sq8"],
    ["dot", "f32"],
    ["l2", "sq8"],
    ["l2", "f32"],
  ])("opens with the graph as it was: %s, %s", async (metric, quantization) => {
    const blobs = await open();
    const one = await SnapshotCase.create(db, blobs, { metric }, { quantization });
    expect(await blobs.list("")).toEqual([one.key]);
    const { envelope, graph } = readLhv1(await blobs.get(one.key));
    expect(envelope).toMatchObject({
      format: "lodestore-hnsw",
      formatVersion: 1,
      name: `${one.table.tableName}.1`,
      modelId: "test",
      modelVersion: "1",
      dimensions: 4,
      metric,
      quantization,
      parameters: { m: 4 },
      count: 300,
      graph: { encoding: "hnsw-1", byteLength: graph.length },
    });
    const vectors = one.open(blobs);
    await one.expectServes(vectors);
    expect((await vectors.info(one.table.indexId)).generations).toMatchObject([
      {
        engine: "hnsw",
        vectors: 300,
        linked: 300,
        unlinked: 0,
        quantization,
        snapshot: { sizeBytes: expect.any(Number) },
      },
    ]);
    const { plan } = await vectors.search(one.table.indexId, Float32Array.of(1, 2, 3, 4), { modelVersion: "1", k: 1 });
    expect(plan.kind).toBe("walk");
    await vectors.flush();
    await one.expectServes(vectors);
    await vectors.close();
    expect(await one.serve(blobs)).toMatchObject({
      tableName: one.table.tableName,
      modelVersion: "1",
      source: "snapshot",
      reason: null,
      vectors: 300,
      replayed: 0,
    });
  });

  test("that lags behind has the changes replayed", async () => {
    const blobs = await open();
    const one = await SnapshotCase.create(db, blobs);
    for (let round = 0; round < 3; round++) {
      const vectors = one.open(blobs);
      // Nobody searched, so nothing but the log tells of it.
      await one.change(vectors, 30);
      await vectors.close();
      const report = await one.serve(blobs);
      expect(report).toMatchObject({ source: "snapshot", reason: null, vectors: one.oracle.size });
      expect(report.replayed).toBeGreaterThan(0);
    }
  });

  test("is written anew where much has changed, and the log is cut behind it", async () => {
    const blobs = await open();
    const one = await SnapshotCase.create(db, blobs);
    const before = await blobs.get(one.key);
    const vectors = one.open(blobs);
    for (let round = 0; round < 2; round++) {
      await one.change(vectors, 290);
      await one.expectServes(vectors);
    }
    await vectors.close();
    expect(await blobs.get(one.key)).not.toEqual(before);
    expect(await db.get("SELECT count(*) AS n FROM vector_changes")).toEqual({ n: 0 });
    expect(await one.serve(blobs)).toMatchObject({ source: "snapshot", reason: null, replayed: 0 });
    // The one from before lacks what is no longer in the log.
    await blobs.put(one.key, before);
    expect(await one.serve(blobs)).toMatchObject({
      source: "rebuilt",
      reason: "changes newer than the snapshot are no longer in the log",
    });
  });

  test("that is gone is made again", async () => {
    const blobs = await open();
    const one = await SnapshotCase.create(db, blobs);
    await blobs.delete(one.key);
    expect(await one.serve(blobs)).toMatchObject({
      source: "rebuilt",
      reason: "there is no snapshot yet",
      vectors: 300,
      replayed: 0,
    });
    expect(await blobs.list("_vectors/")).toEqual([one.key]);
    expect(await one.serve(blobs)).toMatchObject({ source: "snapshot", reason: null });
  });

  test("goes with its generation", async () => {
    const blobs = await open();
    const one = await SnapshotCase.create(db, blobs);
    const vectors = one.open(blobs);
    await one.expectServes(vectors);
    expect(await vectors.deleteGeneration(one.table.indexId, "1")).toBe(300);
    const query = { modelVersion: "1", k: 3 };
    const { hits } = await vectors.search(one.table.indexId, Float32Array.of(1, 0, 0, 0), query);
    expect(hits).toEqual([]);
    await vectors.flush();
    expect(await blobs.list("")).toEqual([]);
    await vectors.close();
    expect(await blobs.list("")).toEqual([]);
  });
});

test("a snapshot with vectors that wait for their links opens, and they are linked after", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs, {}, { graphAbove: 10_000 });
  expect(await one.serve(blobs, { graphAbove: 10_000 })).toMatchObject({ source: "snapshot", reason: null });
  const vectors = one.open(blobs, { graphAbove: 16 });
  await one.expectServes(vectors);
  await vectors.flush();
  expect((await vectors.info(one.table.indexId)).generations).toMatchObject([{ linked: 300, unlinked: 0 }]);
  await one.expectServes(vectors);
  await vectors.close();
});

test("a snapshot of an index from which all was deleted opens empty", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const vectors = one.open(blobs);
  await one.expectServes(vectors);
  const ids = one.oracle.records.map(({ chunkId }) => chunkId);
  expect(await vectors.deleteByChunkIds(one.table.indexId, ids)).toBe(300);
  const query = { modelVersion: "1", k: 3 };
  expect((await vectors.search(one.table.indexId, Float32Array.of(1, 0, 0, 0), query)).hits).toEqual([]);
  await vectors.close();
  expect(readLhv1(await blobs.get(one.key)).envelope).toMatchObject({ count: 0, graph: { byteLength: 64 } });
  const again = one.open(blobs);
  expect((await again.search(one.table.indexId, Float32Array.of(1, 0, 0, 0), query)).hits).toEqual([]);
  expect(await again.openReports()).toMatchObject([{ source: "snapshot", reason: null, vectors: 0 }]);
  await again.close();
});

test("a snapshot that is newer than the database is passed over for good: the database was put back", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const newer = new MemoryBlobStore();
  await newer.put(one.key, await blobs.get(one.key));
  // As a backup has it: the last hundred changes, and with them the last vectors, never were.
  const lost = one.oracle.records.slice(200);
  await db.transaction(async (tx) => {
    await tx.runMany(
      `DELETE FROM "${one.table.tableName}" WHERE chunk_id = $1`,
      lost.map(({ chunkId }) => [chunkId]),
    );
    await tx.run("DELETE FROM vector_changes");
    await tx.run("UPDATE vector_generations SET log_start = 0");
    await tx.run("UPDATE sqlite_sequence SET seq = 200 WHERE name = 'vector_changes'");
  });
  one.oracle.delete(lost.map(({ chunkId }) => chunkId));
  expect(await one.serve(newer)).toMatchObject({
    source: "rebuilt",
    reason: "the snapshot is newer than the database",
  });
  // Changes that the numbers of the snapshot cover once more.
  const vectors = one.open(newer);
  for (let round = 0; round < 4; round++) await one.change(vectors, 40);
  await vectors.close();
  await one.serve(newer);
});

test("a write inside a transaction may be the first thing a store does after it is opened", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const [first, second] = one.oracle.records as [VectorRecord, VectorRecord];
  const { indexId } = one.table;
  const writes: ((writer: VectorWriter) => Promise<unknown>)[] = [
    (writer) => writer.upsert(indexId, [first]),
    (writer) => writer.deleteByChunkIds(indexId, [second.chunkId]),
    (writer) => writer.deleteGeneration(indexId, "none"),
  ];
  for (const write of writes) {
    const vectors = one.open(blobs);
    await db.transaction((tx) => write(vectors.over(tx)));
    await vectors.close();
  }
  one.oracle.delete([second.chunkId]);
  await one.serve(blobs);
});

describe("memory", () => {
  test("vectors that are not kept in memory are read when a search needs them, from a snapshot or without", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs, {}, { quantization: "sq8" });
    for (const [snapshots, source] of [
      [blobs, "snapshot"],
      [new MemoryBlobStore(), "rebuilt"],
    ] as const) {
      const vectors = one.open(snapshots, { residentBytes: 0 });
      await one.expectServes(vectors);
      await vectors.flush();
      await one.expectServes(vectors);
      const info = await vectors.info(one.table.indexId);
      expect(info.generations).toMatchObject([{ resident: false, quantization: "sq8", vectors: one.oracle.size }]);
      const { vector } = one.random.pick(one.oracle.records);
      const [batched] = await vectors.searchBatch(one.table.indexId, [vector], { modelVersion: "1", k: 5 });
      one.oracle.check(batched?.hits ?? [], vector, 5);
      expect(await vectors.openReports()).toMatchObject([{ source }]);
      await one.change(vectors, 20);
      await one.expectServes(vectors);
      await vectors.close();
    }
  });

  test("a store with too little memory says QUOTA_EXCEEDED, and one with enough serves after it", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs, { dimensions: 384 });
    const full = { name: "StorageError", code: "QUOTA_EXCEEDED", capability: "vectors" };
    const query = new Float32Array(384).fill(1);
    for (const snapshots of [blobs, new MemoryBlobStore()]) {
      for (const maxMemoryBytes of [0, 65_536, 6 * 65_536]) {
        const vectors = one.open(snapshots, { maxMemoryBytes });
        for (let again = 0; again < 2; again++) {
          const search = vectors.search(one.table.indexId, query, { modelVersion: "1", k: 3 });
          await expect(search).rejects.toMatchObject(full);
        }
        await expect(vectors.flush()).rejects.toMatchObject(full);
        expect(await vectors.count(one.table.indexId)).toBe(300);
        await vectors.close();
      }
      await one.serve(snapshots);
    }
  });

  test("a write that outgrows the memory stays in the rows: searches say QUOTA_EXCEEDED until there is room", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs, { count: 4000, dimensions: 16 });
    const gone = one.oracle.records.slice(300);
    const few = one.open(blobs);
    for (let from = 0; from < gone.length; from += 1000) {
      const ids = gone.slice(from, from + 1000).map(({ chunkId }) => chunkId);
      await few.deleteByChunkIds(one.table.indexId, ids);
    }
    await few.close();
    const vectors = one.open(new MemoryBlobStore(), { maxMemoryBytes: 12 * 65_536 });
    const query = { modelVersion: "1", k: 3 };
    const asked = Float32Array.from({ length: 16 }, () => 1);
    expect((await vectors.search(one.table.indexId, asked, query)).hits).toHaveLength(3);
    for (let from = 0; from < gone.length; from += 1000) {
      await vectors.upsert(one.table.indexId, gone.slice(from, from + 1000));
    }
    const search = vectors.search(one.table.indexId, asked, query);
    await expect(search).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
    await vectors.close();
    await one.serve(new MemoryBlobStore());
  });
});
