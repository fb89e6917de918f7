import { existsSync, openAsBlob, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  createHashingEmbedder,
  type EmbedOptions,
  type IngestFile,
  openStore,
  type SearchQuery,
  StorageError,
} from "../../src/node.ts";
import { notes, openNodeStore, storeFolder, threadsOf } from "../support/open-node-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

describe.each([0, 1, 3])("a store with %i readers", (readers) => {
  test("shows what was written to the next read of every kind", async () => {
    const store = await openNodeStore({ readers, embedder: { kind: "hashing" } });
    for (let n = 0; n < 12; n++) {
      const word = `glaze${n}`;
      await store.ingest([{ path: `${n % 4}.md`, content: `# Melts ${word}\n\nIt is ${word}.` }], { embed: "wait" });
      const [lexical, hybrid, vector, document, page, count, stats, paths] = await Promise.all([
        store.search({ text: word }),
        store.search({ text: word, mode: "hybrid" }),
        store.search({ text: `melts ${word}`, mode: "vector", k: 1 }),
        store.documents.getDocumentByWorkspacePath(`${n % 4}.md`),
        store.documents.listDocuments(),
        store.documents.countDocuments(),
        store.stats(),
        store.documents.allWorkspacePaths(),
      ]);
      expect(lexical.hits.map((hit) => hit.title)).toEqual([`Melts ${word}`]);
      expect(hybrid.hits[0]).toMatchObject({ title: `Melts ${word}`, lexicalRank: 1, vectorRank: 1 });
      expect(vector.hits.map((hit) => hit.title)).toEqual([`Melts ${word}`]);
      expect(document?.title).toBe(`Melts ${word}`);
      const there = Math.min(4, n + 1);
      expect([page.items.length, count, stats.documents, paths.length]).toEqual([there, there, there, there]);
      expect(lexical.revision).toBe(await store.documents.corpusRevision());
    }
    await store.documents.deleteDocument((await store.documents.getDocumentByWorkspacePath("3.md"))?.id ?? "");
    expect((await store.search({ text: "glaze11" })).hits).toEqual([]);
    expect((await store.search({ text: "glaze11", mode: "vector", k: 10 })).hits).toHaveLength(3);
  });

  test("answers many callers at once as it answers one", async () => {
    const store = await openNodeStore({ readers, embedder: { kind: "hashing" } });
    await store.ingest(notes(60), { embed: "wait" });
    const queries = Array.from({ length: 20 }, (_, n): SearchQuery => {
      const mode = (["lexical", "vector", "hybrid"] as const)[n % 3]!;
      return { text: `number${n} burns`, mode, k: 5 };
    });
    const alone = [];
    for (const query of queries) alone.push((await store.search(query)).hits);
    const ingests = Array.from({ length: 20 }, (_, n) =>
      store.ingest([{ path: `other/${n}.md`, content: `# Other ${n}\n\nSomething else: word${n}.` }], { embed: "off" }),
    );
    const searches = Array.from({ length: 200 }, (_, n) =>
      store.search({ ...(queries[n % 20] as SearchQuery), filters: { pathGlob: "n*.md" } }),
    );
    const found = await Promise.all(searches);
    expect((await Promise.all(ingests)).map(({ added }) => added)).toEqual(Array.from({ length: 20 }, () => 1));
    for (const [n, { hits }] of found.entries()) {
      expect(hits.map((hit) => hit.chunkId)).toEqual(alone[n % 20]?.map((hit) => hit.chunkId));
    }
    expect(await store.documents.countDocuments()).toBe(80);
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test("finishes the searches at hand when it is closed, ends an ingest with CLOSED, and refuses what comes later", async () => {
    const store = await openNodeStore({ readers });
    await store.ingest(notes(30));
    const started = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<IngestFile> {
      for (let n = 0; ; n++) {
        if (n === 3) started.resolve();
        yield { path: `more/${n}.md`, content: `# ${n}` };
      }
    }
    const ingest = store.ingest(endless()).catch((error: unknown) => error);
    await started.promise;
    const searches = Promise.all(Array.from({ length: 40 }, (_, n) => store.search({ text: `number${n % 30}` })));
    const listed = store.documents.listDocuments();
    const closing = store.close();
    await expect(store.search({ text: "kiln" })).rejects.toMatchObject({ code: "CLOSED", capability: "store" });
    await expect(store.documents.getDocument("x")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(store.embeddings.status()).rejects.toMatchObject({ code: "CLOSED" });
    expect((await searches).every(({ hits }) => hits.length === 1)).toBe(true);
    expect((await listed).items.length).toBeGreaterThanOrEqual(30);
    expect(await ingest).toMatchObject({ code: "CLOSED" });
    await closing;
    await expect(store.ingest(notes(1))).rejects.toMatchObject({ code: "CLOSED" });
    await store.close();
  });

  test("tells of aborts, progress, wrong input and files of every kind across its threads", async () => {
    const store = await openNodeStore({ readers });
    const file = join(storeFolder(), "blob.md");
    writeFileSync(file, "# Blob\n\nceladon");
    const progress: number[] = [];
    const report = await store.ingest(
      [
        { path: "text.md", content: "# Text" },
        { path: "bytes.md", content: new TextEncoder().encode("# Bytes") },
        { path: "late.md", content: async () => new TextEncoder().encode("# Late") },
        { path: "blob.md", content: new Blob(["# Blob"]) },
        { path: "file.md", content: await openAsBlob(file) },
        { path: "bad.md", content: (() => 5) as never },
      ],
      { onProgress: ({ done }) => progress.push(done), total: 6 },
    );
    expect(report.failures.map(({ path }) => path)).toEqual(["bad.md"]);
    expect(report.added).toBe(5);
    expect(progress.at(-1)).toBe(6);
    expect((await store.search({ text: "celadon" })).hits).toHaveLength(1);
    await expect(store.search({ text: "kiln" }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
    await expect(store.search({ text: "kiln", k: 0 })).rejects.toBeInstanceOf(StorageError);
    await expect(store.search(null as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(store.ingest(5 as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(store.embeddings.run()).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("keeps the vector indexes in one thread only, which tells of them", async () => {
    const store = await openNodeStore({ readers, embedder: { kind: "hashing" }, vectors: { graphAbove: 16 } });
    await store.ingest(notes(400), { embed: "wait" });
    await store.embeddings.flush();
    const [table] = await store.embeddings.indexes();
    expect(table?.generations).toMatchObject([{ engine: "hnsw", vectors: 400, unlinked: 0 }]);
    expect((await store.openReport()).indexes).toMatchObject([{ modelVersion: "1", source: "rebuilt" }]);
    expect(await store.openReport()).toMatchObject({ created: true, migrations: expect.any(Array) });
    expect((await store.embeddings.selfCheck(table?.indexId ?? "", "1")).recall).toBeGreaterThan(0.9);
    expect(await store.embeddings.status()).toMatchObject({ committed: 400, missing: 0 });
  });

  test("writes the snapshot of its index when it is closed, and opens from it", async () => {
    const dir = storeFolder();
    {
      await using store = await openStore({ dir, readers, vectors: "hnsw", embedder: { kind: "hashing" } });
      await store.ingest(notes(400), { embed: "wait" });
      await store.search({ text: "kiln", mode: "vector" });
    }
    const store = await openNodeStore({ dir, readers, embedder: { kind: "hashing" } });
    await store.search({ text: "kiln", mode: "vector" });
    expect((await store.openReport()).indexes).toMatchObject([{ source: "snapshot", reason: null, vectors: 400 }]);
  });
});

describe("an embedder of the caller", () => {
  test("is called back in the caller's thread, with its weight, batches and signals, and closed once", async () => {
    const embedder = new TestEmbedder("1", 3);
    let closed = 0;
    const batches: number[] = [];
    const kinds = new Set<string>();
    embedder.before = (texts, { kind }: EmbedOptions) => {
      batches.push(texts.length);
      kinds.add(kind);
    };
    const own = Object.assign(embedder, { fusionWeight: 0.25, close: async () => void closed++ });
    const store = await openNodeStore({ embedder: own });
    await store.ingest(notes(7), { embed: "wait" });
    const { explain } = await store.search({ text: "kiln", mode: "hybrid", explain: true });
    expect(explain?.weights).toEqual({ lexical: 1, vector: 0.25 });
    expect(explain?.vector).toMatchObject({ modelId: "test", modelVersion: "1", dimensions: 16 });
    expect(Math.max(...batches)).toBe(3);
    expect([...kinds].sort()).toEqual(["document", "query"]);
    await store.close();
    await store.close();
    expect(closed).toBe(1);
  });

  test("hears of an abort, and its errors keep their codes", async () => {
    const embedder = new TestEmbedder();
    const store = await openNodeStore({ embedder });
    await store.ingest(notes(3), { embed: "off" });
    const stop = new AbortController();
    const heard = Promise.withResolvers<boolean>();
    embedder.before = async (_, { signal }) => {
      stop.abort();
      await new Promise<void>((resolve) => {
        if (signal?.aborted === true) resolve();
        else signal?.addEventListener("abort", () => resolve(), { once: true });
      });
      heard.resolve(signal?.aborted === true);
    };
    await expect(store.embeddings.run({ signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await heard.promise).toBe(true);
    embedder.before = () => {
      throw new StorageError("TIMEOUT", "the model sleeps", { capability: "embedder", operation: "embed" });
    };
    await expect(store.search({ text: "kiln", mode: "vector" })).rejects.toMatchObject({
      code: "TIMEOUT",
      capability: "embedder",
      retryable: true,
    });
    expect((await store.search({ text: "kiln", mode: "hybrid" })).withoutVectors).toMatchObject({ code: "TIMEOUT" });
    await store.close();
  });

  test.each([0, 1])(
    "that never answers keeps nobody who gives up waiting, nor the end, with %i readers",
    async (readers) => {
      const embedder = new TestEmbedder();
      const store = await openNodeStore({ embedder, readers });
      await store.ingest(notes(3), { embed: "wait" });
      const asked = { document: Promise.withResolvers<void>(), query: Promise.withResolvers<void>() };
      embedder.before = (_, { kind }) => {
        asked[kind].resolve();
        return new Promise<never>(() => undefined);
      };
      const stop = new AbortController();
      const search = store.search({ text: "kiln", mode: "hybrid" }, { signal: stop.signal });
      await asked.query.promise;
      stop.abort();
      await expect(search).rejects.toMatchObject({ code: "ABORTED", capability: "search" });
      await store.ingest(notes(3, "glaze"), { embed: "off" });
      const run = store.embeddings.run().catch((error: unknown) => error);
      await asked.document.promise;
      await store.close();
      expect(await run).toMatchObject({ code: "CLOSED" });
    },
  );

  test.each([0, 1])("that never answers a search keeps nobody from closing, with %i readers", async (readers) => {
    const embedder = new TestEmbedder();
    const store = await openNodeStore({ embedder, readers });
    await store.ingest(notes(3), { embed: "wait" });
    const asked = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<unknown>();
    embedder.before = (_, { signal }) => {
      signal?.addEventListener("abort", () => heard.resolve(signal.reason), { once: true });
      asked.resolve();
      return new Promise<never>(() => undefined);
    };
    const outcome = (mode: "hybrid" | "vector"): Promise<unknown> =>
      store.search({ text: "kiln", mode }).catch((error: unknown) => error);
    const searches = [outcome("hybrid"), outcome("vector")];
    await asked.promise;
    await store.close();
    expect(await Promise.all(searches)).toMatchObject([{ code: "CLOSED" }, { code: "CLOSED" }]);
    expect(await heard.promise).toMatchObject({ code: "CLOSED" });
  });

  test("is not called where a function of the package made it: the threads make its like", async () => {
    const embedder = createHashingEmbedder({ dimensions: 64 });
    const embed = vi.spyOn(Object.getPrototypeOf(embedder) as typeof embedder, "embed");
    const store = await openNodeStore({ embedder });
    await store.ingest(notes(3), { embed: "wait" });
    const { explain } = await store.search({ text: "kiln", mode: "hybrid", explain: true });
    expect(explain).toMatchObject({ weights: { vector: 0.05 }, vector: { modelId: "hashing", dimensions: 64 } });
    expect(embed).not.toHaveBeenCalled();
    embed.mockRestore();
  });

  test("is called where its function was replaced", async () => {
    const embedder = createHashingEmbedder();
    const inner = embedder.embed.bind(embedder);
    let calls = 0;
    embedder.embed = (texts, options) => {
      calls++;
      return inner(texts, options);
    };
    const store = await openNodeStore({ embedder });
    await store.ingest(notes(1), { embed: "wait" });
    expect(calls).toBe(1);
  });

  test("is refused where it is none, and closed where the store cannot be opened", async () => {
    const dir = storeFolder();
    await expect(openStore({ dir, embedder: {} as never })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(openStore({ dir, embedder: { kind: "magic" } as never })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("embedder.kind") as string,
    });
    writeFileSync(join(dir, "lodestore.db"), "no database, but long enough to be taken for one ".repeat(100));
    let closed = 0;
    const embedder = Object.assign(new TestEmbedder(), { close: async () => void closed++ });
    await expect(openStore({ dir, embedder })).rejects.toMatchObject({ code: "CORRUPT" });
    expect(closed).toBe(1);
  });
});

describe("opening a Node store", () => {
  test("is given up by a signal, while vectors are copied, too, and the next one does what is left", async () => {
    const dir = storeFolder();
    const options = { dir, vectors: "lance", embedder: { kind: "hashing" } } as const;
    await using store = await openStore({ ...options, vectors: "hnsw" });
    await store.ingest(notes(1200), { embed: "wait" });
    await store.close();
    const stop = new AbortController();
    const { result: opening, threads } = await threadsOf(async () => {
      const error = openStore({ ...options, signal: stop.signal }).catch((thrown: unknown) => thrown);
      await vi.waitUntil(() => existsSync(join(dir, "vectors", "chunk_embeddings_hashing_384.lance")), {
        timeout: 60_000,
        interval: 1,
      });
      stop.abort();
      return error;
    });
    expect(opening).toMatchObject({ name: "StorageError", code: "ABORTED", capability: "store", operation: "open" });
    expect(threads.every(({ threadId }) => threadId === -1)).toBe(true);
    const again = await openNodeStore({ ...options, signal: AbortSignal.timeout(600_000) });
    expect(await again.embeddings.status()).toMatchObject({ committed: 1200, missing: 0 });
    expect((await again.search({ text: "number7", mode: "vector" })).hits).toHaveLength(10);
  });

  test("closes the embedder where it is given up before it began", async () => {
    let closed = 0;
    const embedder = Object.assign(new TestEmbedder(), { close: async () => void closed++ });
    const dir = join(storeFolder(), "none");
    const opening = openStore({ dir, embedder, signal: AbortSignal.abort("late") });
    await expect(opening).rejects.toMatchObject({ code: "ABORTED", cause: "late" });
    expect(existsSync(dir)).toBe(false);
    expect(closed).toBe(1);
  });
});

describe("options of a Node store", () => {
  test.each([
    [{ readers: -1 }, "readers"],
    [{ readers: 17 }, "readers"],
    [{ readOnly: "yes" }, "readOnly"],
    [{ signal: "soon" }, "signal"],
    [{ vectors: "annoy" }, "vectors"],
    [{ vectors: { engine: "annoy" } }, "vectors.engine"],
    [{ vectors: { engine: "flat", m: 8 } }, "vectors.m"],
  ])("%j is refused, and names the field", async (options, field) => {
    await expect(openStore({ dir: "x", ...(options as object) })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(field) as string,
    });
  });

  test("choose the engine of the vectors", async () => {
    for (const [vectors, engine] of [
      ["flat", "flat"],
      [{ engine: "hnsw", graphAbove: 16 }, "hnsw"],
    ] as const) {
      const store = await openNodeStore({ vectors, embedder: { kind: "hashing" } });
      await store.ingest(notes(40), { embed: "wait" });
      await store.embeddings.flush();
      expect((await store.embeddings.indexes())[0]?.generations).toMatchObject([{ engine }]);
    }
  });

  test("say how many threads there are", async () => {
    for (const [readers, names] of [
      [0, ["alone"]],
      [1, ["writer", "keeper"]],
      [3, ["writer", "keeper", "reader", "reader"]],
    ] as const) {
      const { result, threads } = await threadsOf(() => openNodeStore({ readers }));
      expect(threads).toHaveLength(names.length);
      await result.close();
      expect(threads.map(({ threadId }) => threadId)).toEqual(names.map(() => -1));
    }
  });
});
