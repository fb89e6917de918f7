import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { externalKey } from "../../src/store/documents/external-key.ts";
import { assetContentHash } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import type { LocalStore } from "../../src/store/lodestore-store.ts";
import { createStore } from "../../src/store/store.ts";
import { isSame, patterned, pieces } from "../conformance/blob-streams.ts";
import { archiveOf, entriesOf, inPieces, tarOf } from "../support/archives.ts";
import { haltingBlobs } from "../support/halting-blobs.ts";

const MIB = 1024 * 1024;
const mediaType = "application/octet-stream";
const LARGE = "word ".repeat(230_000);

interface Opened {
  store: LocalStore;
  db: SqlDatabase;
  assets: MemoryBlobStore;
}

const opened: Store[] = [];
async function open(step?: (name: string) => Promise<void>): Promise<Opened> {
  const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
  const assets = new MemoryBlobStore();
  const kept = step === undefined ? assets : haltingBlobs(assets, step);
  const store = await createStore({ db, blobs: new SqlBlobStore(db), assets: kept });
  opened.push(store);
  return { store, db, assets };
}

let at: Opened;
beforeEach(async () => {
  at = await open();
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function sweepDryRun({ store }: Opened) {
  return store.documents.sweepBlobs({ dryRun: true });
}

describe("large bytes", () => {
  test("are beside the database, and small ones in it, however they come", async () => {
    const { store, assets } = at;
    const { documents } = store;
    await documents.putAssetWithBytes({ bytes: patterned(MIB), mediaType });
    await documents.putAssetWithBytes({ bytes: pieces(MIB - 1, 1000), mediaType });
    expect(await assets.list("")).toEqual([]);
    const { contentHash } = await documents.putAssetWithBytes({ bytes: pieces(MIB + 1, 100_000), mediaType });
    const key = externalKey(contentHash);
    expect(key).toBe(`_assets/${contentHash.slice(0, 2)}/${contentHash.slice(2, 4)}/${contentHash}`);
    expect(await assets.list("")).toEqual([key]);
    expect((await store.stats()).assetStorage).toMatchObject({
      inDatabase: { assets: 2, bytes: 2 * MIB - 1 },
      external: { assets: 1, bytes: MIB + 1, driver: "blobs-memory" },
      referenced: { assets: 0, bytes: 0 },
    });
  });

  test("are asked for piece by piece: while one is being written no other is handed out", async () => {
    let begun = 0;
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const { store } = await open(async (name) => {
      if (name === "before write" && ++begun === 3) await held;
    });
    let handedOut = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of pieces(8 * MIB, MIB)) {
        handedOut++;
        yield piece;
      }
    }
    const put = store.documents.putAssetWithBytes({ bytes: counted(), mediaType });
    await expect.poll(() => begun).toBe(3);
    // Turns in which a source that is not held back would go on to its end.
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(handedOut).toBe(3);
    goOn();
    expect(await put).toMatchObject({ byteLength: 8 * MIB });
    expect(handedOut).toBe(8);
  });

  test("of a file that is taken in are kept once, and reported", async () => {
    const { store, assets } = at;
    const files = ["a.md", "b.md", "small.md", "other.md"].map((path) => ({
      path,
      content: path.length === 4 ? LARGE : "# Small\n\nSame.",
    }));
    const report = await store.ingest(files, { embed: "off" });
    expect(report).toMatchObject({ added: 4, deduplicated: 2, failures: [] });
    expect(await assets.list("")).toHaveLength(1);
    const { assetStorage } = await store.stats();
    const { length } = new TextEncoder().encode(`${LARGE}# Small\n\nSame.`);
    expect(assetStorage).toMatchObject({ logicalBytes: 2 * length, distinctBytes: length, deduplicatedBytes: length });
    expect(await store.ingest(files, { embed: "off" })).toMatchObject({ skipped: 4, deduplicated: 0 });
    await store.ingest({ path: "a.md", content: "new" }, { embed: "off", sweep: { prefix: "" } });
    expect(await assets.list("")).toEqual([]);
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test.each([
    ["lost", "are missing", (assets: MemoryBlobStore, key: string) => assets.delete(key)],
    ["cut off", "are 9 bytes", (assets: MemoryBlobStore, key: string) => assets.put(key, patterned(9))],
  ] as const)(
    "that are %s are found, named, and kept again when their file is taken in again",
    async (_, what, damage) => {
      const { store, assets } = at;
      await store.ingest({ path: "large.md", content: LARGE }, { embed: "off" });
      const [key] = await assets.list("");
      await damage(assets, key!);
      const { id } = (await store.documents.getAssetByWorkspacePath("large.md"))!;
      const corrupt = { code: "CORRUPT", message: expect.stringContaining(what) };
      await expect(store.documents.getAssetBytes(id)).rejects.toMatchObject(corrupt);
      const found = (await store.check()).findings.filter(({ ok }) => !ok);
      expect(found).toMatchObject([{ name: "asset bytes", detail: expect.stringContaining("large.md") }]);
      const { steps } = await store.repair();
      expect(steps).toMatchObject([{ outcome: "left", detail: "take these files in again: large.md" }]);
      const again = await store.ingest({ path: "large.md", content: LARGE }, { embed: "off" });
      expect(again).toMatchObject({ updated: 1, deduplicated: 0 });
      expect(await store.check({ deep: true })).toMatchObject({ ok: true });
    },
  );

  test("that are others than were put are found by a deep check, a read that verifies, and a stream", async () => {
    const { store, assets } = at;
    const { id, contentHash } = await store.documents.putAssetWithBytes({ bytes: patterned(3 * MIB), mediaType });
    const wrong = patterned(3 * MIB);
    wrong[3 * MIB - 1]! ^= 1;
    await assets.put(externalKey(contentHash), wrong);
    expect(isSame(await store.documents.getAssetBytes(id), wrong)).toBe(true);
    const corrupt = { code: "CORRUPT", message: expect.stringContaining("hash") };
    await expect(store.documents.getAssetBytes(id, { verify: true })).rejects.toMatchObject(corrupt);
    let handedOut = 0;
    const read = async (): Promise<void> => {
      for await (const piece of store.documents.getAssetStream(id, { verify: true })) handedOut += piece.byteLength;
    };
    await expect(read()).rejects.toMatchObject(corrupt);
    expect(handedOut).toBe(2 * MIB);
    expect(await store.check()).toMatchObject({ ok: true });
    const found = (await store.check({ deep: true })).findings.filter(({ ok }) => !ok);
    expect(found).toMatchObject([{ name: "asset hashes", detail: expect.stringContaining(id) }]);
    // Of another length they are seen at once, and written anew by the next put.
    await assets.put(externalKey(contentHash), wrong.subarray(1));
    expect((await store.check()).ok).toBe(false);
    await store.documents.putAssetWithBytes({ bytes: patterned(3 * MIB), mediaType });
    expect(await store.check({ deep: true })).toMatchObject({ ok: true });
  });

  test("that no asset has are found and deleted by a repair, and those that one has are not", async () => {
    const { store, assets } = at;
    await store.documents.putAssetWithBytes({ bytes: patterned(2 * MIB), mediaType });
    const stray = patterned(100);
    await assets.put(externalKey(assetContentHash(stray)), stray);
    await assets.put("_assets/foreign", stray);
    const found = (await store.check()).findings.filter(({ ok }) => !ok);
    expect(found).toMatchObject([{ name: "bytes that no asset has" }]);
    expect(await sweepDryRun(at)).toMatchObject({ examined: 2, deleted: 1, deletedBytes: 100, more: false });
    expect(await store.repair()).toMatchObject({ steps: [{ outcome: "repaired" }], check: { ok: true } });
    expect(await assets.list("")).toHaveLength(2);
  });

  test("are swept no more than was asked for, and none while an export is read", async () => {
    const { store, assets } = at;
    for (let n = 0; n < 3; n++) await assets.put(externalKey(assetContentHash(patterned(n))), patterned(n));
    const unpin = store.pinAssets();
    expect(await store.documents.sweepBlobs()).toMatchObject({ deleted: 0, more: true });
    await unpin();
    expect(await store.documents.sweepBlobs({ maxDelete: 2 })).toMatchObject({ deleted: 2, more: true });
    expect(await store.documents.sweepBlobs()).toMatchObject({ deleted: 1, more: false });
    const cancelled = store.documents.sweepBlobs({ signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED", operation: "sweepBlobs" });
  });
});

describe("an archive with large bytes", () => {
  async function source(): Promise<Uint8Array> {
    await at.store.ingest(
      [
        { path: "large.md", content: LARGE },
        { path: "small.md", content: "Small." },
      ],
      { embed: "off" },
    );
    await at.store.documents.putAssetWithBytes({ bytes: patterned(2 * MIB), mediaType });
    return archiveOf(at.store);
  }

  test("holds them as files of their own, and carries them into another store", async () => {
    const archive = await source();
    const names = [...entriesOf(archive).keys()];
    expect(names.filter((name) => name.startsWith("assets/"))).toHaveLength(2);
    expect(names.at(-1)).toBe("checksums.json");
    const target = await open();
    expect(await target.store.import(inPieces(archive))).toMatchObject({ documents: 2, bytes: archive.byteLength });
    expect(await target.assets.list("")).toEqual(await at.assets.list(""));
    expect(await target.store.check({ deep: true })).toMatchObject({ ok: true });
    expect((await target.store.stats()).assetStorage).toEqual((await at.store.stats()).assetStorage);
    expect(await sweepDryRun(target)).toMatchObject({ deleted: 0 });
  });

  test("is of the moment it was asked for: what is deleted meanwhile is in it, and gone after it", async () => {
    await source();
    const stream = at.store.export();
    const parts = [(await stream.next()).value as Uint8Array];
    const { id } = (await at.store.documents.getDocumentByWorkspacePath("large.md"))!;
    await at.store.documents.deleteDocument(id);
    for await (const piece of stream) parts.push(piece);
    expect([...entriesOf(new Uint8Array(Buffer.concat(parts))).keys()]).toHaveLength(5);
    expect(await at.assets.list("")).toHaveLength(1);
  });

  test.each([
    ["a file that is damaged", (bytes: Uint8Array) => bytes.fill(1, 100, 200), "CORRUPT"],
    ["a file that is missing", () => undefined, "CORRUPT"],
  ] as const)("is refused with %s, and leaves nothing", async (_, damage, code) => {
    const entries = entriesOf(await source());
    const name = [...entries.keys()].find((one) => one.startsWith("assets/"))!;
    const damaged = damage(entries.get(name)!);
    if (damaged === undefined) entries.delete(name);
    const target = await open();
    await expect(target.store.import(inPieces(tarOf(entries)))).rejects.toMatchObject({ code });
    expect(await target.assets.list("")).toEqual([]);
    expect(await target.store.stats()).toMatchObject({ documents: 0, assets: 0 });
  });

  test("is refused by a store that has no place for them, and not made where bytes are damaged", async () => {
    const archive = await source();
    const db = await openSqlNode({ path: ":memory:", functions: storeFunctions });
    const bare = await createStore({ db, blobs: new SqlBlobStore(db) });
    opened.push(bare);
    await expect(bare.import(inPieces(archive))).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const [key] = await at.assets.list("");
    await at.assets.put(key!, new Uint8Array((await at.assets.sizeOf(key!))!));
    await expect(archiveOf(at.store)).rejects.toMatchObject({ code: "CORRUPT", operation: "export" });
    await at.assets.delete(key!);
    await expect(archiveOf(at.store)).rejects.toMatchObject({ code: "CORRUPT", operation: "export" });
  });
});
