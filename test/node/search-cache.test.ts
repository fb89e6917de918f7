import { expect, test } from "vitest";
import { openStore } from "../../src/node.ts";
import { notes, openNodeStore, storeFolder } from "../support/open-node-store.ts";

test("each thread that reads keeps answers, none of them is stale, also beside another process's writes", async () => {
  const dir = storeFolder();
  const store = await openNodeStore({ dir, readers: 2, searchCacheBytes: 1_000_001 });
  await store.ingest(notes(5));
  const reading = await openStore({ dir, readOnly: true, vectors: "hnsw", readers: 1, searchCacheBytes: 0 });
  const beside = await openStore({ dir, readOnly: true, vectors: "hnsw", readers: 1 });
  const query = { text: "kiln", k: 100 };
  for (let count = 5; count < 12; count++) {
    for (const one of [store, reading, beside, store, beside]) {
      expect((await one.search(query)).hits).toHaveLength(count);
    }
    // At once, so that every thread answers some.
    const all = await Promise.all(Array.from({ length: 6 }, () => store.search(query)));
    expect(all.map(({ hits }) => hits.length)).toEqual(Array(6).fill(count));
    await store.ingest({ path: `new ${count}.md`, content: "# Kiln" });
  }
  const { searchCache } = await store.stats();
  expect(searchCache.hits + searchCache.misses).toBe(7 * 8);
  expect(searchCache.hits).toBeGreaterThan(20);
  expect(searchCache.hitRate).toBeCloseTo(searchCache.hits / 56);
  expect(searchCache.maxBytes).toBe(1_000_000);
  expect((await beside.stats()).searchCache).toMatchObject({ hits: 7, misses: 7, maxBytes: 8_388_608 });
  expect((await reading.stats()).searchCache).toMatchObject({ hits: 0, misses: 0, maxBytes: 0 });
  await Promise.all([reading.close(), beside.close()]);
});

test("a size that is none is refused, naming the option", async () => {
  for (const searchCacheBytes of [-1, 1.5, 2 ** 31, "1"]) {
    const opened = openStore({ dir: storeFolder(), searchCacheBytes: searchCacheBytes as number });
    await expect(opened).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(opened).rejects.toThrow("searchCacheBytes");
  }
});
