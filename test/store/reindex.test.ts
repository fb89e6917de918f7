import { describe, expect, test } from "vitest";
import type { ReindexProgress } from "../../src/contracts/embeddings.ts";
import type { RepairProgress, Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { servedHere } from "../rpc/served-here.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { openSnapshotStore } from "../support/snapshot-store-case.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

const OWN = { modelId: "own", modelVersion: "7", dimensions: 2 };

/** A store with 40 vectors of an embedder, in a graph, and 10 of the caller's. */
async function twoModels(blobs: MemoryBlobStore): Promise<EmbeddingStore> {
  const opened = await openEmbeddingStore({
    vectors: (db) => openSnapshotStore(db, blobs),
    embedder: new TestEmbedder(),
  });
  const { store, db } = opened;
  await store.ingest(Array.from({ length: 40 }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nText ${n}.\n` })));
  await store.embeddings.run();
  const chunks = await db.all<{ id: string }>("SELECT chunk_id AS id FROM chunks ORDER BY chunk_key LIMIT 10");
  await store.embeddings.put(
    OWN,
    chunks.map(({ id }, n) => ({ chunkId: id, vector: Float32Array.of(1, n) })),
  );
  return opened;
}

describe("making indexes anew", () => {
  test("is done for every model, or for one, with progress and a snapshot each", async () => {
    const blobs = new MemoryBlobStore();
    await using opened = await twoModels(blobs);
    const { embeddings } = opened.store;
    expect(await blobs.list("")).toEqual([]);
    const seen: ReindexProgress[] = [];
    const all = await embeddings.reindex({ onProgress: (progress) => seen.push(progress) });
    expect(all.indexes).toMatchObject([
      { modelId: "own", modelVersion: "7", dimensions: 2, vectors: 10 },
      { modelId: "test", modelVersion: "1", dimensions: 16, vectors: 40 },
    ]);
    expect(await blobs.list("")).toHaveLength(2);
    expect(seen[0]).toEqual({
      tableName: "chunk_embeddings_own_2",
      modelVersion: "7",
      indexesDone: 0,
      indexes: 2,
      phase: "reading",
      done: 10,
      total: 10,
    });
    expect(seen.at(-1)).toMatchObject({ indexesDone: 1, phase: "linking", done: 40, total: 40 });
    const tables = await embeddings.examine();
    expect(tables.map(({ driver, generations }) => [driver, generations[0]?.snapshot?.problem])).toEqual([
      ["vectors-hnsw", null],
      ["vectors-hnsw", null],
    ]);
    expect((await embeddings.reindex({ modelId: "own" })).indexes).toMatchObject([{ modelId: "own" }]);
  });

  test("refuses a model without vectors, naming those that there are, and wrong options", async () => {
    await using opened = await twoModels(new MemoryBlobStore());
    const { embeddings } = opened.store;
    await expect(embeddings.reindex({ modelId: "other" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      capability: "embeddings",
      operation: "reindex",
      message: 'the store has no vectors of the model "other"; it has those of "own", "test"',
    });
    for (const [field, options] of [
      ["options.modelId", { modelId: "" }],
      ["options.signal", { signal: 5 }],
      ["options.onProgress", { onProgress: 5 }],
      ["models", { models: ["own"] }],
    ] as const) {
      await expect(embeddings.reindex(options as never)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: expect.stringContaining(field) as string,
      });
    }
  });

  test("is aborted, and what was there serves", async () => {
    await using opened = await twoModels(new MemoryBlobStore());
    const { store } = opened;
    const stop = new AbortController();
    const aborted = store.embeddings.reindex({
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED", capability: "embeddings" });
    expect((await store.search({ text: "text 7", mode: "vector", k: 3 })).hits).toHaveLength(3);
    expect((await store.check()).ok).toBe(true);
    const [running] = await Promise.allSettled([store.embeddings.reindex(), store.close()]);
    if (running.status === "rejected") expect(running.reason).toMatchObject({ code: "CLOSED" });
  });

  test("needs a vector store", async () => {
    const { store } = await openTestStore();
    await expect(store.embeddings.reindex()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(store.embeddings.examine()).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(await store.stats()).toMatchObject({ vectors: null });
    expect(await store.repair()).toMatchObject({ steps: [], sweep: null, check: { ok: true } });
    await store.close();
  });
});

test("looking, repairing and making indexes anew go over rpc, with progress and aborts", async () => {
  const { store: local, db } = await twoModels(new MemoryBlobStore());
  await using store = new StoreClient(await servedHere<Store>(local));
  const reading: ReindexProgress[] = [];
  await store.embeddings.reindex({ onProgress: (progress) => reading.push(progress) });
  expect(reading.length).toBeGreaterThan(1);
  expect(await store.embeddings.examine({ quick: true })).toMatchObject([{ modelId: "own" }, { modelId: "test" }]);
  expect((await store.stats()).vectors?.driver).toBe("vectors-hnsw");
  await db.run("DELETE FROM kv WHERE key = 'corpus_revision'");
  const doing: RepairProgress[] = [];
  const report = await store.repair({ onProgress: (progress) => doing.push(progress) });
  expect(report).toMatchObject({ steps: [{ name: "corpus revision", outcome: "repaired" }], check: { ok: true } });
  expect(doing.map((one) => one.doing)).toEqual(
    expect.arrayContaining(["looking for damage", "begin the corpus revision anew", "looking again"]),
  );
  const stop = new AbortController();
  const aborted = store.repair({ signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) });
  await expect(aborted).rejects.toMatchObject({ code: "ABORTED", operation: "repair" });
});
