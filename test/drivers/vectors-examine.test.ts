import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { resigned, SnapshotCase } from "../support/snapshot-store-case.ts";

/** More than a quick look makes an index of. */
const MANY = 10_050;

describe("looking at an index that is not open", () => {
  let db: SqlDatabase;
  let one: SnapshotCase;
  let good: Uint8Array;

  beforeAll(async () => {
    db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
    await migrate(db);
    const blobs = new MemoryBlobStore();
    one = await SnapshotCase.create(db, blobs, { count: MANY, dimensions: 4 });
    good = await blobs.get(one.key);
  }, 60_000);
  afterAll(() => db.close());

  async function changes(): Promise<unknown> {
    return db.get("SELECT total_changes() AS n, (SELECT max(created_at) FROM vector_generations) AS since");
  }

  async function look(snapshot: Uint8Array | undefined, quick: boolean): Promise<unknown> {
    const blobs = new MemoryBlobStore();
    if (snapshot !== undefined) await blobs.put(one.key, snapshot);
    const before = await changes();
    const vectors = one.open(blobs);
    const [found] = await vectors.examine(one.table.indexId, { quick });
    expect(await vectors.openReports()).toEqual([]);
    await vectors.close();
    // Neither the rows nor the snapshot are touched, not even by closing.
    expect(await changes()).toEqual(before);
    expect(await blobs.list("")).toEqual(snapshot === undefined ? [] : [one.key]);
    if (snapshot !== undefined) expect(await blobs.get(one.key)).toEqual(snapshot);
    return found;
  }

  test("tells all of one that opens from its snapshot, quick or not", async () => {
    const linked = { vectors: MANY, engine: "hnsw", linked: MANY, unlinked: 0 };
    const snapshot = { problem: null, behind: 0, sizeBytes: good.length, createdAt: expect.any(Number) };
    const whole = await look(good, false);
    expect(whole).toMatchObject({ vectors: MANY, vectorBytes: MANY * 12, problem: null, index: linked, snapshot });
    expect((whole as { recall: number }).recall).toBeGreaterThan(0.9);
    expect(await look(good, true)).toMatchObject({ vectors: MANY, recall: null, index: linked, snapshot });
  });

  test("makes no large one from its rows when it is to be quick", async () => {
    expect(await look(undefined, true)).toMatchObject({ vectors: MANY, index: null, problem: null, snapshot: null });
    expect(await look(undefined, false)).toMatchObject({ index: { vectors: MANY, linked: 0 }, recall: 1 });
    const cut = { problem: expect.stringMatching(/^(?:BAD_FORMAT|CORRUPT): /), sizeBytes: 2000 };
    expect(await look(good.slice(0, 2000), true)).toMatchObject({ index: null, snapshot: cut });
  });

  test("names what is wrong with a snapshot, and leaves it", async () => {
    const flipped = good.slice();
    flipped[good.length - 9]! ^= 1;
    expect(await look(flipped, false)).toMatchObject({
      problem: null,
      index: { vectors: MANY },
      snapshot: { problem: expect.stringContaining("graph.checksum"), revision: expect.any(Number) },
    });
    const quick = { index: null, snapshot: { problem: expect.stringContaining("graph.checksum") } };
    expect(await look(flipped, true)).toMatchObject(quick);
    const newer = resigned(good, { envelope: { revision: 9_999_999 } });
    expect(await look(newer, false)).toMatchObject({
      snapshot: { problem: "the snapshot is newer than the database" },
    });
    const older = resigned(good, { envelope: { createdAt: 1 } });
    expect(await look(older, true)).toMatchObject({
      index: null,
      snapshot: { problem: "the snapshot is older than what it stands for" },
    });
    expect(await look(new TextEncoder().encode("no snapshot at all"), true)).toMatchObject({
      snapshot: { revision: null, createdAt: null, behind: 0, problem: expect.stringContaining("BAD_FORMAT") },
    });
  });

  test("sees that a snapshot holds other vectors than the rows", async () => {
    await db.exec(`DELETE FROM "${one.table.tableName}" WHERE vector_key <= 3; DELETE FROM vector_changes`);
    expect(await look(good, true)).toMatchObject({
      vectors: MANY - 3,
      problem: `it lacks 0 of ${MANY - 3} vectors, and has 3 that are gone`,
    });
  });
});
