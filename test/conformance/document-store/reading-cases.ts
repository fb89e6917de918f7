import { expect, test } from "vitest";
import type { DocumentStore } from "../../../src/contracts/documents.ts";
import { assetContentHash, assetId } from "../../../src/store/ids.ts";
import { sampleDocument } from "../../support/sample-document.ts";

const UNKNOWN = "0".repeat(32);

/** What is read back, and what reading the absent gives. */
export function documentReadingCases(documents: () => DocumentStore): void {
  test("returns undefined, an empty list or 0 for what is not there", async () => {
    for (const id of [UNKNOWN, "no id at all"]) {
      expect(await documents().getDocument(id)).toBeUndefined();
      expect(await documents().getAsset(id)).toBeUndefined();
      expect(await documents().getChunk(id)).toBeUndefined();
      expect(await documents().getChunks([id])).toEqual([]);
      expect(await documents().getChunksOf(id)).toEqual([]);
      expect(await documents().getBlocks(id)).toEqual([]);
      expect(await documents().deleteDocument(id)).toBe(false);
    }
    expect(await documents().getDocumentByWorkspacePath("a.md")).toBeUndefined();
    expect(await documents().getAssetByWorkspacePath("a.md")).toBeUndefined();
    expect(await documents().listDocuments()).toEqual({ items: [] });
    expect(await documents().countDocuments()).toBe(0);
    expect(await documents().allWorkspacePaths()).toEqual([]);
    expect(await documents().corpusRevision()).toBe(0);
  });

  test("returns chunks in the order of the ids, unknown ones left out and repeated ones repeated", async () => {
    const sample = sampleDocument("a.md", "One.\n\nTwo.\n\nThree.");
    const [one, two, three] = sample.chunks;
    await documents().putWhole(sample);
    const ids = [three!.id, UNKNOWN, one!.id, two!.id, three!.id];
    expect(await documents().getChunks(ids)).toEqual([three, one, two, three]);
    expect(await documents().getChunks([])).toEqual([]);
    expect(await documents().getChunk(two!.id)).toEqual(two);
  });

  test("takes 1000 chunk ids and no more", async () => {
    const sample = sampleDocument("a.md", Array.from({ length: 1000 }, (_, n) => `Part ${n}.`).join("\n\n"));
    await documents().putWhole(sample);
    const ids = sample.chunks.map((chunk) => chunk.id).toReversed();
    expect((await documents().getChunks(ids)).map((chunk) => chunk.id)).toEqual(ids);
    await expect(documents().getChunks([...ids, UNKNOWN])).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("returns texts of every script as they were put", async () => {
    const text = "数据库 한국어 हिन्दी العربية 👩‍👩‍👧 \u{10ffff} \" \\ ' $1 \t\u2028 \u0001 é e\u0301";
    const sample = sampleDocument("Ünïcode/数据 😀 \\ 'x'.md", `${text}\n\n${text} again`, {
      title: text,
      tags: [text, "ÿ", "z", "\u{1f600}", "\ufffd"],
      sourceType: text,
      metadata: { [text]: [text, { "": "\0" }] },
    });
    const put = await documents().putWhole(sample);
    expect(await documents().getDocumentByWorkspacePath(sample.document.workspacePath)).toEqual(put);
    expect(put).toMatchObject({
      title: text,
      metadata: sample.document.metadata,
      tags: sample.document.tags.toSorted(),
    });
    expect(await documents().getChunksOf(put.id)).toEqual(sample.chunks);
  });

  test("returns empty titles, headings and texts, and numbers at their limits", async () => {
    const sample = sampleDocument("a.md", "x", { title: "", trust: 1, lang: null, ingestedAt: 8_640_000_000_000_000 });
    const chunk = { ...sample.chunks[0]!, text: "", headingPath: ["", "b"], blockIds: [], tokenCount: 0 };
    const put = await documents().putWhole({ ...sample, chunks: [chunk] });
    expect(put).toEqual({ ...sample.document, tags: [] });
    expect(await documents().getDocument(put.id)).toEqual(put);
    expect(await documents().getChunksOf(put.id)).toEqual([chunk]);
  });

  test("keeps a document without blocks and chunks, and one without bytes", async () => {
    const put = await documents().putWhole(sampleDocument("empty.md", ""));
    expect(await documents().getAssetBytes(put.assetId)).toEqual(new Uint8Array());
    expect(await documents().getChunksOf(put.id)).toEqual([]);
  });

  test("records an asset whose bytes are elsewhere, and takes the bytes later", async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const contentHash = assetContentHash(bytes);
    const asset = await documents().putAsset({ contentHash, byteLength: 3, mediaType: "application/octet-stream" });
    expect(asset.id).toBe(assetId(contentHash));
    await expect(documents().getAssetBytes(asset.id)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("elsewhere"),
    });
    expect(await documents().putAssetWithBytes({ bytes, mediaType: "application/octet-stream" })).toEqual({
      ...asset,
      deduplicated: false,
    });
    expect(await documents().getAssetBytes(asset.id)).toEqual(bytes);
    expect(await documents().putAsset({ contentHash, byteLength: 3, mediaType: "text/plain" })).toEqual(asset);
    expect(await documents().getAssetBytes(asset.id)).toEqual(bytes);
    const other = documents().putAsset({ contentHash, byteLength: 4, mediaType: "text/plain" });
    await expect(other).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("says NOT_FOUND for the asset or document that a write needs", async () => {
    const { document, blocks, chunks } = sampleDocument("a.md", "One.");
    const refusal = { code: "NOT_FOUND", capability: "documents" };
    await expect(documents().putDocument(document)).rejects.toMatchObject({ ...refusal, operation: "putDocument" });
    await expect(documents().putBlocks(document.id, blocks)).rejects.toMatchObject({
      ...refusal,
      operation: "putBlocks",
    });
    await expect(documents().putChunks(document.id, chunks)).rejects.toMatchObject({
      ...refusal,
      operation: "putChunks",
    });
    await expect(documents().getAssetBytes(UNKNOWN)).rejects.toMatchObject({ ...refusal, operation: "getAssetBytes" });
  });
}
