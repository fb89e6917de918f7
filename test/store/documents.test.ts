import { describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { packBytes } from "../../src/store/compression/packed-bytes.ts";
import { SqlDocumentStore } from "../../src/store/documents/sql-document-store.ts";
import { assetContentHash, embeddingId } from "../../src/store/ids.ts";
import { type SampleDocument, sampleDocument } from "../support/sample-document.ts";
import { sqlDatabases } from "../support/sql-databases.ts";

interface Opened extends AsyncDisposable {
  db: SqlDatabase;
  documents: SqlDocumentStore;
}

async function opened(open: () => Promise<SqlDatabase>): Promise<Opened> {
  const db = await open();
  const documents = new SqlDocumentStore(db, new SqlBlobStore(db));
  return { db, documents, [Symbol.asyncDispose]: () => db.close() };
}

/** Ids of the chunks that the text index finds, sorted. */
async function found(db: SqlDatabase, expression: string): Promise<string[]> {
  const rows = await db.all<{ chunk_id: string }>(
    "SELECT c.chunk_id FROM chunks_fts f JOIN chunks c ON c.chunk_key = f.rowid WHERE chunks_fts MATCH $1 ORDER BY c.chunk_id",
    [expression],
  );
  return rows.map((row) => row.chunk_id);
}

async function indexRowsWithoutChunk(db: SqlDatabase): Promise<number> {
  const row = await db.get<{ n: number }>(
    "SELECT count(*) AS n FROM chunks_fts_docsize WHERE id NOT IN (SELECT chunk_key FROM chunks)",
  );
  return row!.n;
}

async function embed(db: SqlDatabase, sample: SampleDocument, model = "m"): Promise<void> {
  await db.runMany(
    `INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions, created_at, updated_at, status)
     VALUES ($1, $2, $3, $4, '1', 8, 0, 0, 'committed')`,
    sample.chunks.map((chunk) => [
      embeddingId({ chunkId: chunk.id, modelId: model, modelVersion: "1", dimensions: 8 }),
      chunk.id,
      sample.document.id,
      model,
    ]),
  );
}

/** Ids of the chunks whose embeddings have this status, sorted. */
async function embedded(db: SqlDatabase, status: string): Promise<string[]> {
  const rows = await db.all<{ chunk_id: string }>(
    "SELECT DISTINCT chunk_id FROM embedding_records WHERE status = $1 ORDER BY chunk_id",
    [status],
  );
  return rows.map((row) => row.chunk_id);
}

const idsOf = (sample: SampleDocument): string[] => sample.chunks.map((chunk) => chunk.id).sort();

describe.each(sqlDatabases)("documents on $driver", ({ open }) => {
  test("index the text of chunks, the title and the headings above them", async () => {
    await using store = await opened(open);
    const sample = sampleDocument("a.md", "apple\n\nberry", { title: "Orchard" });
    await store.documents.putWhole(sample);
    const [apple, berry] = sample.chunks;
    expect(await found(store.db, "text : apple")).toEqual([apple!.id]);
    expect(await found(store.db, "heading : orchard")).toEqual(idsOf(sample));
    expect(await found(store.db, 'heading : "sample part 1"')).toEqual([berry!.id]);
    const rows = await store.db.all("SELECT heading_text FROM chunks ORDER BY ordinal");
    expect(rows[1]).toEqual({ heading_text: "Orchard > Sample > Part 1" });
  });

  test("do not repeat a title that is the first heading, and leave out what is empty", async () => {
    await using store = await opened(open);
    await store.documents.putWhole(sampleDocument("a.md", "apple", { title: "Sample" }));
    await store.documents.putWhole(sampleDocument("b.md", "berry", { title: "" }));
    const rows = await store.db.all("SELECT DISTINCT heading_text FROM chunks");
    expect(rows).toEqual([{ heading_text: "Sample > Part 0" }]);
  });

  test("are found under a new title at once and no longer under the old, their embeddings untouched", async () => {
    await using store = await opened(open);
    const sample = sampleDocument("a.md", "apple\n\nberry", { title: "Orchard" });
    await store.documents.putWhole(sample);
    await embed(store.db, sample);
    await store.documents.putDocument({ ...sample.document, title: "Meadow" });
    expect(await found(store.db, "heading : orchard")).toEqual([]);
    expect(await found(store.db, "heading : meadow")).toEqual(idsOf(sample));
    await store.documents.putWhole({ ...sample, document: { ...sample.document, title: "Field" } });
    expect(await found(store.db, "heading : field")).toEqual(idsOf(sample));
    expect(await embedded(store.db, "committed")).toEqual(idsOf(sample));
  });

  test.each([
    ["deleted", (store: Opened, old: SampleDocument) => store.documents.deleteDocument(old.document.id)],
    ["purged", (store: Opened) => store.documents.purgeOrphanAtWorkspacePath("a.md")],
    ["replaced", (store: Opened) => store.documents.putWhole(sampleDocument("a.md", "cherry"))],
    ["emptied", (store: Opened, old: SampleDocument) => store.documents.putChunks(old.document.id, [])],
  ])("leave tombstones for every embedding and no index row when they are %s", async (_, remove) => {
    await using store = await opened(open);
    const old = sampleDocument("a.md", "apple\n\nberry");
    const other = sampleDocument("b.md", "apple");
    await store.documents.putWhole(old);
    await store.documents.putWhole(other);
    await embed(store.db, old);
    await embed(store.db, old, "second model");
    await embed(store.db, other);
    await remove(store, old);
    expect(await embedded(store.db, "tombstone")).toEqual(idsOf(old));
    expect(await embedded(store.db, "committed")).toEqual(idsOf(other));
    expect(await store.db.get("SELECT count(*) AS n FROM embedding_records")).toEqual({ n: 5 });
    expect(await indexRowsWithoutChunk(store.db)).toBe(0);
    expect(await found(store.db, "apple")).toEqual(idsOf(other));
    expect(await store.db.all("PRAGMA foreign_key_check")).toEqual([]);
  });

  test("keep row, index and embedding of the chunks that stay when others are replaced", async () => {
    await using store = await opened(open);
    const sample = sampleDocument("a.md", "apple\n\nberry\n\ncherry");
    await store.documents.putWhole(sample);
    await embed(store.db, sample);
    const keyOf = (id: string) => store.db.get("SELECT chunk_key FROM chunks WHERE chunk_id = $1", [id]);
    const [apple, berry, cherry] = sample.chunks;
    const before = await keyOf(apple!.id);
    await store.documents.putChunks(sample.document.id, [apple!, { ...berry!, text: "banana" }]);
    expect(await keyOf(apple!.id)).toEqual(before);
    expect(await embedded(store.db, "committed")).toEqual([apple!.id]);
    expect(await embedded(store.db, "tombstone")).toEqual([berry!.id, cherry!.id].sort());
    expect(await found(store.db, "berry OR cherry")).toEqual([]);
    expect(await found(store.db, "banana")).toEqual([berry!.id]);
  });

  test("keep their bytes under their content hash, once for two documents, and drop them with the last", async () => {
    await using store = await opened(open);
    const [one, two] = [sampleDocument("a.md", "apple"), sampleDocument("b.md", "apple")];
    await store.documents.putWhole(one);
    await store.documents.putWhole(two);
    const blobs = new SqlBlobStore(store.db);
    expect(await blobs.list("")).toEqual([`_assets/${assetContentHash(one.bytes)}`]);
    await store.documents.putWhole(sampleDocument("a.md", "berry"));
    expect(await blobs.list("")).toHaveLength(2);
    await store.documents.purgeOrphanAtWorkspacePath("b.md");
    expect(await blobs.list("")).toEqual([`_assets/${assetContentHash(new TextEncoder().encode("berry"))}`]);
    expect(await store.db.get("SELECT count(*) AS n FROM assets")).toEqual({ n: 1 });
  });

  test("say CORRUPT when bytes that were kept are gone", async () => {
    await using store = await opened(open);
    const { assetId } = await store.documents.putWhole(sampleDocument("a.md", "apple"));
    await store.db.run("DELETE FROM blobs");
    await expect(store.documents.getAssetBytes(assetId)).rejects.toMatchObject({
      code: "CORRUPT",
      cause: { code: "NOT_FOUND" },
    });
  });

  test("find everything again after the text index is rebuilt from damage", async () => {
    await using store = await opened(open);
    const sample = sampleDocument("a.md", "apple\n\nberry");
    await store.documents.putWhole(sample);
    await store.documents.putWhole(sampleDocument("b.md", "cherry"));
    await store.db.run("DELETE FROM chunks_fts WHERE rowid = (SELECT min(chunk_key) FROM chunks)");
    await store.db.run("INSERT INTO chunks_fts (rowid, heading, text, forms) VALUES (999, 'apple', 'apple', '')");
    expect(await found(store.db, "apple")).toEqual([]);
    await store.documents.rebuildChunksFts();
    expect(await found(store.db, "apple")).toEqual([sample.chunks[0]!.id]);
    expect(await found(store.db, "berry OR cherry")).toHaveLength(2);
    expect(await indexRowsWithoutChunk(store.db)).toBe(0);
    await store.db.run("INSERT INTO chunks_fts (chunks_fts) VALUES ('integrity-check')");
  });

  test("share one transaction, each in a savepoint of its own: one that fails harms no other", async () => {
    await using store = await opened(open);
    const samples = ["apple", "berry", "cherry"].map((word) => sampleDocument(`${word}.md`, word));
    const bad = sampleDocument("bad.md", "plum");
    const stolen = { ...bad, chunks: [{ ...bad.chunks[0]!, id: samples[0]!.chunks[0]!.id }] };
    await store.db.transaction(async (tx) => {
      const documents = store.documents.over(tx);
      await documents.putWhole(samples[0]!);
      await expect(documents.putWhole(stolen)).rejects.toMatchObject({ code: "CONFLICT" });
      await documents.putHashed({
        ...samples[1]!,
        contentHash: assetContentHash(samples[1]!.bytes),
        packed: await packBytes(samples[1]!.bytes, "text/markdown"),
      });
      await documents.putWhole(samples[2]!);
      expect(await documents.countDocuments()).toBe(3);
    });
    expect(await store.documents.allWorkspacePaths()).toEqual(["apple.md", "berry.md", "cherry.md"]);
    expect(await new SqlBlobStore(store.db).list("")).toHaveLength(3);
    expect(await found(store.db, "plum")).toEqual([]);
    expect(await store.documents.corpusRevision()).toBe(3);
  });

  test("are gone without a trace when the transaction around them is undone", async () => {
    await using store = await opened(open);
    const kept = sampleDocument("kept.md", "apple");
    await store.documents.putWhole(kept);
    await embed(store.db, kept);
    const undone = store.db.transaction(async (tx) => {
      await store.documents.over(tx).putWhole(sampleDocument("gone.md", "berry"));
      await store.documents.over(tx).deleteDocument(kept.document.id);
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    expect(await store.documents.allWorkspacePaths()).toEqual(["kept.md"]);
    expect(await store.documents.getAssetBytes(kept.document.assetId)).toEqual(kept.bytes);
    expect(await found(store.db, "apple OR berry")).toEqual(idsOf(kept));
    expect(await embedded(store.db, "committed")).toEqual(idsOf(kept));
    expect(await store.documents.corpusRevision()).toBe(1);
  });

  test("refuse a content hash that is not that of the asset id", async () => {
    await using store = await opened(open);
    const sample = sampleDocument("a.md", "apple");
    const packed = await packBytes(sample.bytes, "text/markdown");
    const wrong = store.documents.putHashed({ ...sample, packed, contentHash: "0".repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("assetId") });
    const noHash = store.documents.putHashed({ ...sample, packed, contentHash: "x" });
    await expect(noHash).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("contentHash"),
    });
  });

  test("say CLOSED after the database is closed", async () => {
    const store = await opened(open);
    await store.db.close();
    const refusal = { code: "CLOSED" };
    await expect(store.documents.putWhole(sampleDocument("a.md", "apple"))).rejects.toMatchObject(refusal);
    await expect(store.documents.listDocuments()).rejects.toMatchObject(refusal);
  });
});
