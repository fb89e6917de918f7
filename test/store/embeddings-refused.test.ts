import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { IngestFile } from "../../src/contracts/store.ts";
import { StorageError } from "../../src/errors.ts";
import { openEmbeddingStore, visibleChunks } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { vectorStores } from "../support/vector-stores.ts";

const MODEL = { modelId: "test", dimensions: 16 };

/** Files of one chunk each, in a folder of their own. */
function files(folder: string, count: number, text: string): IngestFile[] {
  return Array.from({ length: count }, (_, n) => ({ path: `${folder}/${n}.md`, content: `${text} ${n}\n` }));
}

/** An embedder that refuses what has the word "poison". */
function fastidious(modelVersion = "1"): TestEmbedder {
  const embedder = new TestEmbedder(modelVersion, 8);
  embedder.before = (texts) => {
    if (!texts.some((text) => text.includes("poison"))) return;
    throw new StorageError("INVALID_INPUT", "it is poison", { capability: "embedder", operation: "embed" });
  };
  return embedder;
}

/** An embedder whose vectors of texts with the word "poison" are replaced. */
function spoiling(spoil: (vector: Float32Array) => Float32Array): TestEmbedder {
  const embedder = new TestEmbedder("1", 8);
  const embed = embedder.embed.bind(embedder);
  embedder.embed = async (texts, options) =>
    (await embed(texts, options)).map((vector, at) =>
      texts[at]?.includes("poison") === true ? spoil(vector) : vector,
    );
  return embedder;
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lodestore-refused-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "lodestore.db");
}

describe.each(vectorStores)("texts that are refused, with embeddings written $way,", ({ over }) => {
  test("keep no run from what comes after them", async () => {
    const path = await temporaryFile();
    for (const round of [1, 2, 3]) {
      await using opened = await openEmbeddingStore({ path, vectors: over, embedder: fastidious() });
      const { store } = opened;
      if (round === 1) await store.ingest([...files("a", 20, "glaze"), ...files("b", 60, "poison")], { embed: "off" });
      const { embedding } = await store.ingest(files(`c${round}`, 10, `clay ${round}`), { embed: "wait" });
      expect(embedding).toMatchObject({ embedded: round === 1 ? 30 : 10, failed: 60, serving: "1" });
      expect(await store.embeddings.run()).toMatchObject({ embedded: 0, failed: 60 });
      expect(await visibleChunks(opened)).toHaveLength(20 + 10 * round);
    }
  });

  test("keep no run from the first that is taken, though many come before it", async () => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: fastidious() });
    const { store } = opened;
    await store.ingest(files("a", 80, "poison"), { embed: "off" });
    await store.ingest(files("b", 40, "glaze"), { embed: "off" });
    expect(await store.embeddings.run()).toMatchObject({ embedded: 40, failed: 80, serving: "1" });
  });

  test("keep no new version from taking over", async () => {
    const path = await temporaryFile();
    {
      await using first = await openEmbeddingStore({ path, vectors: over, embedder: new TestEmbedder("1") });
      await first.store.ingest([...files("a", 5, "glaze"), ...files("b", 2, "poison")], { embed: "wait" });
    }
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder: fastidious("2") });
    const { embeddings } = opened.store;
    expect(await embeddings.run()).toMatchObject({ embedded: 5, failed: 2, serving: "2" });
    expect(await embeddings.status()).toMatchObject({
      serving: "2",
      building: null,
      missing: 2,
      lastError: { message: "it is poison" },
      generations: [{ modelVersion: "2", committed: 5 }],
    });
    expect(await visibleChunks(opened)).toHaveLength(5);
  });

  test("keep a version from taking over where they are all, or the run ends early", async () => {
    const path = await temporaryFile();
    {
      await using first = await openEmbeddingStore({ path, vectors: over, embedder: new TestEmbedder("1") });
      await first.store.ingest(files("b", 3, "poison"), { embed: "wait" });
    }
    const embedder = fastidious("2");
    await using opened = await openEmbeddingStore({ path, vectors: over, embedder });
    const { store } = opened;
    expect(await store.embeddings.run()).toMatchObject({ embedded: 0, failed: 3, serving: "1" });
    expect(await visibleChunks(opened)).toHaveLength(3);
    const refuse = embedder.before;
    embedder.before = (texts, options) => {
      if (embedder.texts > 0) throw new Error("no network");
      return refuse(texts, options);
    };
    await store.ingest(files("c", 20, "glaze"), { embed: "off" });
    await expect(store.embeddings.run()).rejects.toMatchObject({ code: "DRIVER", message: /no network/u });
    expect(await store.embeddings.status()).toMatchObject({ serving: "1", building: "2", committed: 8 });
    embedder.before = refuse;
    expect(await store.embeddings.run()).toMatchObject({ embedded: 12, failed: 3, serving: "2" });
  });

  test.each([
    { what: "not finite", spoil: (vector: Float32Array) => vector.fill(Number.NaN, 3, 4) },
    { what: "too short", spoil: (vector: Float32Array) => vector.subarray(1) },
  ])("by a vector that is $what keep no other from its own", async ({ spoil }) => {
    await using opened = await openEmbeddingStore({ vectors: over, embedder: spoiling(spoil) });
    const { store } = opened;
    const all = [...files("a", 5, "glaze"), ...files("b", 1, "poison"), ...files("c", 20, "clay")];
    await store.ingest(all, { embed: "off" });
    const report = await store.embeddings.run();
    expect(report).toMatchObject({ embedded: 25, failed: 1, serving: "1", failures: [{ code: "INVALID_INPUT" }] });
    expect(report.failures[0]?.reason).toMatch(/^vector/u);
  });

  test("are none where every vector has the wrong length", async () => {
    const embedder = new TestEmbedder("1", 8);
    const embed = embedder.embed.bind(embedder);
    embedder.embed = async (texts, options) => (await embed(texts, options)).map((vector) => vector.subarray(1));
    await using opened = await openEmbeddingStore({ vectors: over, embedder });
    await opened.store.ingest(files("a", 5, "glaze"), { embed: "off" });
    await expect(opened.store.embeddings.run()).rejects.toMatchObject({
      code: "DRIVER",
      message: /15 values, not 16/u,
    });
    expect(await opened.store.embeddings.status()).toMatchObject({ model: MODEL, committed: 0, serving: null });
  });
});
