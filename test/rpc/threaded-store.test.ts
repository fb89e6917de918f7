import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Store } from "../../src/contracts/store.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { FsBlobStore } from "../../src/drivers/blobs-fs.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlVectorUpkeep } from "../../src/drivers/vectors/sql-upkeep.ts";
import { Lane, type LaneThread } from "../../src/rpc/lane.ts";
import { heavyCalls } from "../../src/rpc/heavy-calls.ts";
import { NO_INDEXES } from "../../src/rpc/no-indexes.ts";
import { ReaderPool } from "../../src/rpc/reader-pool.ts";
import type { StoreThread } from "../../src/rpc/store-thread.ts";
import { ThreadedStore } from "../../src/rpc/threaded-store.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { SearchCache } from "../../src/store/search/search-cache.ts";
import { createStore } from "../../src/store/store.ts";
import { chatSessionsConformance } from "../conformance/chat-sessions.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";
import { jobsConformance } from "../conformance/jobs.ts";
import { answersConformance } from "../conformance/answers.ts";
import { evaluationsConformance } from "../conformance/evaluations.ts";
import { servedHere } from "./served-here.ts";

/** What a thread would serve, served here: a thread for every test would take longer than the tests. */
async function partHere(path: string, readOnly: boolean): Promise<LaneThread & { store: Store }> {
  const db = await openSqlNode({ path, functions: storeFunctions, readOnly });
  const searchCache = new SearchCache(db);
  const store = await createStore({
    db,
    blobs: new SqlBlobStore(db),
    assets: new FsBlobStore(join(dirname(path), "assets")),
    readOnly,
    searchCache,
  });
  const part: StoreThread = {
    store,
    heavy: heavyCalls(store),
    upkeep: new SqlVectorUpkeep(db),
    indexes: NO_INDEXES,
    engine: async () => undefined,
    hurry: async () => undefined,
    searchCache: async () => searchCache.stats(),
    pinAssets: async () => store.pinAssets(),
    follow: async () => undefined,
  };
  const connection = await servedHere<StoreThread>(part);
  return { connection, store, ref: () => undefined, unref: () => undefined, ended: Promise.resolve() };
}

async function storeInParts(): Promise<{ store: Store; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-threaded-"));
  const path = join(dir, "lodestore.db");
  const writer = new Lane(await partHere(path, false));
  const readers = await ReaderPool.start(2, () => partHere(path, true));
  const store = new ThreadedStore({ writer, readers, indexesIn: "readers", release: async () => undefined });
  return {
    store,
    close: async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
}

// Every read goes over another connection than the writes before it, and must see them.
documentStoreConformance("of a store with one that writes and two that read", async () => {
  const { store, close } = await storeInParts();
  return { documents: store.documents, close };
});

chatSessionsConformance("of a store with one that writes and two that read", async () => {
  const { store, close } = await storeInParts();
  return { chat: store.chat, documents: store.documents, close };
});

jobsConformance("of a store with one that writes and two that read", async () => {
  const { store, close } = await storeInParts();
  return { jobs: store.jobs, documents: store.documents, close };
});
answersConformance("of a store with one that writes and two that read", storeInParts);
evaluationsConformance("of a store with one that writes and two that read", storeInParts);

test("what is asked when it is closed is answered", async () => {
  const { store, close } = await storeInParts();
  await store.ingest({ path: "a.md", content: "# A\n\nkiln" });
  const asked = store.stats();
  await close();
  expect(await asked).toMatchObject({ documents: 1 });
});

test("what only reads asks nothing of the one that writes", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-threaded-"));
  const path = join(dir, "lodestore.db");
  const writing = await partHere(path, false);
  const readers = await ReaderPool.start(2, () => partHere(path, true));
  const store = new ThreadedStore({
    writer: new Lane(writing),
    readers,
    indexesIn: "readers",
    release: async () => undefined,
  });
  await store.ingest({ path: "a.md", content: "# A\n\nkiln" });
  const { id: sessionId } = await store.chat.createSession({ title: "Kilns" });
  await store.chat.appendTurn(sessionId, { role: "user", text: "kiln" });
  const { id: jobId } = await store.jobs.create("own");
  const { id: answerId } = await store.answers.record({ query: "kiln", mode: "lexical", text: "yes" });
  const suite = { name: "s", queries: [{ id: "1", text: "kiln", expected: ["a.md"] }] };
  await store.evaluations.putSuite(suite);
  const { id: runId } = await store.evaluations.run("s");
  await writing.store.close();

  const { documents } = store;
  const [hit] = (await store.search({ text: "kiln" })).hits;
  const { documentId = "", chunkId = "" } = hit ?? {};
  const document = await documents.getDocument(documentId);
  expect(document?.workspacePath).toBe("a.md");
  expect(await documents.getDocumentByWorkspacePath("a.md")).toEqual(document);
  expect((await documents.listDocuments()).items).toEqual([document]);
  expect(await documents.countDocuments()).toBe(1);
  expect(await documents.allWorkspacePaths()).toEqual(["a.md"]);
  expect(await documents.getBlocks(documentId)).toHaveLength(2);
  expect((await documents.getChunk(chunkId))?.id).toBe(chunkId);
  expect(await documents.getChunks([chunkId])).toHaveLength(1);
  expect(await documents.getChunksOf(documentId)).toHaveLength(1);
  expect(await documents.staleChunkIdsAt("a.md")).toEqual([chunkId]);
  expect((await documents.getAsset(document?.assetId ?? ""))?.byteLength).toBe(9);
  expect((await documents.getAssetByWorkspacePath("a.md"))?.id).toBe(document?.assetId);
  expect(await documents.getAssetBytes(document?.assetId ?? "")).toHaveLength(9);
  expect(await documents.corpusRevision()).toBeGreaterThan(0);
  expect(await store.stats()).toMatchObject({ documents: 1 });
  expect(await store.chat.getSession(sessionId)).toMatchObject({ turnCount: 1 });
  expect((await store.chat.listSessions()).items).toHaveLength(1);
  expect((await store.chat.listTurns(sessionId)).items).toHaveLength(1);
  expect((await store.chat.searchTurns({ text: "kiln" })).hits).toHaveLength(1);
  expect(await store.chat.exportSession(sessionId, "markdown")).toContain("kiln");
  expect(await store.jobs.get(jobId)).toMatchObject({ kind: "own" });
  expect((await store.jobs.list()).items).toHaveLength(2);
  await expect(store.jobs.cancel(jobId)).rejects.toMatchObject({ code: "CLOSED" });
  expect(await store.answers.get(answerId)).toMatchObject({ text: "yes" });
  expect((await store.answers.list()).items).toHaveLength(1);
  expect(await store.evaluations.getSuite("s")).toMatchObject({ queryCount: 1 });
  expect((await store.evaluations.listSuites()).items).toHaveLength(1);
  expect(await store.evaluations.getRun(runId)).toMatchObject({ status: "completed" });
  expect((await store.evaluations.listRuns()).items).toHaveLength(1);
  expect((await store.evaluations.listResults(runId)).items).toHaveLength(1);
  expect(await store.evaluations.compare(runId, runId)).toMatchObject({ difference: 0 });
  await expect(store.answers.delete(answerId)).rejects.toMatchObject({ code: "CLOSED" });
  await expect(store.evaluations.run("s")).rejects.toMatchObject({ code: "CLOSED" });
  await expect(store.chat.deleteSession(sessionId)).rejects.toMatchObject({ code: "CLOSED" });
  await expect(documents.deleteDocument(documentId)).rejects.toMatchObject({ code: "CLOSED" });
  await store.close();
  rmSync(dir, { recursive: true });
});

test("a store that is printed or serialised is asked nothing", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-threaded-"));
  const writer = new Lane(await partHere(join(dir, "lodestore.db"), false));
  const store = new ThreadedStore({ writer, readers: undefined, indexesIn: "readers", release: async () => undefined });
  const members = ["documents", "embeddings", "chat", "storage", "jobs", "answers", "evaluations"];
  expect(JSON.parse(JSON.stringify(store))).toEqual(Object.fromEntries(members.map((name) => [name, {}])));
  expect(Object.hasOwn(store.embeddings, "then")).toBe(false);
  // A call that nobody awaits would be a rejection that nobody handles.
  expect(writer.load).toBe(0);
  await store.close();
  rmSync(dir, { recursive: true });
});
