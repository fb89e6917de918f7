import { cdp } from "vitest/browser";
import { afterEach, expect, test } from "vitest";
import { deleteStore, openStore, type Store } from "lodestore/browser";
import { opfsStoreBytes } from "../../src/drivers/sql-opfs.ts";
import { bulkNotes } from "../support/bulk-notes.ts";

let made = 0;
const names: string[] = [];
const open: Store[] = [];

async function openFresh(): Promise<{ store: Store; name: string }> {
  const name = `upkeep-${Date.now()}-${made++}`;
  const store = await openStore({ name });
  names.push(name);
  open.push(store);
  return { store, name };
}

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  for (const name of names.splice(0)) await deleteStore({ name });
});

function setQuota(quotaSize: number | undefined): Promise<unknown> {
  const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
  return session.send("Storage.overrideQuotaForOrigin", {
    origin: location.origin,
    ...(quotaSize === undefined ? {} : { quotaSize }),
  });
}

test("a vacuum makes the files in the browser's storage shorter, and everything is found as before", async () => {
  const { store, name } = await openFresh();
  const notes = bulkNotes(80, 1500);
  await store.ingest(notes);
  for (const { path } of notes.slice(20)) await store.documents.purgeOrphanAtWorkspacePath(path);
  const before = await store.search({ text: "kiln", k: 100 });
  const [stats, storeBytes] = [await store.stats(), await opfsStoreBytes(name)];
  const phases = new Set<string>();
  const report = await store.vacuum({ onProgress: ({ phase }) => phases.add(phase) });
  expect(report).toMatchObject({ mode: "incremental", leftBytes: 0, ended: "done" });
  expect([...phases]).toEqual(["merge", "release"]);
  expect(report.databaseBytes).toBeLessThan(stats.databaseBytes * 0.5);
  expect(await opfsStoreBytes(name)).toBeLessThan(storeBytes - report.freedBytes / 2);
  expect((await store.search({ text: "kiln", k: 100 })).hits.map(({ chunkId }) => chunkId)).toEqual(
    before.hits.map(({ chunkId }) => chunkId),
  );
  const { sizes } = await store.stats({ sizes: true });
  expect(sizes).toMatchObject({ measured: true });
  expect(sizes?.objects.find(({ name: table }) => table === "documents")).toMatchObject({ rows: 20 });
  expect(await store.check()).toMatchObject({ ok: true });
});

test("a store tells how much room there is, and asks the browser from the page to keep it", async () => {
  const { store, name } = await openFresh();
  const { storeBytes, usageBytes, quotaBytes, availableBytes, persisted } = await store.storage.estimate();
  expect(storeBytes).toBe(await opfsStoreBytes(name));
  expect(quotaBytes).toBeGreaterThan(usageBytes ?? Number.POSITIVE_INFINITY);
  expect(availableBytes).toBe((quotaBytes ?? 0) - (usageBytes ?? 0));
  expect(persisted).toBe(await navigator.storage.persisted());
  const { granted, reason } = await store.storage.persist();
  expect(await navigator.storage.persisted()).toBe(granted);
  expect(reason).toEqual(granted ? null : expect.stringContaining("the browser said no for now"));
});

test("what cannot fit is refused before it is read, and the store goes on", async () => {
  const { store } = await openFresh();
  await store.ingest({ path: "a.md", content: "# A\n\nkiln" });
  const { usageBytes } = await store.storage.estimate();
  await setQuota((usageBytes ?? 0) + 1_000_000);
  try {
    let read = false;
    const content = async (): Promise<Uint8Array> => {
      read = true;
      return new Uint8Array(1);
    };
    // The browser's estimate is kinder than its quota.
    await expect(store.ingest({ path: "b.md", content }, { totalBytes: 2 ** 50 })).rejects.toMatchObject({
      code: "QUOTA_EXCEEDED",
      message: expect.stringMatching(
        /needs at least \d+ bytes, and \d+ of \d+ are available; nothing was written/u,
      ) as string,
    });
    expect(read).toBe(false);
    await expect(store.ingest(bulkNotes(80, 3000))).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
    expect(await store.check()).toMatchObject({ ok: true });
  } finally {
    await setQuota(undefined);
  }
  expect(await store.ingest(bulkNotes(20, 300))).toMatchObject({ failures: [] });
});
