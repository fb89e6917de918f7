import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { SearchHit, Store } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";
import { programFile } from "../support/programs.ts";

vi.setConfig({ testTimeout: 120_000 });

const embedder = { kind: "hashing" } as const;

async function nearest(store: Store, text = "the kiln of number7"): Promise<SearchHit[]> {
  return (await store.search({ text, mode: "vector", k: 10 })).hits;
}

/** What a search by meaning finds, without the last digits in which engines differ. */
function found(hits: readonly SearchHit[]): unknown[] {
  return hits.map(({ citation, score }) => [citation.workspacePath, score.toFixed(4)]);
}

describe.each([0, 2])("a store with Lance tables and %i readers", (readers) => {
  test("takes notes in, finds them by meaning, follows changes and opens again", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, readers, embedder, vectors: "lance" });
    await store.ingest(notes(120), { embed: "wait" });
    const hits = await nearest(store);
    expect(hits[0]?.citation.workspacePath).toBe("n7.md");
    expect((await store.openReport()).vectors).toEqual({ driver: "vectors-lance", fallback: null, moved: null });
    expect(existsSync(join(dir, "vectors", "chunk_embeddings_hashing_384.lance"))).toBe(true);
    await store.ingest({ path: "n7.md", content: "# Gone\n\nGlaze and slip.\n" }, { embed: "wait" });
    expect(found(await nearest(store))).not.toContainEqual(["n7.md", expect.anything()]);
    await store.embeddings.flush();
    const [table] = await store.embeddings.indexes();
    expect(table).toMatchObject({ lastError: null, generations: [{ vectors: 120, engine: "flat" }] });
    expect(await store.embeddings.selfCheck(table?.indexId ?? "", "1")).toMatchObject({ recall: 1 });
    expect(await store.embeddings.reindex()).toMatchObject({ indexes: [{ vectors: 120 }] });
    expect(await store.check()).toMatchObject({ ok: true });
    const before = found(await nearest(store));
    await store.close();
    const again = await openNodeStore({ dir, readers, embedder, vectors: "auto" });
    expect((await again.openReport()).vectors).toMatchObject({ driver: "vectors-lance", fallback: null });
    expect(found(await nearest(again))).toEqual(before);
  });

  test("is repaired when its tables are deleted behind its back", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, readers, embedder, vectors: "lance" });
    await store.ingest(notes(30), { embed: "wait" });
    const before = found(await nearest(store));
    await store.close();
    rmSync(join(dir, "vectors"), { recursive: true });
    const again = await openNodeStore({ dir, readers, embedder, vectors: "lance" });
    const byWords = await again.search({ text: "number7", mode: "hybrid" });
    expect(byWords).toMatchObject({ withoutVectors: { code: "CORRUPT" } });
    expect(byWords.hits[0]?.citation.workspacePath).toBe("n7.md");
    expect(await again.check()).toMatchObject({ ok: false });
    await again.repair();
    await again.embeddings.run();
    expect(await again.check()).toMatchObject({ ok: true });
    expect(found(await nearest(again))).toEqual(before);
  });
});

describe("another engine than before", () => {
  test.each([
    ["hnsw", "lance"],
    ["lance", "hnsw"],
    ["lance", "flat"],
  ] as const)("from %s to %s has the vectors copied", async (first, second) => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: first, embedder });
    await store.ingest(notes(150), { embed: "wait" });
    const before = found(await nearest(store));
    await store.close();
    const again = await openNodeStore({ dir, vectors: second, embedder });
    expect((await again.openReport()).vectors?.moved).toMatchObject({ copied: 150, missing: 0 });
    expect(await again.embeddings.status()).toMatchObject({ committed: 150, missing: 0 });
    expect(found(await nearest(again))).toEqual(before);
    expect(await again.check()).toMatchObject({ ok: true });
    await again.close();
    const third = await openNodeStore({ dir, vectors: second, embedder });
    expect((await third.openReport()).vectors?.moved).toBeNull();
  });

  test("whose vectors cannot be read makes them anew, and finds the old ones when it comes back", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: "lance", embedder });
    await store.ingest(notes(40), { embed: "wait" });
    const before = found(await nearest(store));
    await store.close();
    renameSync(join(dir, "vectors"), join(dir, "elsewhere"));
    const without = await openNodeStore({ dir, vectors: "hnsw", embedder });
    expect((await without.openReport()).vectors?.moved).toMatchObject({ copied: 0, missing: 40 });
    expect(await nearest(without)).toEqual([]);
    await without.embeddings.run();
    expect(found(await nearest(without))).toEqual(before);
  });

  test("finds the vectors of before when it comes back, also where they were of no use meanwhile", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: "lance" });
    await store.ingest(notes(4));
    const generation = { modelId: "own", modelVersion: "1", dimensions: 2 };
    const axes = [Float32Array.of(1, 0), Float32Array.of(0, 1)] as const;
    const put = async (to: Store, path: string, vector: Float32Array): Promise<void> => {
      const documentId = (await to.documents.getDocumentByWorkspacePath(path))?.id ?? "";
      const [chunk] = await to.documents.getChunksOf(documentId);
      await to.embeddings.put(generation, [{ chunkId: chunk?.id ?? "", vector }]);
    };
    const paths = async (of: Store): Promise<unknown[]> => {
      const { hits } = await of.search({ text: "", mode: "vector", vector: axes[0], k: 3 });
      return hits.map(({ citation, score }) => [citation.workspacePath, score]);
    };
    await put(store, "n0.md", axes[0]);
    await put(store, "n1.md", axes[1]);
    await put(store, "n2.md", Float32Array.of(-1, 0));
    await store.close();
    renameSync(join(dir, "vectors"), join(dir, "elsewhere"));
    const without = await openNodeStore({ dir, vectors: "hnsw" });
    await put(without, "n0.md", axes[1]);
    await put(without, "n1.md", axes[0]);
    await without.ingest([], { sweep: { prefix: "n2" } });
    expect(await paths(without)).toEqual([
      ["n1.md", 1],
      ["n0.md", 0],
    ]);
    await without.close();
    renameSync(join(dir, "elsewhere"), join(dir, "vectors"));
    const again = await openNodeStore({ dir, vectors: "lance" });
    expect((await again.openReport()).vectors?.moved).toMatchObject({ found: 0, copied: 2, missing: 0 });
    expect(await paths(again)).toEqual([
      ["n1.md", 1],
      ["n0.md", 0],
    ]);
  });

  test("is not chosen by auto where there are vectors already", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: "hnsw", embedder });
    await store.ingest(notes(10), { embed: "wait" });
    await store.close();
    const again = await openNodeStore({ dir, vectors: "auto", embedder });
    expect((await again.openReport()).vectors).toEqual({
      driver: "vectors-hnsw",
      fallback: 'the store has its vectors in its database; vectors: "lance" moves them',
      moved: null,
    });
  });

  test.each([
    ["hnsw", "lance"],
    ["lance", "hnsw"],
  ] as const)("than %s does not move vectors while a store is only read", async (first, second) => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: first, embedder });
    await store.ingest(notes(30), { embed: "wait" });
    const before = found(await nearest(store));
    await store.close();
    const reading = await openNodeStore({ dir, readOnly: true, vectors: second, embedder });
    expect((await reading.openReport()).vectors).toMatchObject({
      driver: `vectors-${first}`,
      fallback: expect.stringContaining("vectors stay where they are") as string,
    });
    expect(found(await nearest(reading))).toEqual(before);
  });

  test("is told to who had the store open for reading when another process chose it", async () => {
    const dir = storeFolder();
    const store = await openNodeStore({ dir, vectors: "hnsw", embedder });
    await store.ingest(notes(20), { embed: "wait" });
    await store.close();
    const reading = await openNodeStore({ dir, readOnly: true, embedder });
    expect(await nearest(reading)).toHaveLength(10);
    await (await openNodeStore({ dir, vectors: "lance", embedder })).close();
    await expect(nearest(reading)).rejects.toMatchObject({ code: "CONFLICT" });
    const byWords = await reading.search({ text: "number7", mode: "hybrid" });
    expect(byWords).toMatchObject({ withoutVectors: { code: "CONFLICT" } });
    expect(byWords.hits[0]?.citation.workspacePath).toBe("n7.md");
  });
});

describe("without the packages of Lance", () => {
  const run = (what: string): { status: number | null; stdout: string } => {
    const hide = new URL("./hide-lance.ts", import.meta.url).href;
    const args = ["--import", hide, programFile("test/node/store-child.ts"), what, storeFolder()];
    return spawnSync(process.execPath, args, { encoding: "utf8" });
  };

  test("auto is the graph in memory, and says why", () => {
    expect(JSON.parse(run("auto").stdout)).toEqual({
      hits: 1,
      vectors: {
        driver: "vectors-hnsw",
        fallback: expect.stringMatching(/npm install @lancedb\/lancedb@0\.31\.0 apache-arrow@18\.1\.0/) as string,
        moved: null,
      },
    });
  });

  test("lance is refused, and names the command that installs them", () => {
    const { stdout } = run("lance");
    expect(stdout).toContain("UNSUPPORTED");
    expect(stdout).toContain("npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0");
  });
});
