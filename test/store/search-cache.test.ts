import { expect, test } from "vitest";
import { checkSearchQuery } from "../../src/contracts/check-search.ts";
import type { SearchQuery, SearchResult } from "../../src/contracts/search.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { queryKey } from "../../src/store/search/query-key.ts";
import { SearchCache } from "../../src/store/search/search-cache.ts";
import { allChunks, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { openTestStore } from "../support/open-test-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors, vectorStores } from "../support/vector-stores.ts";

async function filled(): Promise<{ store: Store; db: SqlDatabase }> {
  const opened = await openTestStore();
  await opened.store.ingest(
    Array.from({ length: 12 }, (_, n) => ({ path: `${n}.md`, content: `# Kiln ${n}\n\nThe glaze of kiln ${n}.` })),
  );
  return opened;
}

const cacheOf = async (store: Store) => (await store.stats()).searchCache;
const keyOf = (query: SearchQuery): string => queryKey(checkSearchQuery(query));

test("the same search is answered from what is kept, and nobody has a part of another's answer", async () => {
  const { store } = await filled();
  const query = { text: "glaze kiln", k: 3 };
  const first = await store.search(query);
  const whole = structuredClone(first);
  for (const answer of [first, await store.search(query)]) {
    expect(answer).toEqual(whole);
    const [hit] = answer.hits;
    hit!.headingPath.push("mine");
    hit!.citation.headingPath.push("mine");
    hit!.citation.span.start = -1;
    hit!.snippet.highlights[0]![0] = -1;
    answer.hits.pop();
  }
  expect(await store.search(query)).toEqual(whole);
  expect(await cacheOf(store)).toMatchObject({ hits: 2, misses: 1, hitRate: 2 / 3, entries: 1, maxBytes: 8_388_608 });
  await store.close();
});

test("what changes the corpus ends every answer; conversations and jobs end none", async () => {
  const { store, db } = await filled();
  const hitsOf = async (): Promise<number> => {
    const before = (await cacheOf(store)).hits;
    await store.search({ text: "glaze" });
    return (await cacheOf(store)).hits - before;
  };
  expect([await hitsOf(), await hitsOf()]).toEqual([0, 1]);
  const { id } = await store.chat.createSession();
  await store.chat.appendTurn(id, { role: "user", text: "glaze" });
  await db.run(
    "INSERT INTO jobs (job_id, kind, status, payload, created_at, updated_at) VALUES ('j', 'k', 's', '{}', 1, 1)",
  );
  expect(await hitsOf()).toBe(1);
  await store.ingest({ path: "new.md", content: "# Glaze" });
  expect([await hitsOf(), await hitsOf()]).toEqual([0, 1]);
  await store.documents.rebuildChunksFts();
  expect([await hitsOf(), await hitsOf()]).toEqual([0, 1]);
  expect((await cacheOf(store)).entries).toBe(1);
  await store.close();
});

test("embeddings that are committed end the answers by vectors, and leave those by words", async () => {
  await using opened = await openEmbeddingStore({ vectors: flatVectors, embedder: new TestEmbedder() });
  const { store } = opened;
  await store.ingest({ path: "a.md", content: "# Kiln" }, { embed: "wait" });
  await store.ingest({ path: "b.md", content: "# Kiln" }, { embed: "off" });
  const [words, both] = [{ text: "kiln" }, { text: "kiln", mode: "hybrid" as const }];
  const vectors = (result: SearchResult): number => result.hits.filter(({ vectorRank }) => vectorRank !== null).length;
  await store.search(words);
  expect(vectors(await store.search(both))).toBe(1);
  await store.embeddings.run();
  expect(vectors(await store.search(both))).toBe(2);
  await store.search(words);
  expect(await cacheOf(store)).toMatchObject({ hits: 1, misses: 3 });
  await store.embeddings.reindex();
  await store.search(both);
  expect(await cacheOf(store)).toMatchObject({ hits: 1, misses: 4 });
});

test.each(vectorStores)("a vector in the place of another raises the revision, $way", async ({ over }) => {
  await using opened = await openEmbeddingStore({ vectors: over });
  const { store, db } = opened;
  await store.ingest({ path: "a.md", content: "# Kiln" });
  const revision = async (): Promise<number> =>
    Number((await db.get<{ value: string }>("SELECT value FROM kv WHERE key = 'embedding_revision'"))?.value);
  const put = async (fill: number): Promise<void> => {
    const records = (await allChunks(db)).map((chunkId) => ({ chunkId, vector: new Float32Array(4).fill(fill) }));
    await store.embeddings.put({ modelId: "own", modelVersion: "1", dimensions: 4, metric: "l2" }, records);
  };
  await put(1);
  const before = await revision();
  await put(2);
  expect(await revision()).toBeGreaterThan(before);
});

test("a query that is to be answered anew is, and leaves what is kept", async () => {
  const { store } = await filled();
  const kept = await store.search({ text: "kiln" });
  expect(await store.search({ text: "kiln", fresh: true })).toEqual(kept);
  expect(await cacheOf(store)).toMatchObject({ hits: 0, misses: 1, entries: 1 });
});

test("answers that explain themselves, that stand on words alone, and failures are not kept", async () => {
  const embedder = new TestEmbedder();
  await using opened = await openEmbeddingStore({ vectors: flatVectors, embedder });
  const { store } = opened;
  await store.ingest({ path: "a.md", content: "# Kiln" }, { embed: "wait" });
  for (let n = 0; n < 2; n++) expect(await store.search({ text: "kiln", explain: true })).toHaveProperty("explain");
  expect(await cacheOf(store)).toMatchObject({ hits: 0, misses: 0 });
  embedder.before = () => {
    throw new Error("not now");
  };
  const both = { text: "kiln", mode: "hybrid" as const };
  expect(await store.search(both)).toHaveProperty("withoutVectors");
  await expect(store.search({ ...both, mode: "vector" })).rejects.toMatchObject({ capability: "embedder" });
  embedder.before = () => {};
  expect(await store.search(both)).not.toHaveProperty("withoutVectors");
  expect(await store.search({ ...both, mode: "vector" })).toMatchObject({ hits: [{ vectorRank: 1 }] });
  expect(await cacheOf(store)).toMatchObject({ hits: 0, misses: 4, entries: 2 });
});

test("an answer of a state that was over before it was made is not kept", async () => {
  const { store, db } = await filled();
  const cache = new SearchCache(db);
  const query = checkSearchQuery({ text: "kiln" });
  const answer = (search: () => Promise<SearchResult>): Promise<SearchResult> =>
    cache.answer(query, () => 0, undefined, search);
  const old: SearchResult = { hits: [], revision: 1 };
  await answer(async () => {
    await store.documents.bumpCorpusRevision();
    return old;
  });
  const now: SearchResult = { hits: [], revision: 2 };
  expect(await answer(async () => now)).toEqual(now);
  expect(await answer(() => Promise.reject(new Error("it is kept")))).toEqual(now);
  await store.close();
});

test("the bytes of all answers are bounded, the least recently asked goes first, and 0 keeps none", async () => {
  const { store, db } = await filled();
  const cache = new SearchCache(db, 20_000);
  const search = async (text: string, length = 1000): Promise<boolean> => {
    let asked = false;
    await cache.answer(
      checkSearchQuery({ text }),
      () => 0,
      undefined,
      async () => {
        asked = true;
        return { hits: [], revision: 1, nextCursor: "x".repeat(length) };
      },
    );
    return !asked;
  };
  for (let n = 0; n < 50; n++) {
    await search(`query ${n}`);
    await search("query 0");
    expect(cache.stats().bytes).toBeLessThanOrEqual(20_000);
  }
  expect(cache.stats().entries).toBeGreaterThan(4);
  expect([await search("query 0"), await search("query 49"), await search("query 1")]).toEqual([true, true, false]);
  await search("too long", 20_000);
  expect(await search("too long", 20_000)).toBe(false);
  const none = new SearchCache(db, 0);
  for (let n = 0; n < 2; n++) {
    await none.answer(
      checkSearchQuery({ text: "a" }),
      () => 0,
      undefined,
      async () => ({ hits: [], revision: 1 }),
    );
  }
  expect(none.stats()).toEqual({ hits: 0, misses: 0, hitRate: 0, entries: 0, bytes: 0, maxBytes: 0 });
  await store.close();
});

test("a search that is aborted rejects although its answer is kept", async () => {
  const { store } = await filled();
  await store.search({ text: "kiln" });
  const signal = AbortSignal.abort();
  await expect(store.search({ text: "kiln" }, { signal })).rejects.toMatchObject({ code: "ABORTED" });
  await store.close();
});

test("queries have one key if and only if they ask the same", () => {
  const vector = Float32Array.of(0.5, -0.25, 3);
  const different: SearchQuery[] = [
    { text: "kiln" },
    { text: "Kiln" },
    { text: "kiln " },
    { text: "kiln", k: 11 },
    { text: "kiln", mode: "hybrid" },
    { text: "kiln", filters: { tagsAny: ["a"] } },
    { text: "kiln", filters: { lang: ["a"] } },
    { text: "kiln", cursor: "x" },
    { text: "kiln", snippetLength: 100 },
    { text: "kiln", stemming: "off" },
    { text: "kiln", plainText: true },
    { text: "kiln", prefixLast: true },
    { text: "kiln", collapse: true },
    { text: "kiln", ef: 50 },
    { text: "kiln", weights: { vector: 1 } },
    { text: "kiln", weights: { lexical: 1 } },
    { text: "kiln", modelId: "m" },
    { text: "kiln", vector },
    { text: "kiln", vector: Float32Array.of(0.5, -0.25, 3.0000002) },
    { text: "kiln", vector: Float32Array.of(0.5, -0.25) },
    { vector },
  ];
  expect(new Set(different.map(keyOf)).size).toBe(different.length);
  const [kiln] = different.map(keyOf);
  for (const same of [
    { text: "kiln", k: 10 },
    { text: "kiln", mode: "lexical" as const },
    { text: "kiln", filters: {} },
  ]) {
    expect(keyOf(same)).toBe(kiln);
  }
  expect(keyOf({ text: "kiln", filters: { tagsAny: ["b", "a"] } })).toBe(
    keyOf({ filters: { tagsAny: ["a", "b", "a"] }, text: "kiln" }),
  );
  // A view into a larger buffer is no other vector.
  const view = new Float32Array([9, ...vector, 9]).subarray(1, 4);
  expect(keyOf({ text: "kiln", vector: view })).toBe(keyOf({ text: "kiln", vector }));
});
