import { expect, test } from "vitest";
import type { DocumentStore } from "../../../src/contracts/documents.ts";
import { assetContentHash } from "../../../src/store/ids.ts";
import { sampleDocument } from "../../support/sample-document.ts";

/** What a write leaves, and that it leaves all of it or nothing. */
export function documentWritingCases(documents: () => DocumentStore): void {
  const revision = (): Promise<number> => documents().corpusRevision();

  test("puts a whole document and returns it with the time it was taken in", async () => {
    const sample = sampleDocument("notes/a.md", "One.\n\nTwo.", {
      tags: ["b", "a", "b"],
      metadata: { draft: true, n: [1, null] },
    });
    const before = Date.now();
    const put = await documents().putWhole(sample);
    expect(put).toEqual({ ...sample.document, tags: ["a", "b"], ingestedAt: expect.any(Number) });
    expect(put.ingestedAt).toBeGreaterThanOrEqual(before);
    expect(await documents().getDocument(put.id)).toEqual(put);
    expect(await documents().getBlocks(put.id)).toEqual(sample.blocks);
    expect(await documents().getChunksOf(put.id)).toEqual(sample.chunks);
    expect(await documents().getAssetBytes(put.assetId)).toEqual(sample.bytes);
  });

  test("puts the same document step by step", async () => {
    const sample = sampleDocument("notes/a.md", "One.\n\nTwo.", { ingestedAt: 7 });
    const asset = await documents().putAssetWithBytes({ bytes: sample.bytes, mediaType: "text/markdown" });
    expect(asset).toEqual({
      id: sample.document.assetId,
      contentHash: assetContentHash(sample.bytes),
      byteLength: sample.bytes.byteLength,
      mediaType: "text/markdown",
      createdAt: expect.any(Number),
      deduplicated: false,
    });
    const put = await documents().putDocument(sample.document);
    await documents().putBlocks(put.id, sample.blocks);
    await documents().putChunks(put.id, sample.chunks);
    expect(await documents().putWhole(sample)).toEqual(put);
    expect(put.ingestedAt).toBe(7);
  });

  test("changes nothing when the same is put again, and leaves the corpus revision", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.", { tags: ["x"], metadata: { a: 1, b: { c: 2, d: 3 } } });
    const first = await documents().putWhole(sample);
    const at = await revision();
    const reordered = { ...sample.document, tags: ["x", "x"], metadata: { b: { d: 3, c: 2 }, a: 1 } };
    expect(await documents().putWhole({ ...sample, document: reordered })).toEqual(first);
    expect(await documents().putDocument(sample.document)).toEqual(first);
    await documents().putBlocks(first.id, sample.blocks);
    await documents().putChunks(first.id, sample.chunks);
    await documents().putAssetWithBytes({ bytes: sample.bytes, mediaType: "text/plain" });
    await documents().rebuildChunksFts();
    expect(await revision()).toBe(at);
    expect((await documents().getAsset(first.assetId))?.mediaType).toBe("text/markdown");
  });

  test("raises the corpus revision by one with every change of searchable content", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.");
    const { document } = sample;
    expect(await revision()).toBe(0);
    await documents().putWhole(sample);
    expect(await revision()).toBe(1);
    await documents().putDocument({ ...document, title: "Other" });
    expect(await revision()).toBe(2);
    await documents().putDocument({ ...document, title: "Other", tags: ["new"] });
    expect(await revision()).toBe(3);
    await documents().putChunks(document.id, sample.chunks.slice(0, 1));
    expect(await revision()).toBe(4);
    await documents().putWhole(sampleDocument("a.md", "Changed."));
    expect(await revision()).toBe(5);
    await documents().purgeOrphanAtWorkspacePath("a.md");
    expect(await revision()).toBe(6);
    expect(await documents().bumpCorpusRevision()).toBe(7);
    expect(await documents().deleteDocument(document.id)).toBe(false);
    expect(await documents().purgeOrphanAtWorkspacePath("a.md")).toEqual([]);
    expect(await revision()).toBe(7);
  });

  test("keeps the time of a document until something in it changes", async () => {
    const { document, ...rest } = sampleDocument("a.md", "One.");
    await documents().putWhole({ ...rest, document: { ...document, ingestedAt: 1000 } });
    expect((await documents().putDocument(document)).ingestedAt).toBe(1000);
    expect((await documents().putDocument({ ...document, ingestedAt: 2000 })).ingestedAt).toBe(2000);
    expect((await documents().putDocument({ ...document, trust: 1 })).ingestedAt).toBeGreaterThan(2000);
  });

  test("replaces the document at a path that another document is put to", async () => {
    const old = sampleDocument("a.md", "Old one.\n\nOld two.");
    const fresh = sampleDocument("a.md", "New.");
    await documents().putWhole(old);
    await documents().putWhole(fresh);
    expect(await documents().getDocument(old.document.id)).toBeUndefined();
    expect(await documents().getChunk(old.chunks[0]!.id)).toBeUndefined();
    expect(await documents().getBlocks(old.document.id)).toEqual([]);
    expect(await documents().getAsset(old.document.assetId)).toBeUndefined();
    expect((await documents().getDocumentByWorkspacePath("a.md"))?.id).toBe(fresh.document.id);
    expect(await documents().countDocuments()).toBe(1);
  });

  test("keeps the asset when another parser version replaces the document", async () => {
    const old = sampleDocument("a.md", "Text.");
    const fresh = sampleDocument("a.md", "Text.", { parserVersion: "sample-2" });
    await documents().putWhole(old);
    await documents().putWhole(fresh);
    expect(fresh.document.id).not.toBe(old.document.id);
    expect(await documents().getDocument(old.document.id)).toBeUndefined();
    expect(await documents().getAssetBytes(fresh.document.assetId)).toEqual(fresh.bytes);
  });

  test("keeps two documents of equal bytes at two paths, and their asset until both are gone", async () => {
    const one = sampleDocument("a.md", "Same.");
    const two = sampleDocument("b/c.md", "Same.");
    await documents().putWhole(one);
    await documents().putWhole(two);
    expect(one.document.id).not.toBe(two.document.id);
    expect(one.document.assetId).toBe(two.document.assetId);
    expect(await documents().allWorkspacePaths()).toEqual(["a.md", "b/c.md"]);
    expect(await documents().deleteDocument(one.document.id)).toBe(true);
    expect(await documents().getAssetBytes(two.document.assetId)).toEqual(two.bytes);
    expect(await documents().getAssetByWorkspacePath("b/c.md")).toMatchObject({ id: two.document.assetId });
    expect(await documents().deleteDocument(two.document.id)).toBe(true);
    expect(await documents().getAsset(two.document.assetId)).toBeUndefined();
    await expect(documents().getAssetBytes(two.document.assetId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("takes the bytes up again after they went with their last document", async () => {
    const sample = sampleDocument("a.md", "Text.");
    await documents().putWhole(sample);
    await documents().deleteDocument(sample.document.id);
    await documents().putWhole(sample);
    expect(await documents().getAssetBytes(sample.document.assetId)).toEqual(sample.bytes);
    expect(await documents().getChunksOf(sample.document.id)).toEqual(sample.chunks);
  });

  test("names the chunks that go, when a path is purged and before", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.\n\nThree.");
    const ids = sample.chunks.map((chunk) => chunk.id);
    await documents().putWhole(sample);
    expect(await documents().staleChunkIdsAt("a.md")).toEqual(ids);
    expect(await documents().staleChunkIdsAt("b.md")).toEqual([]);
    expect(await documents().purgeOrphanAtWorkspacePath("a.md")).toEqual(ids);
    expect(await documents().staleChunkIdsAt("a.md")).toEqual([]);
    expect(await documents().getDocumentByWorkspacePath("a.md")).toBeUndefined();
  });

  test("replaces chunks: those that are gone go, those that changed change", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.\n\nThree.");
    await documents().putWhole(sample);
    const [one, two, three] = sample.chunks;
    const next = [
      { ...three!, ordinal: 0 },
      { ...one!, ordinal: 1, text: "Uno." },
    ];
    await documents().putChunks(sample.document.id, next);
    expect(await documents().getChunksOf(sample.document.id)).toEqual(next);
    expect(await documents().getChunk(two!.id)).toBeUndefined();
    await documents().putChunks(sample.document.id, []);
    expect(await documents().getChunksOf(sample.document.id)).toEqual([]);
  });

  test("replaces blocks", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.");
    await documents().putWhole(sample);
    const next = [{ ...sample.blocks[1]!, ordinal: 0, kind: "heading" as const }];
    await documents().putBlocks(sample.document.id, next);
    expect(await documents().getBlocks(sample.document.id)).toEqual(next);
  });

  test("puts a document of many and of long chunks", async () => {
    const many = sampleDocument("many.md", Array.from({ length: 2500 }, (_, n) => `Paragraph ${n}.`).join("\n\n"));
    await documents().putWhole(many);
    expect(await documents().getChunksOf(many.document.id)).toEqual(many.chunks);
    const long = sampleDocument("long.md", `${"word ".repeat(100_000)}\n\n${"wort ".repeat(150_000)}\n\nend`);
    await documents().putWhole(long);
    expect((await documents().getChunksOf(long.document.id)).map((chunk) => chunk.text.length)).toEqual([
      500_000, 750_000, 3,
    ]);
  });

  test("keeps nothing of a document whose chunks cannot be stored", async () => {
    const first = sampleDocument("a.md", "One.");
    const second = sampleDocument("b.md", "Two.");
    await documents().putWhole(first);
    const stolen = { ...second, chunks: [{ ...second.chunks[0]!, id: first.chunks[0]!.id }] };
    await expect(documents().putWhole(stolen)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await documents().getDocument(second.document.id)).toBeUndefined();
    expect(await documents().getAsset(second.document.assetId)).toBeUndefined();
    expect(await documents().getBlocks(second.document.id)).toEqual([]);
    expect(await documents().getChunksOf(first.document.id)).toEqual(first.chunks);
    expect(await revision()).toBe(1);
  });

  test("keeps the old document whole when the new one at its path cannot be stored", async () => {
    const other = sampleDocument("other.md", "Other.");
    const old = sampleDocument("a.md", "Old.");
    const fresh = sampleDocument("a.md", "New.");
    const put = [await documents().putWhole(other), await documents().putWhole(old)];
    const stolen = { ...fresh, chunks: [{ ...fresh.chunks[0]!, id: other.chunks[0]!.id }] };
    await expect(documents().putWhole(stolen)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await documents().getDocumentByWorkspacePath("a.md")).toEqual(put[1]);
    expect(await documents().getChunksOf(old.document.id)).toEqual(old.chunks);
    expect(await documents().getAssetBytes(old.document.assetId)).toEqual(old.bytes);
  });

  test("moves a document whose id is put at another path", async () => {
    const sample = sampleDocument("a.md", "One.");
    await documents().putWhole(sample);
    await documents().putWhole(sampleDocument("b.md", "Two."));
    await documents().putDocument({ ...sample.document, workspacePath: "b.md" });
    expect(await documents().allWorkspacePaths()).toEqual(["b.md"]);
    expect(await documents().getChunksOf(sample.document.id)).toEqual(sample.chunks);
  });

  test("keeps writes that are made at once apart", async () => {
    const samples = Array.from({ length: 20 }, (_, n) => sampleDocument(`${n}.md`, `Text ${n}.\n\nMore.`));
    await Promise.all(samples.map((sample) => documents().putWhole(sample)));
    expect(await documents().countDocuments()).toBe(20);
    expect(await revision()).toBe(20);
    for (const sample of samples) expect(await documents().getChunksOf(sample.document.id)).toEqual(sample.chunks);
  });
}
