import { expect, test } from "vitest";
import type { Block, Chunk, DocumentFilter, DocumentStore, NewDocument } from "../../../src/contracts/documents.ts";
import { sampleDocument } from "../../support/sample-document.ts";

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
const circular: Record<string, unknown> = {};
circular["self"] = circular;

const DOCUMENTS: readonly [string, Record<string, unknown>][] = [
  ["document.id", { id: "ABC" }],
  ["document.assetId", { assetId: "0".repeat(31) }],
  ["document.workspacePath", { workspacePath: "" }],
  ["document.workspacePath", { workspacePath: "/a" }],
  ["document.workspacePath", { workspacePath: "a/" }],
  ["document.workspacePath", { workspacePath: "a//b" }],
  ["document.workspacePath", { workspacePath: "./a" }],
  ["document.workspacePath", { workspacePath: "a/../b" }],
  ["document.workspacePath", { workspacePath: "e\u0301.md" }],
  ["document.workspacePath", { workspacePath: "a\0b" }],
  ["document.workspacePath", { workspacePath: "a\ud800" }],
  ["document.workspacePath", { workspacePath: "a".repeat(1025) }],
  ["document.parserVersion", { parserVersion: "" }],
  ["document.title", { title: 5 }],
  ["document.title", { title: "a\0b" }],
  ["document.lang", { lang: "EN" }],
  ["document.lang", { lang: "" }],
  ["document.mediaType", { mediaType: "text/markdown; charset=utf-8" }],
  ["document.sourceType", { sourceType: null }],
  ["document.trust", { trust: 1.01 }],
  ["document.trust", { trust: Number.NaN }],
  ["document.tags", { tags: "tag" }],
  ["document.tags[1]", { tags: ["a", ""] }],
  ["document.metadata", { metadata: null }],
  ["document.metadata", { metadata: [] }],
  ["document.metadata.when", { metadata: { when: new Date() } }],
  ["document.metadata.list[1]", { metadata: { list: [1, Number.POSITIVE_INFINITY] } }],
  ["document.metadata.x", { metadata: { x: undefined } }],
  ["document.metadata", { metadata: { big: "x".repeat(65_536) } }],
  ["document.metadata", { metadata: { big: "é".repeat(33_000) } }],
  ["document.metadata.deep", { metadata: { deep: deep(70) } }],
  ["document.metadata.self", { metadata: circular }],
  ["document.ingestedAt", { ingestedAt: 1.5 }],
  ["document.ingestedAt", { ingestedAt: "2026-01-01" }],
  ['document has an unknown field "titel"', { titel: "typo" }],
];

const BLOCKS: readonly [string, (block: Block) => unknown[]][] = [
  ["blocks", () => "none" as unknown as unknown[]],
  ["blocks[0]", () => [null]],
  ["blocks[0].id", (block) => [{ ...block, id: "x" }]],
  ["blocks[1].id", (block) => [block, { ...block, ordinal: 1 }]],
  ["blocks[0].documentId", (block) => [{ ...block, documentId: "0".repeat(32) }]],
  ["blocks[0].ordinal", (block) => [{ ...block, ordinal: 1 }]],
  ["blocks[0].kind", (block) => [{ ...block, kind: "song" }]],
  ["blocks[0].headingPath[0]", (block) => [{ ...block, headingPath: [1] }]],
  ["blocks[0].span.start", (block) => [{ ...block, span: { kind: "line", start: 0, end: 1 } }]],
  ["blocks[0].span.end", (block) => [{ ...block, span: { kind: "line", start: 5, end: 4 } }]],
  ["blocks[0].span.kind", (block) => [{ ...block, span: { kind: "page", start: 1, end: 1 } }]],
  ["blocks[0] has an unknown field", (block) => [{ ...block, text: "x" }]],
];

const CHUNKS: readonly [string, (chunk: Chunk) => unknown[]][] = [
  ["chunks[0].id", (chunk) => [{ ...chunk, id: chunk.id.toUpperCase() }]],
  ["chunks[0].ordinal", (chunk) => [{ ...chunk, ordinal: -1 }]],
  ["chunks[0].blockIds[0]", (chunk) => [{ ...chunk, blockIds: ["b"] }]],
  ["chunks[0].text", (chunk) => [{ ...chunk, text: "half a pair \udc00" }]],
  ["chunks[0].text", (chunk) => [{ ...chunk, text: undefined }]],
  ["chunks[0].tokenCount", (chunk) => [{ ...chunk, tokenCount: 0.5 }]],
  ["chunks[0].chunkerVersion", (chunk) => [{ ...chunk, chunkerVersion: "" }]],
  ["chunks[0].policyHash", (chunk) => [{ ...chunk, policyHash: 1 }]],
];

const FILTERS: readonly [string, Record<string, unknown>][] = [
  ['filter has an unknown field "tags"', { tags: ["a"] }],
  ["filter.tagsAny", { tagsAny: "a" }],
  ["filter.tagsAny", { tagsAny: [] }],
  ["filter.tagsAny[0]", { tagsAny: [1] }],
  ["filter.lang", { lang: null }],
  ["filter.lang", { lang: "e_n" }],
  ["filter.lang", { lang: [] }],
  ["filter.pathGlob", { pathGlob: "a".repeat(1025) }],
  ["filter.pathGlob", { pathGlob: "{a,b}".repeat(9) }],
  ["filter.pathGlob", { pathGlob: "" }],
  ["filter.trustMin", { trustMin: -0.1 }],
  ["filter.media", { media: "text" }],
  ["filter.media", { media: "*/*" }],
  ["filter.ingestedAfter", { ingestedAfter: "yesterday" }],
  ["filter.ingestedAfter", { ingestedAfter: "2026-02-30" }],
  ["filter.ingestedAfter", { ingestedAfter: Number.NaN }],
  ["filter.docId", { docId: Array.from({ length: 1001 }, (_, n) => String(n)) }],
  ["filter.sourceType", { sourceType: 1 }],
];

/** Wrong input is refused whole, with a message that names the field, before anything is written. */
export function documentInputCases(documents: () => DocumentStore): void {
  const refusal = (operation: string, field: string): object => ({
    name: "StorageError",
    code: "INVALID_INPUT",
    capability: "documents",
    operation,
    message: expect.stringContaining(field),
  });

  test.each(DOCUMENTS)("refuses a document for its %s", async (field, fields) => {
    const sample = sampleDocument("a.md", "One.");
    const document = { ...sample.document, ...fields } as NewDocument;
    await expect(documents().putDocument(document)).rejects.toMatchObject(refusal("putDocument", field));
    await expect(documents().putWhole({ ...sample, document })).rejects.toMatchObject(refusal("putWhole", field));
    expect(await documents().getAsset(sample.document.assetId)).toBeUndefined();
  });

  test.each(BLOCKS)("refuses %s", async (field, change) => {
    const sample = sampleDocument("a.md", "One.");
    const { id } = await documents().putWhole(sample);
    const blocks = change(sample.blocks[0]!) as Block[];
    await expect(documents().putBlocks(id, blocks)).rejects.toMatchObject(refusal("putBlocks", field));
    await expect(documents().putWhole({ ...sample, blocks })).rejects.toMatchObject(refusal("putWhole", field));
    expect(await documents().getBlocks(id)).toEqual(sample.blocks);
  });

  test.each(CHUNKS)("refuses %s", async (field, change) => {
    const sample = sampleDocument("a.md", "One.");
    const { id } = await documents().putWhole(sample);
    const chunks = change(sample.chunks[0]!) as Chunk[];
    await expect(documents().putChunks(id, chunks)).rejects.toMatchObject(refusal("putChunks", field));
    await expect(documents().putWhole({ ...sample, chunks })).rejects.toMatchObject(refusal("putWhole", field));
    expect(await documents().getChunksOf(id)).toEqual(sample.chunks);
  });

  test.each(FILTERS)("refuses a filter: %s", async (field, filter) => {
    const wrong = filter as DocumentFilter;
    await expect(documents().listDocuments(wrong)).rejects.toMatchObject(refusal("listDocuments", field));
    await expect(documents().countDocuments(wrong)).rejects.toMatchObject(refusal("countDocuments", field));
  });

  test.each([
    ["page.limit", { limit: 0 }],
    ["page.limit", { limit: 1001 }],
    ["page.limit", { limit: 1.5 }],
    ["page.cursor", { cursor: 5 }],
    ["page has an unknown field", { offset: 5 }],
  ])("refuses %s", async (field, page) => {
    const listing = documents().listDocuments({}, page as { limit: number });
    await expect(listing).rejects.toMatchObject(refusal("listDocuments", field));
  });

  test("refuses bytes that are none, and bytes that are not those of the document's asset", async () => {
    const sample = sampleDocument("a.md", "One.");
    const text = { ...sample, bytes: "One." as unknown as Uint8Array };
    await expect(documents().putWhole(text)).rejects.toMatchObject(refusal("putWhole", "bytes"));
    const others = { ...sample, bytes: new TextEncoder().encode("Two.") };
    await expect(documents().putWhole(others)).rejects.toMatchObject(refusal("putWhole", "document.assetId"));
    const asset = { bytes: [1], mediaType: "text/plain" } as unknown as { bytes: Uint8Array; mediaType: string };
    await expect(documents().putAssetWithBytes(asset)).rejects.toMatchObject(
      refusal("putAssetWithBytes", "asset.bytes"),
    );
    expect(await documents().allWorkspacePaths()).toEqual([]);
  });

  test("refuses an asset for its hash, length or type", async () => {
    const asset = { contentHash: "0".repeat(64), byteLength: 1, mediaType: "text/plain" };
    for (const [field, wrong] of [
      ["asset.contentHash", { ...asset, contentHash: "0".repeat(63) }],
      ["asset.byteLength", { ...asset, byteLength: -1 }],
      ["asset.mediaType", { ...asset, mediaType: "Text/Plain" }],
    ] as const) {
      await expect(documents().putAsset(wrong)).rejects.toMatchObject(refusal("putAsset", field));
    }
  });

  test("refuses ids and paths that cannot be looked up", async () => {
    const id = 5 as unknown as string;
    await expect(documents().getDocument(id)).rejects.toMatchObject(refusal("getDocument", "id"));
    await expect(documents().getChunks(["a", id])).rejects.toMatchObject(refusal("getChunks", "ids[1]"));
    await expect(documents().deleteDocument("")).rejects.toMatchObject(refusal("deleteDocument", "id"));
    for (const operation of [
      "getDocumentByWorkspacePath",
      "getAssetByWorkspacePath",
      "staleChunkIdsAt",
      "purgeOrphanAtWorkspacePath",
    ] as const) {
      await expect(documents()[operation]("../a")).rejects.toMatchObject(refusal(operation, "workspacePath"));
    }
  });
}
