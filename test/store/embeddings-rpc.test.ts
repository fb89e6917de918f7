import { describe, expect, test } from "vitest";
import type { EmbeddingProgress } from "../../src/contracts/embeddings.ts";
import type { Store } from "../../src/contracts/store.ts";
import { StorageError } from "../../src/errors.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import { servedHere } from "../rpc/served-here.ts";
import { openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const TEXTS = Array.from({ length: 10 }, (_, n) => ({ path: `${n}.md`, content: `# ${n}\n\nText ${n}.\n` }));

describe("embeddings over rpc", () => {
  test("run with progress, are aborted, and tell why they failed", async () => {
    const embedder = new TestEmbedder("1", 2);
    const { store: local } = await openEmbeddingStore({ vectors: flatVectors, embedder });
    await using store = new StoreClient(await servedHere<Store>(local));
    await store.ingest(TEXTS, { embed: "off" });

    const stop = new AbortController();
    embedder.before = (_texts, { signal }) => {
      if (embedder.texts < 4) return;
      stop.abort(new Error("enough"));
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
    };
    const aborted = store.embeddings.run({ signal: stop.signal });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });

    embedder.before = () => {
      throw new TypeError("no network");
    };
    await expect(store.embeddings.run()).rejects.toMatchObject({ code: "DRIVER", cause: new TypeError("no network") });
    const { lastError } = await store.embeddings.status();
    expect(lastError).toBeInstanceOf(StorageError);
    expect(lastError).toMatchObject({ code: "DRIVER", capability: "embedder", cause: new TypeError("no network") });
    const failed = await store.ingest([], { embed: "wait" });
    expect(failed.embedding).toBeInstanceOf(StorageError);

    embedder.before = () => {};
    const seen: EmbeddingProgress[] = [];
    const report = await store.embeddings.run({ onProgress: (one) => seen.push(one) });
    expect(report).toMatchObject({ failed: 0, serving: "1" });
    expect(seen.at(-1)).toMatchObject({ done: 10, total: 10 });
  });

  test("end a run for who throws when told of it, and are made by the next", async () => {
    const { store: local } = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder("1", 2) });
    await using store = new StoreClient(await servedHere<Store>(local));
    await store.ingest(TEXTS, { embed: "off" });
    const onProgress = (): void => {
      throw new RangeError("nobody listens");
    };
    await expect(store.embeddings.run({ onProgress })).rejects.toThrow("nobody listens");
    expect((await store.embeddings.status()).lastError).toBe(null);
    await store.embeddings.run();
    expect(await store.embeddings.status()).toMatchObject({ missing: 0, lastError: null });
  });

  test("take vectors of the caller, sweep, drop and show their indexes", async () => {
    const { store: local } = await openEmbeddingStore({ vectors: flatVectors });
    await using store = new StoreClient(await servedHere<Store>(local));
    await store.ingest(TEXTS);
    const generation = { modelId: "own", modelVersion: "1", dimensions: 2 };
    const document = await store.documents.getDocumentByWorkspacePath("3.md");
    const [chunk] = await store.documents.getChunksOf(document?.id ?? "");
    const records = [{ chunkId: chunk?.id ?? "", vector: Float32Array.of(1, 2) }];
    expect(await store.embeddings.put(generation, records)).toEqual({ stored: 1, unknown: [] });
    await store.embeddings.flush();
    const [index] = await store.embeddings.indexes();
    expect(index).toMatchObject({ modelId: "own", generations: [{ vectors: 1 }] });
    expect(await store.embeddings.selfCheck(index?.indexId ?? "", "1")).toMatchObject({ recall: 1 });
    expect(await store.embeddings.openReports()).toHaveLength(1);
    expect(await store.embeddings.drop(generation)).toBe(1);
    expect(await store.embeddings.sweep({ dryRun: true })).toMatchObject({ tombstones: 0, orphans: 0 });
    expect(await store.embeddings.status()).toMatchObject({ generations: [], lastError: null });
  });
});
