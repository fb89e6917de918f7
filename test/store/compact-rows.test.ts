import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { builtKernel as kernel } from "../wasm/built-kernel.ts";
import { archiveOf, inPieces } from "../support/archives.ts";
import { makeEarlierRelease } from "../support/earlier-release.ts";
import { TestEmbedder } from "../support/test-embedder.ts";

interface Opened {
  store: Store;
  db: SqlDatabase;
  vectors: FlatVectorStore;
}

async function open(path: string, options: { plain?: boolean } = {}): Promise<Opened> {
  const db = await openSqlNode({ path, functions: storeFunctions });
  const storedAs = options.plain === true ? "f32" : "i16";
  const vectors = new FlatVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId, storedAs });
  const store = await createStore({
    db,
    blobs: new SqlBlobStore(db),
    vectors,
    embedder: new TestEmbedder(),
    embedOnOpen: false,
    ...(options.plain === true ? { storageStyle: "plain" } : {}),
  });
  onTestFinished(() => store.close());
  return { store, db, vectors };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lodestore-compact-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const FILES = Array.from({ length: 30 }, (_, n) => ({
  path: `${n}.md`,
  content: `# Note ${n}\n\nKilns and glaze ${n}.\n\n## Ash\n\n${"It melts well. ".repeat(20)}Ash of ${n}.\n\n${"x ".repeat(n * 300)}\n`,
}));

/** All that a store says of its documents and to some questions. */
async function answers({ store }: Opened): Promise<unknown> {
  const { items } = await store.documents.listDocuments(undefined, { limit: 100 });
  const documents = [];
  for (const { id, assetId, ingestedAt: _, ...document } of items) {
    const text = new TextDecoder().decode(await store.documents.getAssetBytes(assetId));
    const blocks = await store.documents.getBlocks(id);
    documents.push({ id, document, text, blocks, chunks: await store.documents.getChunksOf(id) });
  }
  const found = [];
  for (const mode of ["lexical", "vector", "hybrid"] as const) {
    const { hits } = await store.search({ text: "glaze ash", mode, k: 20 });
    found.push(hits.map(({ chunkId, score }) => ({ chunkId, score: Number(score.toFixed(4)) })));
  }
  return { documents, found };
}

describe("the rows of a compact store", () => {
  test("hold source bytes packed, ids as bytes, headings once, and vectors as 16-bit integers", async () => {
    const { store, db } = await open(":memory:");
    await store.ingest([...FILES, { path: "short.md", content: "# Hi" }], { embed: "wait" });
    const codecs = await db.all("SELECT codec, count(*) AS n FROM assets GROUP BY codec ORDER BY codec");
    expect(codecs).toEqual([
      { codec: "gzip", n: 30 },
      { codec: "none", n: 1 },
    ]);
    expect(
      await db.get(
        "SELECT sum(b.byte_length) * 2 < sum(a.byte_length) AS less FROM assets a JOIN blobs b USING (blob_key)",
      ),
    ).toEqual({ less: 1 });
    const ids = await db.all("SELECT DISTINCT typeof(block_id) AS kind, length(block_id) AS bytes FROM blocks");
    expect(ids).toEqual([{ kind: "blob", bytes: 16 }]);
    const lists = await db.all("SELECT DISTINCT typeof(block_ids) AS kind FROM chunks ORDER BY 1");
    // Parts of a block that had to be cut have names that are no ids.
    expect(lists).toEqual([{ kind: "blob" }, { kind: "text" }]);
    expect(
      (await db.get<{ n: number }>("SELECT count(*) AS n FROM blocks WHERE heading_path = '[0]'"))?.n,
    ).toBeGreaterThan(30);
    expect(await db.get("SELECT encoding FROM vector_tables")).toEqual({ encoding: "i16" });
    expect(await db.all("SELECT DISTINCT length(vector) AS bytes FROM chunk_embeddings_test_16")).toEqual([
      { bytes: 36 },
    ]);
  });

  test("say the same as those of a plain one", async () => {
    const compact = await open(":memory:");
    const plain = await open(":memory:", { plain: true });
    for (const { store } of [compact, plain]) await store.ingest(FILES, { embed: "wait" });
    expect(await plain.db.all("SELECT DISTINCT codec FROM assets")).toEqual([{ codec: "none" }]);
    expect(await plain.db.all("SELECT DISTINCT typeof(block_id) AS a FROM blocks")).toEqual([{ a: "text" }]);
    expect(await plain.db.all("SELECT DISTINCT typeof(block_ids) AS a FROM chunks")).toEqual([{ a: "text" }]);
    expect(await plain.db.get("SELECT count(*) AS n FROM blocks WHERE heading_path = '[0]'")).toEqual({ n: 0 });
    expect(await answers(compact)).toEqual(await answers(plain));
  });

  test("are bounded in what they unpack to, and CORRUPT where they are damaged", async () => {
    const { store, db } = await open(":memory:");
    await store.ingest(FILES.slice(20, 21));
    const [document] = (await store.documents.listDocuments()).items;
    const bytes = (): Promise<Uint8Array> => store.documents.getAssetBytes(document!.assetId);
    const good = await bytes();
    const put = (packed: Uint8Array): Promise<unknown> =>
      db.run("UPDATE blobs SET bytes = $1, byte_length = $2", [packed, packed.byteLength]);
    for (const packed of [
      new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024))),
      new Uint8Array(gzipSync(good.subarray(1))),
      new Uint8Array(gzipSync(good)).fill(7, 30, 40),
      good,
      new Uint8Array(0),
    ]) {
      await put(packed);
      await expect(bytes()).rejects.toMatchObject({ code: "CORRUPT" });
    }
    await put(new Uint8Array(gzipSync(good)));
    expect(Buffer.from(await bytes()).equals(good)).toBe(true);
    await db.run("UPDATE assets SET codec = 'other'");
    await expect(bytes()).rejects.toMatchObject({ code: "CORRUPT" });
    await db.run("UPDATE assets SET codec = 'gzip'");
    await db.run("UPDATE blocks SET heading_path = '[0]'");
    await expect(store.documents.getBlocks(document!.id)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("are right again when bytes that were lost come back in another way", async () => {
    const path = join(folder(), "lodestore.db");
    const before = await open(path, { plain: true });
    await before.store.ingest(FILES.slice(20, 21));
    await before.db.run("DELETE FROM blobs");
    await before.store.close();
    const { store, db } = await open(path);
    await store.ingest(FILES.slice(20, 21));
    expect(await db.get("SELECT codec FROM assets")).toEqual({ codec: "gzip" });
    const [document] = (await store.documents.listDocuments()).items;
    expect(new TextDecoder().decode(await store.documents.getAssetBytes(document!.assetId))).toBe(FILES[20]!.content);
    expect(await store.check()).toMatchObject({ ok: true });
  });
});

describe("a store of the schema before", () => {
  const BEFORE = 8;

  async function earlier(dir: string): Promise<{ path: string; was: unknown }> {
    const [plain, path] = [join(dir, "plain.db"), join(dir, "earlier.db")];
    const source = await open(plain, { plain: true });
    await source.store.ingest(FILES, { embed: "wait" });
    const was = await answers(source);
    await source.store.close();
    await makeEarlierRelease(path, plain, BEFORE);
    return { path, was };
  }

  test("opens, answers the same, and keeps its table of 32-bit floats", async () => {
    const { path, was } = await earlier(folder());
    const opened = await open(path);
    const { store, db, vectors } = opened;
    expect((await store.openReport()).migrations).toEqual(migrations.slice(BEFORE).map(({ name }) => name));
    expect(await answers(opened)).toEqual(was);
    expect(await store.check()).toMatchObject({ ok: true });
    const [table] = await vectors.tables();
    const record = { embeddingId: "e".repeat(32), chunkId: "", documentId: "d".repeat(32), modelVersion: "1" };
    const row = await db.get<{ id: string }>("SELECT chunk_id AS id FROM chunks ORDER BY chunk_key LIMIT 1");
    const vector = Float32Array.from({ length: 16 }, (_, at) => Math.fround(Math.sqrt(at + 1)));
    await vectors.upsert(table!.indexId, [{ ...record, chunkId: row!.id, vector }]);
    expect(await vectors.vectorsOf(table!.indexId, [record.embeddingId])).toEqual([vector]);
    expect(await db.get("SELECT encoding FROM vector_tables")).toEqual({ encoding: "f32" });
  });

  test("takes documents in beside those it has, and changed ones in their place", async () => {
    const { path } = await earlier(folder());
    const { store, db } = await open(path);
    const again = await store.ingest(FILES);
    expect(again).toMatchObject({ skipped: FILES.length, added: 0, updated: 0 });
    const changed = { path: "3.md", content: `${FILES[3]!.content}\n\nAnd more.\n` };
    expect(await store.ingest([changed, { path: "new.md", content: FILES[29]!.content }])).toMatchObject({
      added: 1,
      updated: 1,
    });
    // The new path has the bytes of one that is there: they stay as they are.
    expect(await db.all("SELECT codec, count(*) AS n FROM assets GROUP BY codec ORDER BY codec")).toEqual([
      { codec: "gzip", n: 1 },
      { codec: "none", n: FILES.length - 1 },
    ]);
    for (const { id } of (await store.documents.listDocuments(undefined, { limit: 100 })).items) {
      const [blocks, chunks] = [await store.documents.getBlocks(id), await store.documents.getChunksOf(id)];
      const ids = new Set(blocks.map((block) => block.id));
      expect(chunks.every((chunk) => chunk.blockIds.every((one) => ids.has(one.split("/")[0] as string)))).toBe(true);
    }
    expect(await store.check()).toMatchObject({ ok: true });
  });

  test("is carried by an archive into one of now, and one of now into another", async () => {
    const { path, was } = await earlier(folder());
    const source = await open(path);
    const middle = await open(":memory:");
    await middle.store.import(inPieces(await archiveOf(source.store)));
    expect(await answers(middle)).toEqual(was);
    expect(await middle.db.get("SELECT encoding FROM vector_tables")).toEqual({ encoding: "i16" });
    // Rows are copied as they are; what is written from now on is compact.
    expect(await middle.db.all("SELECT DISTINCT codec FROM assets")).toEqual([{ codec: "none" }]);
    const compact = await open(":memory:");
    await compact.store.ingest(FILES, { embed: "wait" });
    const target = await open(":memory:", { plain: true });
    await target.store.import(inPieces(await archiveOf(compact.store)));
    expect(await answers(target)).toEqual(was);
    expect(await target.db.get("SELECT encoding FROM vector_tables")).toEqual({ encoding: "f32" });
    expect(await target.store.check()).toMatchObject({ ok: true });
  });
});
