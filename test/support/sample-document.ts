import type { Block, Chunk, Document, NewDocument, WholeDocument } from "../../src/contracts/documents.ts";
import { assetContentHash, assetId, blockId, chunkId, documentId } from "../../src/store/ids.ts";

/** A document for tests: one block and one chunk per paragraph, ids as the store makes them. */
export interface SampleDocument extends WholeDocument {
  document: NewDocument;
  blocks: Block[];
  chunks: Chunk[];
  bytes: Uint8Array;
}

/** Builds a document.
 *  @param text Paragraphs, divided by empty lines; also its bytes. */
export function sampleDocument(path: string, text: string, fields: Partial<Document> = {}): SampleDocument {
  const bytes = new TextEncoder().encode(text);
  const asset = assetId(assetContentHash(bytes));
  const parserVersion = fields.parserVersion ?? "sample-1";
  const id = documentId({ assetId: asset, parserVersion, workspacePath: path });
  const document: NewDocument = {
    id,
    assetId: asset,
    workspacePath: path,
    parserVersion,
    title: "Sample",
    lang: "en",
    mediaType: "text/markdown",
    sourceType: "file",
    trust: 0.5,
    tags: [],
    metadata: {},
    ...fields,
  };
  const blocks: Block[] = [];
  const chunks: Chunk[] = [];
  for (const [ordinal, paragraph] of text
    .split("\n\n")
    .filter((one) => one !== "")
    .entries()) {
    const headingPath = ["Sample", `Part ${ordinal}`];
    const span = { kind: "line" as const, start: ordinal * 2 + 1, end: ordinal * 2 + 1 };
    const block: Block = {
      id: blockId({ documentId: id, kind: "paragraph", headingPath, ordinal, span }),
      documentId: id,
      ordinal,
      kind: "paragraph",
      headingPath,
      span,
    };
    blocks.push(block);
    chunks.push({
      id: chunkId({ documentId: id, blockIds: [block.id], chunkerVersion: "sample-1", policyHash: "p" }),
      documentId: id,
      ordinal,
      blockIds: [block.id],
      headingPath,
      text: paragraph,
      span,
      tokenCount: paragraph.length,
      chunkerVersion: "sample-1",
      policyHash: "p",
    });
  }
  return { bytes, document, blocks, chunks };
}
