import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { RoomEstimate, StoreStorage } from "../../src/contracts/upkeep.ts";
import type { Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError } from "../../src/errors.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { patterned } from "../conformance/blob-streams.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { bulkNotes } from "../support/bulk-notes.ts";
import { sampleDocument } from "../support/sample-document.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const NOTES = bulkNotes(8, 300);

/** A store on a disk whose room a test sets: what is written beyond it, SQLite itself refuses. */
class Cramped implements AsyncDisposable {
  readonly store: Store;
  /** Lets the database grow by so many pages, and says that this is the room there is; null: by any number. */
  readonly roomFor: (pages: number | null) => Promise<void>;
  readonly say: (availableBytes: number | null) => void;

  private constructor(store: Store, roomFor: Cramped["roomFor"], say: Cramped["say"]) {
    this.store = store;
    this.roomFor = roomFor;
    this.say = say;
  }

  static async open(): Promise<Cramped> {
    const db = await openSqlNode({ path: ":memory:", functions });
    let available: number | null = null;
    const estimate = (): RoomEstimate => ({
      storeBytes: 0,
      usageBytes: 5000,
      quotaBytes: available === null ? null : 5000 + available,
      availableBytes: available,
      persisted: true,
    });
    const storage: StoreStorage = {
      estimate: async () => estimate(),
      persist: async () => ({ granted: true, reason: null }),
    };
    const store = await createStore({
      db,
      blobs: new SqlBlobStore(db),
      vectors: flatVectors(db),
      embedder: new TestEmbedder("1", 2),
      embedOnOpen: false,
      storage,
    });
    const roomFor = async (pages: number | null): Promise<void> => {
      const row = await db.get<{ n: number }>("SELECT page_count AS n FROM pragma_page_count");
      await db.exec(`PRAGMA max_page_count = ${pages === null ? 1_000_000 : (row?.n ?? 0) + pages}`);
    };
    return new Cramped(store, roomFor, (bytes) => (available = bytes));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.store.close();
  }
}

interface Case {
  name: string;
  /** Before the disk is full. */
  before?: (store: Store) => Promise<unknown>;
  work: (store: Store) => Promise<unknown>;
  /** Looks at what is there after the work failed: nothing is half in. */
  whole: (store: Store) => Promise<unknown>;
  /** Whether the work, done again with room, comes to its end. */
  done: (store: Store) => Promise<unknown>;
}

const PART = Array.from({ length: 160 }, (_, n) => `kiln ${n} ${"x".repeat(300)}`).join("\n\n");

/** Words that hardly repeat. */
const LONG = bulkNotes(1, 6000)[0]?.content ?? "";

async function archive(): Promise<Uint8Array> {
  await using source = await Cramped.open();
  await source.store.ingest(NOTES, { embed: "wait" });
  return await archiveOf(source.store);
}

const CASES: readonly Case[] = [
  {
    name: "an ingest",
    work: (store) => store.ingest(NOTES, { embed: "off" }),
    whole: async (store) => {
      for (const path of await store.documents.allWorkspacePaths()) {
        const asset = await store.documents.getAssetByWorkspacePath(path);
        const bytes = await store.documents.getAssetBytes(asset?.id ?? "");
        expect(new TextDecoder().decode(bytes)).toBe(NOTES.find((note) => note.path === path)?.content);
      }
    },
    done: async (store) => expect(await store.documents.countDocuments()).toBe(NOTES.length),
  },
  {
    name: "one whole document",
    work: (store) => store.documents.putWhole(sampleDocument("a.md", PART, { ingestedAt: 1 })),
    whole: async (store) => expect(await store.documents.allWorkspacePaths()).toEqual([]),
    done: async (store) => expect(await store.documents.staleChunkIdsAt("a.md")).toHaveLength(160),
  },
  {
    name: "an import",
    work: async (store) => store.import(inPieces(await (made ??= archive()))),
    whole: async (store) => expect(await store.stats()).toMatchObject({ documents: 0, chunks: 0, assets: 0 }),
    done: async (store) => expect(await store.documents.countDocuments()).toBe(NOTES.length),
  },
  {
    name: "a turn of a chat",
    before: (store) => store.chat.createSession({ title: "Kilns" }),
    work: async (store) => {
      const [session] = (await store.chat.listSessions()).items;
      return store.chat.appendTurn(session?.id ?? "", { role: "user", text: LONG });
    },
    whole: async (store) => expect((await store.chat.listSessions()).items).toMatchObject([{ turnCount: 0 }]),
    done: async (store) => expect((await store.chat.listSessions()).items).toMatchObject([{ turnCount: 1 }]),
  },
  {
    name: "a run of the embedder",
    before: (store) => store.ingest(NOTES, { embed: "off" }),
    work: (store) => store.embeddings.run(),
    whole: async (store) => {
      const { committed, missing, chunks } = await store.embeddings.status();
      expect(committed + missing).toBe(chunks);
    },
    done: async (store) => expect(await store.embeddings.status()).toMatchObject({ missing: 0 }),
  },
];
let made: Promise<Uint8Array> | undefined;

test.each(CASES)(
  "$name that finds the disk full after any number of pages leaves nothing half-written",
  async (one) => {
    let failures = 0;
    for (let pages = 0; ; pages += pages < 6 ? 1 : 7) {
      await using cramped = await Cramped.open();
      const { store } = cramped;
      await one.before?.(store);
      await cramped.roomFor(pages);
      const failed = await one.work(store).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed === undefined) break;
      failures++;
      expect(failed).toMatchObject({ name: "StorageError", code: "QUOTA_EXCEEDED" });
      await one.whole(store);
      expect((await store.check()).findings.filter(({ ok }) => !ok)).toEqual([]);
      // There is room again: the same work comes to its end.
      await cramped.roomFor(null);
      await one.work(store);
      await one.done(store);
      expect(await store.check()).toMatchObject({ ok: true });
    }
    expect(failures).toBeGreaterThan(2);
  },
);

test("the error of a full disk says how much there is", async () => {
  await using cramped = await Cramped.open();
  const { store } = cramped;
  cramped.say(8192);
  await cramped.roomFor(2);
  const full = store.documents.putWhole(sampleDocument("a.md", PART));
  await expect(full).rejects.toMatchObject({
    code: "QUOTA_EXCEEDED",
    capability: "sql",
    message: expect.stringMatching(
      /more than there is \(8192 of 13192 bytes are said to be available\); what was being written is undone/u,
    ) as string,
    cause: { code: "QUOTA_EXCEEDED" },
  });
});

test("what clearly cannot fit is refused before anything is read or written", async () => {
  await using cramped = await Cramped.open();
  const { store } = cramped;
  const archived = await (made ??= archive());
  await store.ingest({ path: "a.md", content: "# A\n\nkiln\n" });
  cramped.say(100_000);
  const refused = (capability: string): object => ({
    code: "QUOTA_EXCEEDED",
    capability,
    message: expect.stringMatching(
      /needs at least \d+ bytes, and 100000 of 105000 are available; nothing was written/u,
    ) as string,
  });
  let read = false;
  const content = async (): Promise<Uint8Array> => {
    read = true;
    return new Uint8Array(1);
  };
  const many = Array.from({ length: 3 }, (_, n) => ({ path: `n${n}.md`, sizeBytes: 2 ** 20, content }));
  await expect(store.ingest(many)).rejects.toMatchObject(refused("ingest"));
  const stream = (async function* () {
    yield* many;
  })();
  await expect(store.ingest(stream, { totalBytes: 3 * 2 ** 20 })).rejects.toMatchObject(refused("ingest"));
  expect(read).toBe(false);
  // Files above the limit are refused one by one, unread, and need no room.
  const large = { path: "b.md", sizeBytes: 2 ** 30, content };
  expect(await store.ingest(large)).toMatchObject({ failures: [{ path: "b.md" }] });
  await expect(archiveOf(store)).rejects.toMatchObject(refused("archive"));
  expect(await store.stats()).toMatchObject({ documents: 1 });
  await store.documents.purgeOrphanAtWorkspacePath("a.md");
  await expect(store.import(inPieces(archived))).rejects.toMatchObject(refused("archive"));
  expect(await store.stats()).toMatchObject({ documents: 0 });
  // Where nobody tells how much there is, nothing is refused before.
  cramped.say(null);
  expect(await store.import(inPieces(archived))).toMatchObject({ documents: NOTES.length });
});

test("an archive whose assets clearly cannot fit is refused before one of them is read", async () => {
  const bytes = patterned(3 * 2 ** 20);
  const open = async (storage?: StoreStorage): Promise<{ store: Store; assets: MemoryBlobStore }> => {
    const db = await openSqlNode({ path: ":memory:", functions });
    const assets = new MemoryBlobStore();
    const given = storage === undefined ? {} : { storage };
    return { store: await createStore({ db, blobs: new SqlBlobStore(db), assets, ...given }), assets };
  };
  const source = await open();
  await source.store.documents.putAssetWithBytes({ bytes, mediaType: "image/png" });
  const archived = await archiveOf(source.store);
  const availableBytes = archived.byteLength - bytes.byteLength / 2;
  const { store, assets } = await open({
    estimate: async () => ({
      storeBytes: 0,
      usageBytes: 0,
      quotaBytes: availableBytes,
      availableBytes,
      persisted: true,
    }),
    persist: async () => ({ granted: true, reason: null }),
  });
  await using both = new AsyncDisposableStack();
  both.use(source.store);
  both.use(store);
  const refused = { code: "QUOTA_EXCEEDED", message: expect.stringContaining(`${bytes.byteLength} bytes of assets`) };
  let taken = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of inPieces(archived)) yield (((taken += piece.byteLength), piece));
  };
  await expect(store.import(counted())).rejects.toMatchObject(refused);
  expect(taken).toBeLessThan(archived.byteLength / 2);
  // What an import left that was interrupted is there already.
  for (const key of await source.assets.list("")) await assets.put(key, bytes);
  expect(await store.import(inPieces(archived))).toMatchObject({ documents: 0 });
});

test("files that are in already need no room to be taken in again", async () => {
  await using cramped = await Cramped.open();
  const { store } = cramped;
  const files = bulkNotes(2, 80_000);
  await store.ingest(files);
  cramped.say(1000);
  expect(await store.ingest(files)).toMatchObject({ skipped: 2 });
});

test.each([-1, 1.5, "many"])("an ingest refuses %s as totalBytes", async (totalBytes) => {
  await using cramped = await Cramped.open();
  await expect(cramped.store.ingest([], { totalBytes: totalBytes as never })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining("totalBytes") as string,
  });
});

test("a store opens where the disk is full and work ended with its process: it is named, and marked by a later opening", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-full-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "lodestore.db");
  const openDatabase = (): Promise<SqlDatabase> => openSqlNode({ path, functions });
  const before = await openDatabase();
  const ended = await createStore({ db: before, blobs: new SqlBlobStore(before) });
  await ended.ingest({ path: "kept.md", content: "a quokka" });
  const { id } = await ended.jobs.create("transcribe");
  await ended.evaluations.run({ name: "one", queries: [{ id: "q", text: "quokka", expected: ["kept.md"] }] });
  await ended.close();
  // As if its process had ended before that.
  const killed = await openDatabase();
  await killed.exec(`UPDATE eval_runs SET status = 'running', finished_at = NULL;
    UPDATE jobs SET status = 'running', finished_at = NULL WHERE kind = 'transcribe'`);
  await killed.close();

  const full = await openDatabase();
  const { run, all } = full;
  const refuse = (): Promise<never> => Promise.reject(new StorageError("QUOTA_EXCEEDED", "the disk is full", SITE));
  full.run = (sql, params) => (/^\s*(?:UPDATE|DELETE|INSERT)/u.test(sql) ? refuse() : run.call(full, sql, params));
  full.all = (sql, params, options) =>
    sql.startsWith("UPDATE") ? refuse() : (all.call(full, sql, params, options) as Promise<never>);
  const store = await createStore({ db: full, blobs: new SqlBlobStore(full) });
  expect(await store.openReport()).toMatchObject({ interruptedJobs: [{ id, kind: "transcribe" }] });
  expect((await store.search({ text: "quokka" })).hits).toHaveLength(1);
  expect((await store.evaluations.listRuns()).items).toMatchObject([{ status: "running" }]);
  await store.close();

  const roomy = await openDatabase();
  await using again = await createStore({ db: roomy, blobs: new SqlBlobStore(roomy) });
  expect(await again.openReport()).toMatchObject({ interruptedJobs: [{ id, kind: "transcribe" }] });
  expect(await again.jobs.get(id)).toMatchObject({ status: "interrupted" });
  expect((await again.evaluations.listRuns()).items).toMatchObject([{ status: "interrupted" }]);
});

const SITE = { capability: "sql", operation: "run" } as const;
