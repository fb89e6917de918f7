import { expect, onTestFinished, test } from "vitest";
import type { RoomReserve } from "../../src/contracts/room-reserve.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError } from "../../src/errors.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { SpareRoom } from "../../src/store/upkeep/spare-room.ts";
import { bulkNotes } from "../support/bulk-notes.ts";
import { flatVectors } from "../support/vector-stores.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

/** A disk on which nothing can be written while it is full, except where the room that was set aside was given up. */
class Disk implements RoomReserve {
  readonly bytes = 1000;
  full = false;
  held = false;
  asked = 0;

  async take(): Promise<boolean> {
    this.asked++;
    if (!this.full) this.held = true;
    return this.held;
  }

  async giveUp(): Promise<boolean> {
    const { held } = this;
    this.held = false;
    return held;
  }

  /** What a transaction does at its end. */
  requireRoom(): void {
    if (!this.full || !this.held) return;
    throw new StorageError("QUOTA_EXCEEDED", "the disk is full", { capability: "sql", operation: "transaction" });
  }
}

/** A store on that disk: as long as room is set aside, a full disk lets nothing be written. */
async function storeOn(disk: Disk): Promise<{ store: Store; db: SqlDatabase }> {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  const { transaction } = db;
  db.transaction = (body) =>
    transaction.call(db, async (tx) => {
      const result = await body(tx);
      disk.requireRoom();
      return result;
    }) as ReturnType<typeof body>;
  const embedder = new TestEmbedder();
  const store = await createStore({
    db,
    blobs: new SqlBlobStore(db),
    vectors: flatVectors(db),
    embedder,
    reserve: disk,
  });
  onTestFinished(() => store.close());
  return { store, db };
}

const FULL = { code: "QUOTA_EXCEEDED" };

test("room is set aside once, before the first files come in", async () => {
  const disk = new Disk();
  const { store } = await storeOn(disk);
  expect(disk.asked).toBe(0);
  await Promise.all([1, 2, 3].map((n) => store.ingest({ path: `${n}.md`, content: `glaze ${n}` })));
  await store.ingest({ path: "4.md", content: "glaze" }, { embed: "wait" });
  expect(disk).toMatchObject({ asked: 1, held: true });
});

test("on a full disk it is given up: documents can be deleted, and none are added until it is set aside again", async () => {
  const disk = new Disk();
  const { store } = await storeOn(disk);
  await store.ingest(
    [1, 2, 3].map((n) => ({ path: `${n}.md`, content: `glaze ${n}` })),
    { embed: "off" },
  );
  disk.full = true;
  await expect(store.ingest({ path: "4.md", content: "glaze 4" }, { embed: "off" })).rejects.toMatchObject(FULL);
  expect(disk.held).toBe(false);
  const refused = { ...FULL, message: /no room is left: .* cannot be set aside; delete documents/u };
  await expect(store.ingest({ path: "4.md", content: "glaze 4" })).rejects.toMatchObject(refused);
  await expect(store.embeddings.run()).rejects.toMatchObject(refused);
  const document = await store.documents.getDocumentByWorkspacePath("1.md");
  expect(await store.documents.deleteDocument(document?.id ?? "")).toBe(true);
  expect(await store.documents.allWorkspacePaths()).toEqual(["2.md", "3.md"]);
  disk.full = false;
  expect(await store.ingest({ path: "4.md", content: "glaze 4" }, { embed: "wait" })).toMatchObject({ added: 1 });
  expect(disk.held).toBe(true);
  expect((await store.check()).ok).toBe(true);
});

test("a deletion that comes to a full disk gives it up itself, and is done", async () => {
  const disk = new Disk();
  const { store } = await storeOn(disk);
  await store.ingest(
    [1, 2].map((n) => ({ path: `${n}.md`, content: `glaze ${n}` })),
    { embed: "off" },
  );
  disk.full = true;
  const document = await store.documents.getDocumentByWorkspacePath("1.md");
  expect(await store.documents.deleteDocument(document?.id ?? "")).toBe(true);
  expect(disk.held).toBe(false);
  disk.held = true;
  expect(await store.documents.purgeOrphanAtWorkspacePath("2.md")).toHaveLength(1);
});

test("whoever cannot set room aside for another reason adds without", async () => {
  const disk = new Disk();
  disk.take = () => Promise.reject(new Error("no such platform"));
  const { store } = await storeOn(disk);
  expect(await store.ingest({ path: "1.md", content: "glaze" })).toMatchObject({ added: 1 });
});

test("a vacuum that comes to a full disk gives it up, and is done", async () => {
  const disk = new Disk();
  const { store } = await storeOn(disk);
  await store.ingest(bulkNotes(20, 2000), { embed: "off" });
  for (const path of await store.documents.allWorkspacePaths()) await store.documents.purgeOrphanAtWorkspacePath(path);
  disk.full = true;
  expect(await store.vacuum()).toMatchObject({ leftBytes: 0, ended: "done" });
  expect(disk.held).toBe(false);
});

test("pages that are free are given back for it; where even that finds no room, nothing is added", async () => {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  const { all } = db;
  const statements: string[] = [];
  let refused = false;
  db.all = (sql, params, options) => {
    statements.push(sql);
    if (refused && sql.includes("incremental_vacuum")) {
      return Promise.reject(
        new StorageError("QUOTA_EXCEEDED", "the disk is full", { capability: "sql", operation: "all" }),
      );
    }
    return all.call(db, sql, params, options) as Promise<never>;
  };
  const reserve: RoomReserve = { bytes: 3 * 2 ** 20, take: async () => false, giveUp: async () => false };
  const store = await createStore({ db, blobs: new SqlBlobStore(db) });
  await store.ingest(bulkNotes(20, 2000));
  for (const path of await store.documents.allWorkspacePaths()) await store.documents.purgeOrphanAtWorkspacePath(path);
  const spare = new SpareRoom(db, reserve);
  const site = { capability: "ingest", operation: "ingest" } as const;
  refused = true;
  await expect(spare.require(site)).rejects.toMatchObject(FULL);
  refused = false;
  statements.length = 0;
  let asked = 0;
  reserve.take = async () => ++asked > 1;
  await spare.require(site);
  expect(statements.filter((sql) => sql.includes("incremental_vacuum")).length).toBeGreaterThan(0);
  expect(statements.at(-1)).toContain("wal_checkpoint");
  await store.close();
});

test("it is not given up while it is being taken", async () => {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  onTestFinished(() => db.close());
  const done: string[] = [];
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const spare = new SpareRoom(db, {
    bytes: 1000,
    take: async () => {
      await gate;
      done.push("taken");
      return true;
    },
    giveUp: async () => done.push("given up") > 0,
  });
  const site = { capability: "ingest", operation: "ingest" } as const;
  const taken = spare.require(site);
  const given = spare.giveUp();
  go();
  await taken;
  expect(await given).toBe(true);
  await spare.require(site);
  expect(done).toEqual(["taken", "given up", "taken"]);
});
