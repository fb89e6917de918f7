import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { EmbeddingProgress, PutReport } from "../../src/contracts/embeddings.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { IngestFile, IngestProgress } from "../../src/contracts/store.ts";
import { StorageError } from "../../src/errors.ts";
import { servingVersion } from "../../src/store/embeddings/serving.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { hash32 } from "../../src/store/ids.ts";
import { allChunks, type EmbeddingStore, openEmbeddingStore, visibleChunks } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors, hookedVectors, vectorStores } from "../support/vector-stores.ts";

const MODEL = { modelId: "test", dimensions: 16 };

/** Files of two chunks each. */
function files(count: number, word = "glaze"): IngestFile[] {
  return Array.from({ length: count }, (_, n) => ({
    path: `notes/${n}.md`,
    content: `# Note ${n}\n\nKilns and ${word} ${n}.\n\n## Ash\n\nMore on ${word} ${n}.\n`,
  }));
}

/** Puts the same vector for each of the chunks. */
function putOnes({ store }: EmbeddingStore, modelVersion: string, chunks: readonly string[]): Promise<PutReport> {
  const records = chunks.map((chunkId) => ({ chunkId, vector: new Float32Array(16).fill(1) }));
  return store.embeddings.put({ ...MODEL, modelVersion }, records);
}

/** Versions that there is an index of. */
async function indexedVersions({ store }: EmbeddingStore): Promise<string[]> {
  const [table] = await store.embeddings.indexes();
  return table?.generations.map(({ modelVersion }) => modelVersion) ?? [];
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-embeddings-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "lodestore.db");
}

/** Something that is waited for: `open` lets all who wait pass. */
function gate(): { wait: () => Promise<void>; reached: Promise<void>; open: () => void } {
  let open = (): void => {};
  let reach = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return {
    reached,
    open,
    wait: () => {
      reach();
      return passed;
    },
  };
}

describe.each(vectorStores)("embeddings written $way", ({ over }) => {
  test("are there when an ingest that waits for them resolves, with progress", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder("1", 4) });
    const seen: IngestProgress[] = [];
    const report = await opened.store.ingest(files(20), { embed: "wait", onProgress: (one) => seen.push(one) });
    expect(report.embedding).toMatchObject({ ...MODEL, modelVersion: "1", embedded: 40, failed: 0, serving: "1" });
    expect(await visibleChunks(opened)).toEqual(await allChunks(opened.db));
    expect(seen.at(-1)).toMatchObject({ added: 20, embedding: { done: 40, total: 40, embedded: 40, failed: 0 } });
  });

  test("come in the background of an ingest, and not where it says so", async () => {
    const embedder = new TestEmbedder();
    const closed = gate();
    embedder.before = closed.wait;
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embeddings } = opened.store;
    await opened.store.ingest(files(1), { embed: "off" });
    expect(await embeddings.status()).toMatchObject({ running: false, missing: 2 });
    await opened.store.ingest(files(20));
    await closed.reached;
    expect(await embeddings.status()).toMatchObject({ running: true, missing: 40, serving: null, building: "1" });
    expect((await opened.store.search({ text: "glaze" })).hits.length).toBeGreaterThan(0);
    const joined = embeddings.run();
    closed.open();
    expect(await joined).toMatchObject({ embedded: 40 });
    expect(await embeddings.status()).toMatchObject({ running: false, missing: 0, serving: "1", building: null });
  });

  test("of a store that is whole cost no call of the embedder", async () => {
    const embedder = new TestEmbedder();
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    await opened.store.ingest(files(3), { embed: "wait" });
    const { calls } = embedder;
    expect(await opened.store.embeddings.run()).toMatchObject({ embedded: 0, failed: 0, serving: "1" });
    await opened.store.ingest(files(3), { embed: "wait" });
    expect(embedder.calls).toBe(calls);
  });

  test("that fail leave documents found by words, the error in the status, and the rest to the next run", async () => {
    const embedder = new TestEmbedder("1", 8);
    let calls = 0;
    const broken = new TypeError("fetch failed");
    embedder.before = () => {
      if (++calls > 2) throw broken;
    };
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embeddings } = opened.store;
    const report = await opened.store.ingest(files(20), { embed: "wait" });
    expect(report).toMatchObject({ added: 20, failures: [] });
    expect(report.embedding).toBeInstanceOf(StorageError);
    expect(report.embedding).toMatchObject({ code: "DRIVER", capability: "embedder", cause: broken });
    expect((await opened.store.search({ text: "glaze", k: 40 })).hits).toHaveLength(40);
    const { lastError, committed } = await embeddings.status();
    expect(lastError).toBe(report.embedding);
    expect(committed).toBe(16);
    expect(await visibleChunks(opened)).toHaveLength(16);
    await expect(embeddings.run()).rejects.toMatchObject({ code: "DRIVER", cause: broken });
    embedder.before = () => {};
    embedder.texts = 0;
    expect(await embeddings.run()).toMatchObject({ embedded: 24, failed: 0 });
    expect(embedder.texts).toBe(24);
    expect((await embeddings.status()).lastError).toBe(null);
  });

  test("leave out the one text that the embedder refuses", async () => {
    const embedder = new TestEmbedder();
    embedder.before = (texts) => {
      if (!texts.some((text) => text.includes("Kilns and glaze 7."))) return;
      throw new StorageError("INVALID_INPUT", "too long", { capability: "embedder", operation: "embed" });
    };
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embedding } = await opened.store.ingest(files(20), { embed: "wait" });
    expect(embedding).toMatchObject({
      embedded: 39,
      failed: 1,
      failures: [{ code: "INVALID_INPUT", reason: "too long" }],
    });
    expect(await opened.store.embeddings.status()).toMatchObject({ missing: 1, lastError: { code: "INVALID_INPUT" } });
  });

  test("end where the embedder refuses everything", async () => {
    const embedder = new TestEmbedder("1", 4);
    embedder.before = () => {
      throw new StorageError("INVALID_INPUT", "no such model", { capability: "embedder", operation: "embed" });
    };
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    await opened.store.ingest(files(200), { embed: "off" });
    await expect(opened.store.embeddings.run()).rejects.toMatchObject({ message: "no such model" });
    expect(embedder.calls).toBeLessThan(100);
  });

  test("take no vector that compares with nothing", async () => {
    const embedder = new TestEmbedder();
    const embed = embedder.embed.bind(embedder);
    embedder.embed = async (texts, options) =>
      (await embed(texts, options)).map((vector, at) =>
        texts[at]?.includes("glaze 3") === true ? vector.fill(0) : vector,
      );
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embedding } = await opened.store.ingest(files(5), { embed: "wait" });
    expect(embedding).toMatchObject({ embedded: 8, failed: 2 });
    embedder.embed = async (texts, options) => (await embed(texts, options)).slice(1);
    await opened.store.ingest(files(5, "clay"), { embed: "off" });
    await expect(opened.store.embeddings.run()).rejects.toMatchObject({
      code: "DRIVER",
      message: /answered \d vectors/u,
    });
  });

  test("of the old version are served until those of the new one are whole", async () => {
    const path = await temporaryFile();
    {
      await using first = await openEmbeddingStore({ path, vectors: over, embedder: new TestEmbedder("1") });
      await first.store.ingest(files(20), { embed: "wait" });
    }
    const embedder = new TestEmbedder("2", 8);
    const closed = gate();
    let calls = 0;
    embedder.before = () => (++calls < 3 ? undefined : closed.wait());
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder });
    const { store, db, vectors } = opened;
    const run = store.embeddings.run();
    await closed.reached;
    expect(await store.embeddings.status()).toMatchObject({ serving: "1", building: "2", committed: 16, missing: 24 });
    expect(await servingVersion(db, "test", 16)).toBe("1");
    expect(await visibleChunks(opened)).toEqual(await allChunks(db));
    closed.open();
    expect(await run).toMatchObject({ embedded: 40, serving: "2" });
    expect(await store.embeddings.status()).toMatchObject({
      serving: "2",
      building: null,
      generations: [{ modelVersion: "2" }],
    });
    expect(await visibleChunks(opened)).toEqual(await allChunks(db));
    const [table] = await vectors.tables();
    expect(await vectors.count(table?.indexId ?? "")).toBe(40);
    expect(await vectors.info(table?.indexId ?? "")).toMatchObject({
      generations: [{ modelVersion: "2", vectors: 40 }],
    });
  });

  test("of a version that another takes over from are deleted, and its writer is told", async () => {
    const path = await temporaryFile();
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder: new TestEmbedder("1") });
    const { store, db } = opened;
    await store.ingest(files(10), { embed: "wait" });
    const [chunkId = ""] = await allChunks(db);
    const put = (modelVersion: string): Promise<unknown> =>
      store.embeddings.put({ ...MODEL, modelVersion }, [{ chunkId, vector: new Float32Array(16).fill(1) }]);
    await put("2");
    expect(await store.embeddings.status()).toMatchObject({ serving: "1", building: "2" });

    const embedder = new TestEmbedder("2", 4);
    const closed = gate();
    embedder.before = closed.wait;
    const second = await openEmbeddingStore({ path, vectors: over, embedder });
    const run = second.store.embeddings.run();
    await closed.reached;
    await put("3");
    closed.open();
    await expect(run).rejects.toMatchObject({ code: "CONFLICT", message: /another version was begun/u });
    await second.store.close();

    expect(await store.embeddings.status()).toMatchObject({ serving: "1", building: "3" });
    expect(await store.embeddings.sweep({ pendingOlderThanMs: 0 })).toMatchObject({ retired: 1 });
    const { generations } = await store.embeddings.status();
    expect(generations.map(({ modelVersion }) => modelVersion)).toEqual(["1", "3"]);
  });

  test("put for no chunk of the store take no version's place", async () => {
    await using opened = await openEmbeddingStore({ vectors: over });
    const { store, db } = opened;
    await store.ingest(files(2));
    const chunks = await allChunks(db);
    await putOnes(opened, "1", chunks);
    await putOnes(opened, "2", chunks.slice(0, 2));
    const nobody = hash32("nobody");
    expect(await putOnes(opened, "3", [])).toEqual({ stored: 0, unknown: [] });
    expect(await putOnes(opened, "3", [nobody])).toEqual({ stored: 0, unknown: [nobody] });
    expect((await store.embeddings.status()).generations).toMatchObject([
      { modelVersion: "1", role: "serving" },
      { modelVersion: "2", role: "building", committed: 2 },
    ]);
  });

  test("of a retired version whose chunks are all gone leave no index", async () => {
    await using opened = await openEmbeddingStore({ vectors: over });
    const { store, db, vectors } = opened;
    await store.ingest(files(2));
    const chunks = await allChunks(db);
    await putOnes(opened, "1", chunks);
    await putOnes(opened, "2", chunks.slice(0, 1));
    await putOnes(opened, "3", chunks.slice(0, 1));
    for (const path of ["notes/0.md", "notes/1.md"]) {
      await store.documents.deleteDocument((await store.documents.getDocumentByWorkspacePath(path))?.id ?? "");
    }
    expect(await indexedVersions(opened)).toEqual(["1", "2", "3"]);
    await store.embeddings.sweep({ dryRun: true });
    expect(await indexedVersions(opened)).toEqual(["1", "2", "3"]);
    expect(await store.embeddings.sweep()).toMatchObject({ tombstones: 6, retired: 0, orphans: 0 });
    expect(await indexedVersions(opened)).toEqual(["1", "3"]);
    expect(await vectors.count((await vectors.tables())[0]?.indexId ?? "")).toBe(0);
  });

  test("of a retired version whose chunks are all gone leave no index after a run either", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder("3") });
    const { store, db } = opened;
    await store.ingest(files(1), { embed: "off" });
    const gone = await allChunks(db);
    await store.ingest(files(2), { embed: "off" });
    await putOnes(opened, "1", await allChunks(db));
    await putOnes(opened, "2", gone);
    await putOnes(opened, "3", gone);
    const document = await store.documents.getDocumentByWorkspacePath("notes/0.md");
    await store.documents.deleteDocument(document?.id ?? "");
    expect(await store.embeddings.run()).toMatchObject({ embedded: 2, serving: "3" });
    expect(await indexedVersions(opened)).toEqual(["3"]);
  });

  test("go on where they were interrupted", async () => {
    const path = await temporaryFile();
    const stop = new AbortController();
    const embedder = new TestEmbedder("1", 4);
    {
      await using opened = await openEmbeddingStore({ path, vectors: over, embedder });
      await opened.store.ingest(files(20), { embed: "off" });
      embedder.before = () => {
        if (embedder.texts === 12) stop.abort(new Error("enough"));
      };
      const run = opened.store.embeddings.run({ signal: stop.signal });
      await expect(run).rejects.toMatchObject({ code: "ABORTED" });
      expect(await opened.store.embeddings.status()).toMatchObject({ committed: 12, running: false, lastError: null });
    }
    const again = new TestEmbedder("1", 4);
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder: again });
    expect(await opened.store.embeddings.run()).toMatchObject({ embedded: 28 });
    expect(again.texts).toBe(28);
  });

  test("are made by one run, however many ask, and an abort ends the wait of one", async () => {
    const embedder = new TestEmbedder("1", 4);
    const closed = gate();
    embedder.before = closed.wait;
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embeddings } = opened.store;
    await opened.store.ingest(files(20), { embed: "off" });
    const stop = new AbortController();
    const seen: EmbeddingProgress[] = [];
    const first = embeddings.run({ signal: stop.signal });
    const second = embeddings.run({ onProgress: (one) => seen.push(one) });
    await closed.reached;
    stop.abort(new Error("no patience"));
    await expect(first).rejects.toMatchObject({ code: "ABORTED", cause: new Error("no patience") });
    closed.open();
    expect(await second).toMatchObject({ embedded: 40 });
    expect(embedder.texts).toBe(40);
    expect(seen.at(-1)).toMatchObject({ done: 40, total: 40, embedded: 40, failed: 0, leftMs: 0 });
    await expect(embeddings.run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("are made for the others where one who asked throws when told of it", async () => {
    const embedder = new TestEmbedder("1", 4);
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { embeddings } = opened.store;
    await opened.store.ingest(files(20), { embed: "off" });
    const bug = new TypeError("cannot read properties of undefined");
    const onProgress = (): void => {
      throw bug;
    };
    const thrower = embeddings.run({ onProgress });
    const other = embeddings.run();
    await expect(thrower).rejects.toBe(bug);
    expect(await other).toMatchObject({ embedded: 40, serving: "1" });
    await opened.store.ingest(files(40, "clay"), { embed: "off" });
    await expect(embeddings.run({ onProgress })).rejects.toBe(bug);
    expect((await embeddings.status()).lastError).toBe(null);
    await embeddings.run();
    expect(await embeddings.status()).toMatchObject({ missing: 0, lastError: null });
  });

  test("keep no store open whose closing their progress waits for", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder("1", 4) });
    await opened.store.ingest(files(20), { embed: "off" });
    const onProgress: unknown = ({ done }: EmbeddingProgress) => (done === 40 ? opened.store.close() : undefined);
    const run = opened.store.embeddings.run({ onProgress: onProgress as () => void });
    await run.catch(() => undefined);
    await opened.store.close();
    await expect(opened.store.embeddings.status()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("that were asked for during a run are made by it", async () => {
    const embedder = new TestEmbedder("1", 64);
    const closed = gate();
    embedder.before = closed.wait;
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    await opened.store.ingest(files(2), { embed: "background" });
    await closed.reached;
    await opened.store.ingest(files(30), { embed: "background" });
    closed.open();
    await opened.store.embeddings.run();
    expect(await visibleChunks(opened)).toHaveLength(60);
  });

  test("leave nothing of a chunk that goes before it is written", async () => {
    const embedder = new TestEmbedder("1", 64);
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { store, db, vectors } = opened;
    await store.ingest(files(5), { embed: "off" });
    let once = true;
    embedder.before = async () => {
      if (!once) return;
      once = false;
      const document = await store.documents.getDocumentByWorkspacePath("notes/2.md");
      await store.documents.deleteDocument(document?.id ?? "");
    };
    expect(await store.embeddings.run()).toMatchObject({ embedded: 8, failed: 0 });
    expect((await store.stats()).embeddings).toEqual({ committed: 8, pending: 0, tombstones: 0 });
    expect(await vectors.count((await vectors.tables())[0]?.indexId ?? "")).toBe(8);
    expect(await visibleChunks(opened)).toEqual(await allChunks(db));
  });

  test("are of the text that a chunk has when they are written", async () => {
    const embedder = new TestEmbedder();
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    const { documents, embeddings } = opened.store;
    await opened.store.ingest([{ path: "a.md", content: "Cats purr." }], { embed: "off" });
    await opened.store.ingest([{ path: "b.md", content: "Kilns." }], { embed: "off" });
    const document = await documents.getDocumentByWorkspacePath("a.md");
    const chunks = await documents.getChunksOf(document?.id ?? "");
    let once = true;
    embedder.before = async () => {
      if (!once) return;
      once = false;
      const changed = chunks.map((chunk) => ({ ...chunk, text: "Dogs bark." }));
      await documents.putChunks(document?.id ?? "", changed);
    };
    expect(await embeddings.run()).toMatchObject({ embedded: 2, failed: 0 });
    expect(await embeddings.status()).toMatchObject({ missing: 0, tombstones: 0 });
    const { hits } = await opened.store.search({ text: "Dogs bark.", mode: "vector", k: 1 });
    expect(hits[0]).toMatchObject({ chunkId: chunks[0]?.id, vectorScore: expect.closeTo(1, 3) as number });
  });

  test.each(["batchExists", "orphanSweep"] as const)(
    "of a document that goes before %s of a check are no damage",
    async (moment) => {
      let opened: EmbeddingStore | undefined;
      const goes = async (now: typeof moment): Promise<void> => {
        if (now !== moment || opened === undefined) return;
        const { documents } = opened.store;
        opened = undefined;
        await documents.deleteDocument((await documents.getDocumentByWorkspacePath("notes/2.md"))?.id ?? "");
      };
      const checked = (db: SqlDatabase): AnyVectorStore => {
        const vectors = over(db);
        const batchExists = vectors.batchExists.bind(vectors);
        const orphanSweep = vectors.orphanSweep.bind(vectors);
        vectors.batchExists = async (...of) => (await goes("batchExists"), batchExists(...of));
        vectors.orphanSweep = async (...of) => (await goes("orphanSweep"), orphanSweep(...of));
        return vectors;
      };
      await using whole = await openEmbeddingStore({ vectors: checked, embedder: new TestEmbedder() });
      await whole.store.ingest(files(5), { embed: "wait" });
      opened = whole;
      expect((await whole.store.check()).findings.filter((one) => !one.ok)).toEqual([]);
      expect((await whole.store.stats()).embeddings).toMatchObject({ committed: 8, tombstones: 2 });
    },
  );

  test("of a deleted document are invisible at once and swept after", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder() });
    const { store, db, vectors } = opened;
    await store.ingest(files(10), { embed: "wait" });
    for (const path of ["notes/1.md", "notes/2.md", "notes/3.md"]) {
      await store.documents.deleteDocument((await store.documents.getDocumentByWorkspacePath(path))?.id ?? "");
    }
    expect(await visibleChunks(opened)).toEqual(await allChunks(db));
    expect((await store.embeddings.status()).tombstones).toBe(6);
    expect((await store.check()).findings.filter((one) => !one.ok)).toEqual([]);
    const none = { retired: 0, pending: 0, lost: 0, orphans: 0 };
    expect(await store.embeddings.sweep({ dryRun: true, maxDelete: 4 })).toEqual({
      dryRun: true,
      tombstones: 4,
      ...none,
      more: true,
    });
    expect(await store.embeddings.sweep({ maxDelete: 4 })).toEqual({
      dryRun: false,
      tombstones: 4,
      ...none,
      more: true,
    });
    expect(await store.embeddings.sweep()).toEqual({ dryRun: false, tombstones: 2, ...none, more: false });
    expect(await vectors.count((await vectors.tables())[0]?.indexId ?? "")).toBe(14);
  });

  test("that lost their vector are found by the check, dropped by the sweep, and made anew", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder() });
    const { store, db, vectors } = opened;
    await store.ingest(files(10), { embed: "wait" });
    await db.run("DELETE FROM chunk_embeddings_test_16 WHERE vector_key IN (3, 4)");
    await db.run(
      "DELETE FROM embedding_records WHERE embedding_id = (SELECT embedding_id FROM chunk_embeddings_test_16 WHERE vector_key = 7)",
    );
    const { ok, findings } = await store.check();
    expect(ok).toBe(false);
    expect(findings.find((one) => one.name.startsWith("vectors"))?.detail).toMatch(
      /^embedding \S+ of chunk \S+ has no vector; embedding \S+ of chunk \S+ has no vector; 1 vectors in \S+ have no record/u,
    );
    expect(await store.embeddings.sweep({ dryRun: true })).toMatchObject({ lost: 2, orphans: 1 });
    expect(await store.embeddings.sweep()).toMatchObject({ lost: 2, orphans: 1 });
    expect(await store.embeddings.run()).toMatchObject({ embedded: 3 });
    expect(await store.check()).toMatchObject({ ok: true });
    expect(await vectors.count((await vectors.tables())[0]?.indexId ?? "")).toBe(20);
  });

  test("of the caller are stored through the same phases, and replaced", async () => {
    await using opened = await openEmbeddingStore({ vectors: over });
    const { store, db, vectors } = opened;
    await store.ingest(files(3));
    const chunks = await allChunks(db);
    const generation = { modelId: "lsi", modelVersion: "2026", dimensions: 2, metric: "dot" as const };
    const records = chunks.map((chunkId, at) => ({ chunkId, vector: Float32Array.of(at, 1) }));
    const nobody = hash32("nobody");
    expect(
      await store.embeddings.put(generation, [...records, { chunkId: nobody, vector: Float32Array.of(0, 1) }]),
    ).toEqual({
      stored: 6,
      unknown: [nobody],
    });
    const [table] = await vectors.tables();
    const nearest = async (): Promise<unknown> => {
      const { hits } = await vectors.search(table?.indexId ?? "", Float32Array.of(1, 0), {
        modelVersion: "2026",
        k: 1,
      });
      return hits[0];
    };
    expect(await nearest()).toMatchObject({ chunkId: chunks[5], score: 5 });
    await store.embeddings.put(generation, [{ chunkId: chunks[0] ?? "", vector: Float32Array.of(9, 1) }]);
    expect(await nearest()).toMatchObject({ chunkId: chunks[0], score: 9 });
    expect(await vectors.count(table?.indexId ?? "")).toBe(6);
    expect(await store.embeddings.status()).toMatchObject({
      model: null,
      committed: 0,
      generations: [{ modelId: "lsi", role: "serving" }],
    });
    const put = (metric: "cosine" | "dot", list: unknown): Promise<unknown> =>
      store.embeddings.put({ ...generation, metric }, list as typeof records);
    await expect(put("cosine", [])).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(put("dot", [{ chunkId: "x", vector: Float32Array.of(1, 2) }])).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(put("dot", [records[0], records[0]])).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: /second time/u,
    });
    await expect(put("dot", [{ chunkId: chunks[0], vector: Float32Array.of(1) }])).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: /^records\[0\]\.vector got/u,
    });
  });

  test("of two models stand side by side, and one is dropped without the other", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder() });
    const { store, db } = opened;
    await store.ingest(files(4), { embed: "wait" });
    const records = (await allChunks(db)).map((chunkId) => ({ chunkId, vector: Float32Array.of(1, 2, 3) }));
    await store.embeddings.put({ modelId: "other", modelVersion: "a", dimensions: 3 }, records);
    expect(await visibleChunks(opened)).toHaveLength(8);
    expect(await visibleChunks(opened, "other")).toHaveLength(8);
    expect(await store.embeddings.drop({ ...MODEL, modelVersion: "1" })).toBe(8);
    expect(await visibleChunks(opened)).toEqual([]);
    expect(await visibleChunks(opened, "other")).toHaveLength(8);
    expect(await store.embeddings.status()).toMatchObject({
      serving: null,
      missing: 8,
      generations: [{ modelId: "other" }],
    });
    expect(await store.embeddings.run()).toMatchObject({ embedded: 8, serving: "1" });
  });

  test("that a closed store was making are made by the next one that opens", async () => {
    const path = await temporaryFile();
    const embedder = new TestEmbedder("1", 4);
    const closed = gate();
    const first = await openEmbeddingStore({ path, vectors: over, embedder });
    let calls = 0;
    embedder.before = (_texts, { signal }) => {
      if (++calls < 3) return;
      void closed.wait();
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
    };
    await first.store.ingest(files(20));
    await closed.reached;
    const waiting = first.store.embeddings.run().catch((error: unknown) => error);
    await first.store.close();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    await expect(first.store.embeddings.status()).rejects.toMatchObject({ code: "CLOSED" });
    const again = new TestEmbedder("1", 4);
    const whole = gate();
    again.before = whole.wait;
    await using second = await openEmbeddingStore({ path, vectors: over, embedder: again, embedOnOpen: true });
    await whole.reached;
    whole.open();
    await second.store.embeddings.run();
    expect(again.texts).toBe(32);
    expect(await second.store.embeddings.status()).toMatchObject({ missing: 0 });
    expect((await second.store.stats()).embeddings).toEqual({ committed: 40, pending: 0, tombstones: 0 });
  });

  test("that an ingest waits for end with the store or with its signal", async () => {
    const embedder = new TestEmbedder("1", 4);
    const opened = await openEmbeddingStore({ vectors: over, embedder });
    const stop = new AbortController();
    embedder.before = () => {
      if (embedder.texts === 8) stop.abort();
    };
    const stopped = opened.store.ingest(files(20), { embed: "wait", signal: stop.signal });
    await expect(stopped).rejects.toMatchObject({ code: "ABORTED", capability: "ingest" });
    expect(await opened.store.embeddings.status()).toMatchObject({ chunks: 40, committed: 8, running: false });
    let closing: Promise<void> | undefined;
    embedder.before = () => {
      if (embedder.texts === 20) closing = opened.store.close();
    };
    const closed = opened.store.ingest([], { embed: "wait" });
    await expect(closed).rejects.toMatchObject({ code: "CLOSED" });
    expect(embedder.texts).toBeLessThanOrEqual(24);
    await closing;
    await expect(opened.store.embeddings.run()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("show an index panel", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: new TestEmbedder() });
    const { embeddings } = opened.store;
    await opened.store.ingest(files(6), { embed: "wait" });
    const [index] = await embeddings.indexes();
    expect(index).toMatchObject({ ...MODEL, metric: "cosine", generations: [{ modelVersion: "1", vectors: 12 }] });
    expect(await embeddings.openReports()).toMatchObject([{ modelVersion: "1" }]);
    expect(await embeddings.selfCheck(index?.indexId ?? "", "1", { sample: 5 })).toEqual({ recall: 1, sample: 5 });
  });
});

describe("embeddings apart from the database", () => {
  test.each(["before upsert", "after upsert"])("leave nothing of a chunk that goes %s", async (moment) => {
    let opened: EmbeddingStore | undefined;
    const hook = async (step: string): Promise<void> => {
      if (step !== moment || opened === undefined) return;
      const { documents } = opened.store;
      opened = undefined;
      await documents.deleteDocument((await documents.getDocumentByWorkspacePath("notes/2.md"))?.id ?? "");
    };
    await using whole = await openEmbeddingStore({
      vectors: (db) => hookedVectors(db, true, hook),
      embedder: new TestEmbedder(),
    });
    const { store, db, vectors } = whole;
    await store.ingest(files(5), { embed: "off" });
    const chunks = await allChunks(db);
    opened = whole;
    const records = chunks.map((chunkId, at) => ({ chunkId, vector: new Float32Array(16).fill(1, at % 16) }));
    expect(await store.embeddings.put({ ...MODEL, modelVersion: "1" }, records)).toMatchObject({ stored: 8 });
    expect((await store.stats()).embeddings).toEqual({ committed: 8, pending: 0, tombstones: 0 });
    expect(await vectors.count((await vectors.tables())[0]?.indexId ?? "")).toBe(8);
    expect(await visibleChunks(whole)).toEqual(await allChunks(db));
  });

  test("that are asked for when a run has only to tidy up are made by it", async () => {
    let joined: Promise<unknown> | undefined;
    let opened: EmbeddingStore | undefined;
    const hook = async (step: string): Promise<void> => {
      if (step !== "before delete" || opened === undefined) return;
      const { store } = opened;
      opened = undefined;
      await store.ingest(files(5), { embed: "off" });
      joined = store.embeddings.run();
    };
    await using whole = await openEmbeddingStore({
      vectors: (db) => hookedVectors(db, true, hook),
      embedder: new TestEmbedder(),
    });
    const { documents, embeddings } = whole.store;
    await whole.store.ingest(files(2), { embed: "wait" });
    await documents.deleteDocument((await documents.getDocumentByWorkspacePath("notes/1.md"))?.id ?? "");
    opened = whole;
    expect(await embeddings.run()).toMatchObject({ embedded: 8 });
    expect(await joined).toMatchObject({ embedded: 8 });
    expect(await visibleChunks(whole)).toHaveLength(10);
  });

  test("of a retired version stay from the moment another process begins it again", async () => {
    const path = await temporaryFile();
    let other: EmbeddingStore | undefined;
    let chunks: string[] = [];
    const put = (to: EmbeddingStore, modelVersion: string, some: readonly string[]): Promise<unknown> => {
      const records = some.map((chunkId) => ({ chunkId, vector: new Float32Array(16).fill(1) }));
      return to.store.embeddings.put({ ...MODEL, modelVersion }, records);
    };
    const hook = async (step: string): Promise<void> => {
      const second = other;
      if (step !== "before delete" || second === undefined) return;
      other = undefined;
      await put(second, "1", chunks.slice(0, 1));
    };
    await using opened = await openEmbeddingStore({ path, vectors: (db) => hookedVectors(db, true, hook) });
    await using second = await openEmbeddingStore({ path, vectors: (db) => hookedVectors(db, true, () => {}) });
    await opened.store.ingest(files(150));
    chunks = await allChunks(opened.db);
    await put(opened, "1", chunks);
    other = second;
    await put(opened, "2", chunks);
    const { generations } = await opened.store.embeddings.status();
    expect(generations).toMatchObject([
      { modelVersion: "1", role: "building" },
      { modelVersion: "2", role: "serving", committed: 300 },
    ]);
    expect(generations[0]?.committed).toBeGreaterThanOrEqual(100);
    expect(generations[0]?.committed).toBeLessThanOrEqual(101);
    expect((await opened.store.check()).findings.filter((one) => !one.ok)).toEqual([]);
  });

  test("that another process makes anew while their vectors are deleted are missing again, not lost", async () => {
    const path = await temporaryFile();
    let other: EmbeddingStore | undefined;
    const hook = async (step: string): Promise<void> => {
      if (step !== "before delete" || other === undefined) return;
      const { embeddings } = other.store;
      other = undefined;
      expect(await embeddings.run()).toMatchObject({ embedded: 2 });
    };
    const embedder = new TestEmbedder();
    await using opened = await openEmbeddingStore({ path, vectors: (db) => hookedVectors(db, true, hook), embedder });
    const { store } = opened;
    await store.ingest(files(3), { embed: "wait" });
    const document = await store.documents.getDocumentByWorkspacePath("notes/1.md");
    await store.documents.deleteDocument(document?.id ?? "");
    await store.ingest(files(3), { embed: "off" });
    await using second = await openEmbeddingStore({
      path,
      vectors: (db) => hookedVectors(db, true, () => {}),
      embedder: new TestEmbedder(),
    });
    other = second;
    expect(await store.embeddings.sweep()).toMatchObject({ tombstones: 2, lost: 0 });
    expect(await store.embeddings.status()).toMatchObject({ committed: 4, missing: 2 });
    expect((await store.check()).findings.filter((one) => !one.ok)).toEqual([]);
    expect(await store.embeddings.run()).toMatchObject({ embedded: 2 });
    expect(await visibleChunks(opened)).toHaveLength(6);
  });

  test("that a crash left half-written are invisible, counted, and swept when they are old", async () => {
    let broken = false;
    const hook = (step: string): void => {
      if (broken && step === "after upsert") throw new Error("crash");
    };
    await using opened = await openEmbeddingStore({
      vectors: (db) => hookedVectors(db, true, hook),
      embedder: new TestEmbedder(),
    });
    const { store } = opened;
    await store.ingest(files(3), { embed: "off" });
    broken = true;
    await expect(store.embeddings.run()).rejects.toThrow("crash");
    expect(await visibleChunks(opened)).toEqual([]);
    expect(await store.embeddings.status()).toMatchObject({
      committed: 0,
      serving: null,
      generations: [{ pending: 6 }],
    });
    const { ok, findings } = await store.check();
    expect(ok).toBe(true);
    expect(findings.find((one) => one.name === "embedding records")?.detail).toBe(
      "ok; 6 pending, for the next run or sweep",
    );
    expect(await store.embeddings.sweep()).toMatchObject({ pending: 0, orphans: 0 });
    expect(await store.embeddings.sweep({ pendingOlderThanMs: 0 })).toMatchObject({ pending: 6, orphans: 0 });
    broken = false;
    expect(await store.embeddings.run()).toMatchObject({ embedded: 6, serving: "1" });
  });
});

describe("embeddings", () => {
  test("are unsupported without a vector store, and a run without an embedder", async () => {
    const { openTestStore } = await import("../support/open-test-store.ts");
    const { store } = await openTestStore();
    await store.ingest(files(2));
    expect(await store.embeddings.status()).toMatchObject({ model: null, running: false, generations: [], chunks: 4 });
    const unsupported = { code: "UNSUPPORTED" };
    await expect(store.embeddings.run()).rejects.toMatchObject(unsupported);
    await expect(store.embeddings.sweep()).rejects.toMatchObject(unsupported);
    await expect(store.embeddings.indexes()).rejects.toMatchObject(unsupported);
    await expect(store.ingest(files(1), { embed: "wait" })).rejects.toMatchObject(unsupported);
    await expect(store.ingest(files(1), { embed: "soon" as "off" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await store.close();
    await using opened = await openEmbeddingStore({ vectors: flatVectors });
    await expect(opened.store.embeddings.run()).rejects.toMatchObject(unsupported);
    await expect(opened.store.embeddings.sweep({ maxDelete: 0 })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("are refused an embedder that is none when the store opens", async () => {
    const embedder = { modelId: "", modelVersion: "1", dimensions: 3, maxBatch: 1, embed: async () => [] };
    await expect(openEmbeddingStore({ vectors: flatVectors, embedder })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: /^embedder\.modelId got/u,
    });
  });
});
