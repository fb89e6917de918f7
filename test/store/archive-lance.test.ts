import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { SearchQuery } from "../../src/contracts/search.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { type EmbeddingStore, openEmbeddingStore, visibleChunks } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const ENGINES: Record<string, (db: SqlDatabase, dir: string) => AnyVectorStore> = {
  lance: (db, dir) => lanceVectors(db, join(dir, "vectors")),
  flat: flatVectors,
};
const WAYS = Object.keys(ENGINES).flatMap((from) => Object.keys(ENGINES).map((to) => [from, to] as const));

async function open(engine: string, embedder: TestEmbedder): Promise<EmbeddingStore & { folder: string }> {
  const { path, remove } = temporaryFolder();
  const vectors = (db: SqlDatabase): AnyVectorStore => ENGINES[engine]!(db, path);
  const opened = await openEmbeddingStore({ path: join(path, "lodestore.db"), vectors, embedder });
  onTestFinished(async () => {
    await opened.store.close();
    remove();
  });
  return { ...opened, folder: path };
}

const QUERIES: SearchQuery[] = [
  { text: "glaze ash", k: 30 },
  { text: "kilns melts", k: 20, mode: "hybrid" },
  { text: "ash", k: 25, mode: "vector" },
];

/** Scores are those of the engine, which adds floats up in an order of its own, and keeps vectors as exactly as it does. */
async function answers({ store }: EmbeddingStore): Promise<unknown[]> {
  const found = [];
  for (const query of QUERIES) {
    const { hits } = await store.search(query);
    found.push(hits.map(({ chunkId, score }) => ({ chunkId, score: expect.closeTo(score, 4) as number })));
  }
  return found;
}

describe.each(WAYS)("an archive from %s to %s", (from, to) => {
  test("answers as in its own store, with its vectors", async () => {
    const source = await open(from, new TestEmbedder());
    await source.store.ingest(
      Array.from({ length: 300 }, (_, n) => ({
        path: `${n}.md`,
        content: `# Note ${n}\n\nKilns and glaze ${n}.\n\n## Ash\n\n${"It melts well. ".repeat(n % 9)}Ash of ${n}.\n`,
      })),
      { embed: "wait" },
    );
    const embedder = new TestEmbedder();
    const target = await open(to, embedder);
    const report = await target.store.import(inPieces(await archiveOf(source.store)));
    expect(report).toMatchObject({ documents: 300, missing: 0, from: { vectorEngine: `vectors-${from}` } });
    const found = [];
    for (const query of QUERIES) found.push((await target.store.search(query)).hits);
    expect(found).toMatchObject(await answers(source));
    expect(await visibleChunks(target)).toEqual(await visibleChunks(source));
    const asked = embedder.texts;
    await target.store.embeddings.run();
    expect(embedder.texts).toBe(asked);
    expect(await target.store.check()).toMatchObject({ ok: true });
  });
});

test.each([0, 1])("an import that is cancelled at %i of its writing leaves no Lance table behind", async (share) => {
  const source = await open("flat", new TestEmbedder());
  await source.store.ingest(
    Array.from({ length: 40 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nKilns ${n}.` })),
    { embed: "wait" },
  );
  const archive = await archiveOf(source.store);
  const target = await open("lance", new TestEmbedder());
  const stop = new AbortController();
  const cancelled = target.store.import(inPieces(archive), {
    signal: stop.signal,
    onProgress: ({ phase, done, total }) => {
      if (phase === "write" && done >= share * (total ?? 0)) stop.abort();
    },
  });
  await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
  expect(await target.vectors.tables()).toEqual([]);
  expect(readdirSync(target.folder, { recursive: true }).filter((path) => String(path).endsWith(".lance"))).toEqual([]);
  expect(await target.store.check()).toMatchObject({ ok: true });
  expect(await target.store.import(inPieces(archive))).toMatchObject({ documents: 40, missing: 0 });
  expect((await target.store.search({ text: "kilns", mode: "vector", k: 50 })).hits).toHaveLength(40);
});

test("an import whose process ended before its end leaves no Lance table when the store is opened again", async () => {
  const source = await open("flat", new TestEmbedder());
  await source.store.ingest(
    Array.from({ length: 40 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nKilns ${n}.` })),
    { embed: "wait" },
  );
  const archive = await archiveOf(source.store);
  const target = await open("lance", new TestEmbedder());
  const { path: copy, remove } = temporaryFolder();
  onTestFinished(remove);
  // What a process leaves that ends here: all vectors are in, and the import is not at its end.
  await target.store.import(inPieces(archive), {
    onProgress: ({ phase, done, total }) => {
      if (phase === "write" && done === total) cpSync(target.folder, copy, { recursive: true });
    },
  });
  const tablesIn = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".lance"));
  expect(tablesIn(copy).length).toBeGreaterThan(0);
  const vectors = (db: SqlDatabase): AnyVectorStore => ENGINES["lance"]!(db, copy);
  await using again = await openEmbeddingStore({ path: join(copy, "lodestore.db"), vectors });
  expect((await again.store.openReport()).rebuilt).toEqual([
    "store: an import that did not come to its end was undone",
  ]);
  expect(await again.vectors.tables()).toEqual([]);
  expect(tablesIn(copy)).toEqual([]);
  expect(await again.store.import(inPieces(archive))).toMatchObject({ documents: 40, missing: 0 });
});

test("an import takes turns with a sweep of the same store, which takes nothing of it for left behind", async () => {
  const source = await open("flat", new TestEmbedder());
  await source.store.ingest(
    Array.from({ length: 1200 }, (_, n) => ({ path: `${n}.md`, content: `# Note ${n}\n\nKilns ${n}.` })),
    { embed: "wait" },
  );
  const { store, db } = await open("lance", new TestEmbedder());
  const archive = await archiveOf(source.store);
  const importing = store.import(inPieces(archive));
  const committed = async (): Promise<number> => (await store.stats()).embeddings.committed;
  await expect
    .poll(async () => (await db.all("SELECT 1 FROM embedding_records LIMIT 1")).length, { interval: 1 })
    .toBe(1);
  const sweeping = store.embeddings.sweep({ pendingOlderThanMs: 0 });
  expect(await importing).toMatchObject({ documents: 1200, missing: 0 });
  expect(await sweeping).toMatchObject({ pending: 0, lost: 0, orphans: 0 });
  expect(await committed()).toBe((await source.store.stats()).embeddings.committed);
  expect(await store.check()).toMatchObject({ ok: true });
});
