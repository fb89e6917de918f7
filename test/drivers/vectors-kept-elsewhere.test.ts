import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorIndexWork, VectorKeeper, VectorUpkeep } from "../../src/contracts/vector-upkeep.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { SqlVectorUpkeep } from "../../src/drivers/vectors/sql-upkeep.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { openSnapshotStore, SnapshotCase } from "../support/snapshot-store-case.ts";
import { randomVectors, VectorCorpus } from "../support/vector-corpus.ts";
import { Random } from "../wasm/random.ts";

// A connection that writes, and one that only reads and keeps the indexes.
let folder: string;
let db: SqlDatabase;
let reading: SqlDatabase;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lodestore-"));
  const path = join(folder, "a.db");
  db = await openSqlNode({ path, functions: storeFunctions });
  await migrate(db);
  reading = await openSqlNode({ path, functions: storeFunctions, readOnly: true });
});

afterEach(async () => {
  await reading.close();
  await db.close();
  rmSync(folder, { recursive: true });
});

/** The store that keeps the indexes, as the one that writes sees it. */
function keeperOf(store: VectorIndexWork, written: VectorKeeper["written"]): VectorKeeper {
  return {
    written,
    info: (...args) => store.info(...args),
    rebuild: (...args) => store.rebuild(...args),
    examine: (...args) => store.examine(...args),
    selfCheck: (...args) => store.selfCheck(...args),
    flush: () => store.flush(),
  };
}

async function changesInLog(): Promise<number> {
  return (await db.get<{ n: number }>("SELECT count(*) AS n FROM vector_changes"))?.n ?? -1;
}

describe("indexes that another connection keeps", () => {
  test("take in what is written once they are told, which is when it is committed", async () => {
    const corpus = await VectorCorpus.create(db, 40);
    const told: string[] = [];
    const keeper = openSnapshotStore(reading, new MemoryBlobStore(), { upkeep: new SqlVectorUpkeep(db) });
    const writer = openSnapshotStore(db, new MemoryBlobStore(), {
      keeper: keeperOf(keeper, (indexId, modelVersion) => {
        told.push(modelVersion);
        void keeper.follow(indexId, modelVersion);
      }),
    });
    const table = await writer.ensureTable({ modelId: "test", dimensions: 4 });
    const records = randomVectors(new Random(1), 40, 4).map((vector, at) => corpus.record(table, at, vector));
    await db.transaction(async (tx) => {
      await corpus.mark(table, records, "committed", tx);
      await writer.over(tx).upsert(table.indexId, records);
      expect(told).toEqual([]);
    });
    await expect.poll(() => told).toEqual(["1"]);
    await expect.poll(async () => (await keeper.openReports())[0]?.vectors).toBe(40);
    await keeper.flush();
    const { hits } = await keeper.search(table.indexId, records[7]!.vector, { modelVersion: "1", k: 1 });
    expect(hits[0]?.chunkId).toBe(records[7]?.chunkId);
    const query = { modelVersion: "1", k: 1 };
    await expect(writer.search(table.indexId, records[7]!.vector, query)).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
    expect(await writer.info(table.indexId)).toEqual(await keeper.info(table.indexId));
    expect(await writer.examine(table.indexId)).toEqual(await keeper.examine(table.indexId));
    expect(await writer.selfCheck(table.indexId, "1")).toEqual({ recall: 1, sample: 40 });
    await writer.rebuild(table.indexId, "1");
    expect((await keeper.openReports())[0]).toMatchObject({ source: "rebuilt", reason: "it was asked for" });
    expect(await writer.count(table.indexId)).toBe(40);
    expect(await writer.openReports()).toEqual([]);
    await keeper.close();
    await writer.close();
  });

  test("write snapshots and have the log cut by whoever may write", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, new MemoryBlobStore());
    const upkeep = new SqlVectorUpkeep(db);
    const cut: number[] = [];
    const noted: VectorUpkeep = {
      pruneLog: (key, revision) => {
        cut.push(revision);
        return upkeep.pruneLog(key, revision);
      },
      refuseSnapshots: (key, before) => upkeep.refuseSnapshots(key, before),
    };
    const writer = one.open(new MemoryBlobStore(), {
      keeper: keeperOf(one.open(new MemoryBlobStore()), () => undefined),
    });
    await one.change(writer, 400);
    expect(await changesInLog()).toBeGreaterThan(0);
    const keeper = openSnapshotStore(reading, blobs, { upkeep: noted });
    await one.expectServes(keeper);
    await keeper.close();
    expect([cut.length, await changesInLog(), await blobs.list("")]).toEqual([1, 0, [one.key]]);
    const again = openSnapshotStore(reading, blobs, { upkeep: noted });
    await one.expectServes(again);
    expect(await again.openReports()).toMatchObject([{ source: "snapshot" }]);
    await again.close();
    await writer.close();
  });
});

describe("indexes on a connection that only reads, for which nobody writes", () => {
  async function opened(blobs: MemoryBlobStore): Promise<ReturnType<typeof openSnapshotStore>> {
    return openSnapshotStore(reading, blobs, { upkeep: "none" });
  }

  test("follow what another store writes, make no snapshot and leave the log and old snapshots as they are", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, new MemoryBlobStore());
    const reader = await opened(blobs);
    await one.expectServes(reader);
    const writer = one.open(new MemoryBlobStore());
    for (let round = 0; round < 3; round++) {
      await one.change(writer, 200);
      await one.expectServes(reader);
    }
    const before = await changesInLog();
    await reader.flush();
    await reader.close();
    expect([await changesInLog(), await blobs.list("")]).toEqual([before, []]);
    await writer.close();
  });

  test("are made anew from the rows when a writer has cut the log", async () => {
    const shared = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, shared);
    const reader = await opened(new MemoryBlobStore());
    await one.expectServes(reader);
    const writer = one.open(shared);
    await one.change(writer, 800);
    await writer.flush();
    await writer.close();
    expect(await changesInLog()).toBe(0);
    await one.expectServes(reader);
    await reader.close();
  });

  test("pass over a snapshot of another state, and refuse it for nobody else", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs);
    // The database goes back to a state before the snapshot.
    await db.run("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'vector_changes'");
    const since = async (): Promise<unknown> => db.all("SELECT created_at FROM vector_generations");
    const before = await since();
    const reader = await opened(blobs);
    await one.expectServes(reader);
    expect(await reader.openReports()).toMatchObject([
      { source: "rebuilt", reason: "the snapshot is newer than the database" },
    ]);
    await reader.close();
    expect([await since(), await blobs.list("")]).toEqual([before, [one.key]]);
  });
});
