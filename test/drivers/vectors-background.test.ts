import { afterEach, beforeEach, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { StorageError } from "../../src/errors.ts";
import { SearchActivity } from "../../src/turns.ts";
import { SnapshotCase } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];
const VECTOR = Float32Array.of(1, 2, 3, 4);
const QUERY = { modelVersion: "1", k: 3 };

let db: SqlDatabase;
beforeEach(async () => {
  db = await openDatabase();
});
afterEach(() => db.close());

/** Blobs that count their reads and fail to write when told to. */
class MoodyBlobs extends MemoryBlobStore {
  reads = 0;
  failure: Error | undefined;

  override async get(key: string): Promise<Uint8Array> {
    this.reads++;
    return super.get(key);
  }

  override async put(key: string, bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    await super.put(key, bytes);
  }
}

test("searches that come at once open one index", async () => {
  const blobs = new MoodyBlobs();
  const one = await SnapshotCase.create(db, blobs);
  const vectors = one.open(blobs);
  blobs.reads = 0;
  const answers = await Promise.all(Array.from({ length: 10 }, () => vectors.search(one.table.indexId, VECTOR, QUERY)));
  expect(new Set(answers.map(({ hits }) => hits[0]?.chunkId)).size).toBe(1);
  expect(blobs.reads).toBe(1);
  expect(await vectors.openReports()).toHaveLength(1);
  await vectors.close();
});

test("every search is noted, so that work in the background takes small steps", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const { indexId } = one.table;
  for (const way of ["search", "nearest", "searchBatch"] as const) {
    const activity = new SearchActivity();
    const vectors = one.open(blobs, { activity });
    await vectors.info(indexId);
    expect(activity.recent).toBe(false);
    if (way === "searchBatch") await vectors.searchBatch(indexId, [VECTOR], QUERY);
    else await vectors[way](indexId, VECTOR, QUERY);
    expect(activity.recent).toBe(true);
    await vectors.close();
  }
});

test("a snapshot that cannot be written is told of and tried again, and the linking goes on meanwhile", async () => {
  const blobs = new MoodyBlobs();
  const one = await SnapshotCase.create(db, blobs, { count: 3000 });
  await blobs.delete(one.key);
  blobs.failure = new StorageError("TIMEOUT", "the disk is busy", { capability: "blobs", operation: "put" });
  const vectors = one.open(blobs);
  const info = () => vectors.info(one.table.indexId);
  await info();
  await expect.poll(async () => (await info()).lastError?.message, { timeout: 5000 }).toBe("the disk is busy");
  await one.change(vectors, 100);
  await expect.poll(async () => (await info()).generations[0]?.unlinked, { timeout: 5000 }).toBe(0);
  expect((await info()).generations[0]?.snapshot).toBe(null);
  await expect(vectors.flush()).rejects.toThrow("the disk is busy");
  blobs.failure = undefined;
  await expect.poll(async () => (await info()).generations[0]?.snapshot, { timeout: 5000 }).not.toBe(null);
  expect((await info()).lastError).toBe(null);
  await vectors.close();
});

test("a generation that is deleted takes its index and its snapshot along, though nobody asks for it again", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const vectors = one.open(blobs);
  await one.expectServes(vectors);
  await vectors.deleteGeneration(one.table.indexId, "1");
  await vectors.flush();
  expect(await blobs.list("")).toEqual([]);
  expect(await vectors.openReports()).toEqual([]);
  await vectors.close();
  expect(await blobs.list("")).toEqual([]);
});

test("snapshots that a crash left behind go when an index of their table opens; those of other tables stay", async () => {
  const blobs = new MemoryBlobStore();
  const one = await SnapshotCase.create(db, blobs);
  const bytes = await blobs.get(one.key);
  const left = `_vectors/${one.table.tableName}.77.lhv1`;
  const others = [`_vectors/${one.table.tableName}.5.1.lhv1`, "_vectors/other.77.lhv1"];
  for (const key of [left, ...others]) await blobs.put(key, bytes);
  const vectors = one.open(blobs);
  await one.expectServes(vectors);
  await vectors.flush();
  expect(await blobs.list("")).toEqual([one.key, ...others].toSorted());
  await vectors.close();
});

test("a snapshot that cannot be written when the store closes keeps no other from being written", async () => {
  const blobs = new MoodyBlobs();
  const one = await SnapshotCase.create(db, blobs);
  const vectors = one.open(blobs);
  const second = one.oracle.records.map((record, at) => one.corpus.record(one.table, at, record.vector, "2"));
  await vectors.upsert(one.table.indexId, second);
  await one.corpus.mark(one.table, second);
  await vectors.flush();
  for (const key of await blobs.list("")) await blobs.delete(key);
  await one.change(vectors, 290);
  await vectors.upsert(
    one.table.indexId,
    second.map((record) => ({ ...record, vector: VECTOR })),
  );
  await vectors.info(one.table.indexId);
  const { put } = blobs;
  blobs.put = async (key, bytes) => {
    if (key === one.key) throw new StorageError("DRIVER", "this file only", { capability: "blobs", operation: "put" });
    await put.call(blobs, key, bytes);
  };
  await expect(vectors.close()).rejects.toThrow("this file only");
  expect(await blobs.list("")).toEqual([one.key.replace(".1.lhv1", ".2.lhv1")]);
});
