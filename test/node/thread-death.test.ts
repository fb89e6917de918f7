import { describe, expect, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder, threadsOf } from "../support/open-node-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

describe("a reader that dies", () => {
  test("is replaced, and what it was at is answered", async () => {
    const { result: store, threads } = await threadsOf(() =>
      openNodeStore({ readers: 2, embedder: { kind: "hashing" } }),
    );
    await store.ingest(notes(40), { embed: "wait" });
    for (const reader of threads.slice(1)) {
      const searches = Array.from({ length: 30 }, (_, n) =>
        store.search({ text: `number${n}`, mode: n % 2 === 0 ? "lexical" : "hybrid", k: 3 }),
      );
      const ended = reader.terminate();
      const found = await Promise.all(searches);
      expect(found.every(({ hits }) => hits.length > 0)).toBe(true);
      await ended;
    }
    expect((await store.search({ text: "number7" })).hits).toHaveLength(1);
    expect((await store.search({ text: "kiln", mode: "vector" })).hits).toHaveLength(10);
    await store.ingest(notes(41), { embed: "wait" });
    expect((await store.search({ text: "number40" })).hits).toHaveLength(1);
    expect((await store.search({ text: "kiln", mode: "vector", k: 50 })).hits).toHaveLength(41);
  });

  test("takes nothing from the snapshot that its successor writes", async () => {
    const dir = storeFolder();
    const options = { dir, readers: 1, vectors: "hnsw", embedder: { kind: "hashing" } } as const;
    const { result: store, threads } = await threadsOf(() => openStore(options));
    await store.ingest(notes(300), { embed: "wait" });
    await store.search({ text: "kiln", mode: "vector" });
    await threads[1]?.terminate();
    await store.search({ text: "kiln", mode: "vector" });
    await store.close();
    await using again = await openStore(options);
    await again.search({ text: "kiln", mode: "vector" });
    expect((await again.openReport()).indexes).toMatchObject([{ source: "snapshot", vectors: 300 }]);
  });
});

describe("a writer that dies", () => {
  test("is OWNER_LOST to every call, at hand and later, and the store opens again", async () => {
    const dir = storeFolder();
    const { result: store, threads } = await threadsOf(() => openNodeStore({ dir, readers: 2 }));
    await store.ingest(notes(10));
    const asked = Promise.withResolvers<void>();
    const hanging = async (): Promise<Uint8Array> => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    const ingest = store.ingest({ path: "late.md", content: hanging }).catch((error: unknown) => error);
    await asked.promise;
    await threads[0]?.terminate();
    expect(await ingest).toMatchObject({ name: "StorageError", code: "OWNER_LOST" });
    await expect(store.ingest(notes(1))).rejects.toMatchObject({ code: "OWNER_LOST" });
    await expect(store.search({ text: "kiln" })).rejects.toMatchObject({ code: "OWNER_LOST" });
    await expect(store.embeddings.status()).rejects.toMatchObject({ code: "OWNER_LOST" });

    const again = await openNodeStore({ dir });
    expect((await again.search({ text: "number3" })).hits).toHaveLength(1);
    await store.close();
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1, -1]);
    await expect(store.search({ text: "kiln" })).rejects.toMatchObject({ code: "CLOSED" });
    await again.ingest(notes(11));
  });

  test("has the embedder of the caller closed with the store", async () => {
    let closed = 0;
    const embedder = Object.assign(new TestEmbedder(), { close: async () => void closed++ });
    const { result: store, threads } = await threadsOf(() => openNodeStore({ embedder }));
    await threads[0]?.terminate();
    await store.close();
    expect(closed).toBe(1);
  });
});
