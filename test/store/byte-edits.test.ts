import { expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { type EmbeddingStore, openEmbeddingStore } from "../support/open-embedding-store.ts";
import { TestEmbedder } from "../support/test-embedder.ts";
import { flatVectors } from "../support/vector-stores.ts";

const A = "# Kiln\n\nThe kiln burns.\n";
const B = "# Glaze\n\nThe glaze melts.\n";

async function open(): Promise<EmbeddingStore & { embedder: TestEmbedder }> {
  const embedder = new TestEmbedder();
  return { ...(await openEmbeddingStore({ vectors: flatVectors, embedder })), embedder };
}

/** What there is of everything that a file becomes. */
async function held(db: SqlDatabase): Promise<Record<string, number>> {
  const row = await db.get<Record<string, number>>(
    `SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM assets) AS assets,
       (SELECT count(*) FROM blobs) AS blobs, (SELECT count(*) FROM chunks) AS chunks,
       (SELECT count(*) FROM chunks_fts_docsize) AS indexed,
       (SELECT count(*) FROM embedding_records WHERE status = 'committed') AS committed,
       (SELECT count(*) FROM chunk_embeddings_test_16) AS vectors`,
  );
  return row ?? {};
}

/** The paths at which a search by words, and one by meaning, find something. */
async function found(store: Store, text: string): Promise<string[][]> {
  const paths: string[][] = [];
  for (const mode of ["lexical", "vector"] as const) {
    const { hits } = await store.search({ text, mode, k: 10 });
    paths.push(hits.map(({ citation }) => citation.workspacePath).sort());
  }
  return paths;
}

async function put(store: Store, path: string, content: string): Promise<string[]> {
  await store.ingest({ path, content });
  await store.embeddings.run();
  await store.embeddings.sweep({ pendingOlderThanMs: 0 });
  return store.documents.staleChunkIdsAt(path);
}

const ONE = { documents: 1, assets: 1, blobs: 1, chunks: 1, indexed: 1, committed: 1, vectors: 1 };
const TWO_OF_ONE_BLOB = { documents: 2, assets: 1, blobs: 1, chunks: 2, indexed: 2, committed: 2, vectors: 2 };

test("equal bytes at two paths are two documents over one blob; either may go, and the other stays whole", async () => {
  await using opened = await open();
  const { store, db } = opened;
  const [first] = await put(store, "a.md", A);
  const [second] = await put(store, "b.md", A);
  expect(first).not.toBe(second);
  expect(await held(db)).toEqual(TWO_OF_ONE_BLOB);
  expect(await found(store, "kiln")).toEqual([
    ["a.md", "b.md"],
    ["a.md", "b.md"],
  ]);
  expect(await store.documents.purgeOrphanAtWorkspacePath("a.md")).toEqual([first]);
  // The vector goes with the record that became a tombstone; the sweep drops that.
  expect(await held(db)).toEqual(ONE);
  await store.embeddings.sweep({ pendingOlderThanMs: 0 });
  expect(await db.all("SELECT chunk_id FROM embedding_records")).toEqual([{ chunk_id: second }]);
  expect(await found(store, "kiln")).toEqual([["b.md"], ["b.md"]]);
  const asset = await store.documents.getAssetByWorkspacePath("b.md");
  expect(new TextDecoder().decode(await store.documents.getAssetBytes(asset?.id ?? ""))).toBe(A);
  await put(store, "b.md", B);
  expect(await held(db)).toEqual(ONE);
  expect(await store.check()).toMatchObject({ ok: true });
});

test("a path whose bytes go from A to B to A has the chunk of before again, under a new key, and nothing of B", async () => {
  await using opened = await open();
  const { store, db, embedder } = opened;
  const key = async (): Promise<unknown> => (await db.get<{ k: number }>("SELECT chunk_key AS k FROM chunks"))?.k;
  const [first] = await put(store, "a.md", A);
  const firstKey = await key();
  const [other] = await put(store, "a.md", B);
  expect(await held(db)).toEqual(ONE);
  const [again] = await put(store, "a.md", A);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  // A search that read keys before must not take this chunk for the one it meant.
  expect(await key()).not.toBe(firstKey);
  // The vector went with the chunk; it is made anew.
  expect(embedder.texts).toBe(3);
  expect(await held(db)).toEqual(ONE);
  expect(await found(store, "kiln")).toEqual([["a.md"], ["a.md"]]);
  expect(await found(store, "glaze")).toEqual([[], ["a.md"]]);
  expect(await store.check()).toMatchObject({ ok: true });
});

test("bytes that come back before anything was swept revive their record, and the vector is made anew", async () => {
  await using opened = await open();
  const { store, db, embedder } = opened;
  const [first] = await put(store, "a.md", A);
  await store.ingest({ path: "a.md", content: B }, { embed: "off" });
  await store.ingest({ path: "a.md", content: A }, { embed: "off" });
  expect(await db.all("SELECT chunk_id, status FROM embedding_records")).toEqual([
    { chunk_id: first, status: "tombstone" },
  ]);
  expect(await found(store, "kiln")).toEqual([["a.md"], []]);
  const { texts } = embedder;
  await store.embeddings.run();
  expect(embedder.texts).toBe(texts + 1);
  expect(await held(db)).toEqual(ONE);
  expect(await found(store, "kiln")).toEqual([["a.md"], ["a.md"]]);
});

test("a rename keeps the asset and its bytes; chunk and embedding belong to the path, and are made anew", async () => {
  await using opened = await open();
  const { store, db, embedder } = opened;
  const [first] = await put(store, "a.md", A);
  const blob = "SELECT rowid AS row, blob_key FROM blobs";
  const before = await db.all(blob);
  expect(await store.ingest([{ path: "b.md", content: A }], { sweep: { prefix: "" } })).toMatchObject({
    added: 1,
    removed: 1,
  });
  await store.embeddings.run();
  await store.embeddings.sweep({ pendingOlderThanMs: 0 });
  expect(await db.all(blob)).toEqual(before);
  expect(await store.documents.staleChunkIdsAt("a.md")).toEqual([]);
  expect(await store.documents.staleChunkIdsAt("b.md")).not.toEqual([first]);
  expect(embedder.texts).toBe(2);
  expect(await held(db)).toEqual(ONE);
  expect(await found(store, "kiln")).toEqual([["b.md"], ["b.md"]]);
  expect(await store.check()).toMatchObject({ ok: true });
});
