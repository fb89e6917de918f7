import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import type { RoomEstimate, StoreStorage, VacuumProgress } from "../../src/contracts/upkeep.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { bulkNotes } from "../support/bulk-notes.ts";
import { storeFolder } from "../support/open-node-store.ts";

const NOTES = bulkNotes(4 * 60);
const HALF = NOTES.length / 2;

interface Opened extends AsyncDisposable {
  store: Store;
  db: SqlDatabase;
}

async function opened(db: SqlDatabase, storage?: StoreStorage): Promise<Opened> {
  const store = await createStore({ db, blobs: new SqlBlobStore(db), ...(storage === undefined ? {} : { storage }) });
  return { store, db, [Symbol.asyncDispose]: () => store.close() };
}

async function atFile(path: string, storage?: StoreStorage): Promise<Opened> {
  return opened(await openSqlNode({ path, functions }), storage);
}

/** Takes the notes in and deletes every other one of them. */
async function halved({ store }: Opened): Promise<void> {
  await store.ingest(NOTES);
  for (const [index, { path }] of NOTES.entries()) {
    if (index % 2 === 1) await store.documents.purgeOrphanAtWorkspacePath(path);
  }
}

async function answers(store: Store): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const text of ["kiln", "number7", "number8", "note"]) {
    const { hits } = await store.search({ text, k: 50 });
    found.push(hits.map(({ chunkId, score, snippet }) => [chunkId, score.toFixed(6), snippet]));
  }
  return found;
}

/** A database as earlier releases made them, with half of the notes. */
async function madeBefore(path: string): Promise<void> {
  const file = new DatabaseSync(path);
  file.exec("PRAGMA auto_vacuum = NONE; CREATE TABLE t (a); DROP TABLE t; PRAGMA journal_mode = WAL");
  file.close();
  await using before = await atFile(path);
  expect((await before.db.capabilities()).settings["auto_vacuum"]).toBe(0);
  await halved(before);
}

/** Room as a test says it is. */
function roomOf(availableBytes: number | null): StoreStorage {
  const estimate: RoomEstimate = {
    storeBytes: 0,
    usageBytes: 1000,
    quotaBytes: availableBytes === null ? null : availableBytes + 1000,
    availableBytes,
    persisted: true,
  };
  return { estimate: async () => estimate, persist: async () => ({ granted: true, reason: null }) };
}

describe.each([
  ["sql-node", () => openSqlNode({ path: join(storeFolder(), "a.db"), functions })],
  ["sql-memory", () => openSqlMemory({ functions })],
])("a vacuum on %s", (_, open) => {
  test("gives back what is free, and everything is found as before under the same keys", async () => {
    await using subject = await opened(await open());
    const { store, db } = subject;
    await halved(subject);
    const before = await store.stats();
    const found = await answers(store);
    const keys = await db.all("SELECT chunk_key, chunk_id FROM chunks ORDER BY chunk_key");
    expect(before.freeBytes).toBeGreaterThan(before.databaseBytes / 4);
    const seen: VacuumProgress[] = [];
    const report = await store.vacuum({ onProgress: (progress) => seen.push(progress) });
    expect(report).toMatchObject({ mode: "incremental", leftBytes: 0, ended: "done" });
    const after = await store.stats();
    expect(after).toMatchObject({ freeBytes: 0, databaseBytes: report.databaseBytes });
    expect(before.databaseBytes - after.databaseBytes).toBe(report.freedBytes);
    // The text index, too, lets go of what was deleted.
    expect(report.freedBytes).toBeGreaterThan(before.freeBytes);
    expect(after.databaseBytes).toBeLessThan(before.databaseBytes * 0.7);
    expect(seen[0]).toMatchObject({ phase: "merge", freedBytes: 0 });
    expect(seen.at(-1)).toEqual({ phase: "release", freedBytes: report.freedBytes, leftBytes: 0 });
    expect(await answers(store)).toEqual(found);
    expect(await db.all("SELECT chunk_key, chunk_id FROM chunks ORDER BY chunk_key")).toEqual(keys);
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await store.vacuum()).toMatchObject({ freedBytes: 0, ended: "done" });
    expect(await store.ingest(NOTES)).toMatchObject({ added: HALF, skipped: HALF });
  });

  test("gives back no more than it may, and no step more than its time", async () => {
    await using subject = await opened(await open());
    await halved(subject);
    const { store } = subject;
    const { databaseBytes } = await store.stats();
    const page = 65_536;
    const some = await store.vacuum({ maxBytes: 20_000 });
    expect(some).toMatchObject({ ended: "maxBytes" });
    expect(some.freedBytes).toBeGreaterThanOrEqual(20_000);
    expect(some.freedBytes).toBeLessThan(20_000 + page);
    expect(some.leftBytes).toBeGreaterThan(0);
    expect(await store.vacuum({ maxMs: 0 })).toMatchObject({ ended: "maxMs", freedBytes: 0 });
    expect(await store.vacuum({ maxBytes: 0 })).toMatchObject({ ended: "maxBytes", freedBytes: 0 });
    expect((await store.stats()).databaseBytes).toBe(databaseBytes - some.freedBytes);
  });

  test("ends where it is aborted; what is given back stays so, and nothing is lost", async () => {
    await using subject = await opened(await open());
    const { store } = subject;
    // Enough to delete for several steps.
    await store.ingest(bulkNotes(90, 1500));
    for (const path of (await store.documents.allWorkspacePaths()).slice(10)) {
      await store.documents.purgeOrphanAtWorkspacePath(path);
    }
    const { databaseBytes } = await store.stats();
    const controller = new AbortController();
    const onProgress = ({ freedBytes }: VacuumProgress): void => {
      if (freedBytes > 0) controller.abort();
    };
    const aborted = store.vacuum({ signal: controller.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED", operation: "vacuum" });
    const half = await store.stats();
    expect(half.databaseBytes).toBeLessThan(databaseBytes);
    expect(half.freeBytes).toBeGreaterThan(0);
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await store.vacuum()).toMatchObject({ leftBytes: 0 });
    const [running] = await Promise.allSettled([store.vacuum(), store.close()]);
    expect(running).toMatchObject({ status: "rejected", reason: { code: "CLOSED" } });
    await expect(store.vacuum()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

test("the file is as short as the report says, while others read", async () => {
  const path = join(storeFolder(), "a.db");
  await using subject = await atFile(path);
  await halved(subject);
  const reader = new DatabaseSync(path, { readOnly: true });
  // A reader in the midst of its transaction sees what it saw.
  reader.exec("BEGIN");
  const count = reader.prepare("SELECT count(*) AS n FROM documents").get();
  const first = await subject.store.vacuum();
  expect(
    reader.prepare("SELECT count(*) AS n, sum(length(text)) > 0 AS ok FROM documents, chunks").get(),
  ).toMatchObject({
    ok: 1,
  });
  expect(count).toEqual({ n: HALF });
  reader.exec("COMMIT");
  reader.close();
  await subject.store.vacuum();
  expect(statSync(path).size).toBe(first.databaseBytes);
});

describe("a database of an earlier release", () => {
  test("is written anew once, keeps its keys, and from then on is shortened step by step", async () => {
    const path = join(storeFolder(), "a.db");
    await madeBefore(path);
    await using subject = await atFile(path);
    const { store, db } = subject;
    const { databaseBytes } = await store.stats();
    const found = await answers(store);
    const keys = await db.all("SELECT chunk_key, chunk_id FROM chunks ORDER BY chunk_key");
    const report = await store.vacuum();
    expect(report).toMatchObject({ mode: "full", leftBytes: 0, ended: "done" });
    expect(databaseBytes - report.databaseBytes).toBe(report.freedBytes);
    expect(statSync(path).size).toBe(report.databaseBytes);
    expect(report.databaseBytes).toBeLessThan(databaseBytes * 0.62);
    expect(await answers(store)).toEqual(found);
    expect(await db.all("SELECT chunk_key, chunk_id FROM chunks ORDER BY chunk_key")).toEqual(keys);
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await store.vacuum({ maxMs: 1000 })).toMatchObject({ mode: "incremental", freedBytes: 0 });
  });

  test("cannot be written anew within bounds, or without the room for it: nothing is written then", async () => {
    const path = join(storeFolder(), "a.db");
    await madeBefore(path);
    await using cramped = await atFile(path, roomOf(10_000));
    const { size } = statSync(path);
    for (const bounds of [{ maxBytes: 1 }, { maxMs: 1 }]) {
      await expect(cramped.store.vacuum(bounds)).rejects.toMatchObject({ code: "UNSUPPORTED", operation: "vacuum" });
    }
    await expect(cramped.store.vacuum()).rejects.toMatchObject({
      code: "QUOTA_EXCEEDED",
      message: expect.stringMatching(/needs at least \d+ bytes, and 10000 of 11000 are available/u) as string,
    });
    expect(statSync(path).size).toBe(size);
    expect((await cramped.db.capabilities()).settings["auto_vacuum"]).toBe(0);
  });
});

test.each([
  ["maxBytes", { maxBytes: -1 }],
  ["maxBytes", { maxBytes: 1.5 }],
  ["maxMs", { maxMs: "soon" }],
  ["signal", { signal: 5 }],
  ["onProgress", { onProgress: true }],
  ["force", { force: true }],
])("a vacuum refuses a wrong %s", async (field, options) => {
  await using subject = await opened(await openSqlNode({ path: ":memory:", functions }));
  await expect(subject.store.vacuum(options as never)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(field) as string,
  });
});

test("comes to its end while others go on writing", async () => {
  await using at = await atFile(join(storeFolder(), "lodestore.db"));
  await halved(at);
  const most = 2000;
  const over = new AbortController();
  let writes = 0;
  const writing = async (): Promise<void> => {
    for (; !over.signal.aborted && writes < most; writes++) {
      await at.db.run(
        "UPDATE kv SET value = value WHERE key IN ('corpus_revision', 'text_index_epoch', 'terms_version')",
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const others = writing();
  expect(await at.store.vacuum()).toMatchObject({ ended: "done", leftBytes: 0 });
  over.abort();
  await others;
  expect(writes).toBeLessThan(most);
});
