import type { BlobStore } from "../../contracts/blobs.ts";
import { checkBlocks } from "../../contracts/check-blocks.ts";
import { checkChunks } from "../../contracts/check-chunks.ts";
import { type CheckedDocument, checkNewDocument } from "../../contracts/check-documents.ts";
import type { Block, Chunk, Document, WholeDocument } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, refusal } from "../../contracts/validate.ts";
import { assetId } from "../ids.ts";
import { type AssetInput, putAssetRow } from "./asset-rows.ts";
import { insertBlocks, replaceBlocks } from "./block-rows.ts";
import { insertChunks, replaceChunks } from "./chunk-rows.ts";
import { bumpCorpusRevision } from "./corpus-revision.ts";
import { putDocumentRow } from "./document-rows.ts";

/** Everything of one document, with the blake3 of its bytes by whoever computed it: it is not computed again. */
export type HashedDocument = WholeDocument & { contentHash: string };

/** Everything of one document, looked at whole. */
export interface CheckedWhole {
  asset: AssetInput;
  document: CheckedDocument;
  blocks: readonly Block[];
  chunks: readonly Chunk[];
}

/** Checks a document with all its parts before the first of them is written. */
export function checkWhole(site: CallSite, whole: HashedDocument): CheckedWhole {
  const { bytes, contentHash } = whole;
  const document = checkNewDocument(site, whole.document);
  const blocks = checkBlocks(site, whole.blocks, document.id);
  const chunks = checkChunks(site, whole.chunks, document.id);
  const idOfBytes = assetId(contentHash);
  if (document.assetId !== idOfBytes) {
    throw refusal(site, `document.assetId got "${document.assetId}"; it takes the id of the bytes, "${idOfBytes}"`);
  }
  const asset = { contentHash, byteLength: bytes.byteLength, mediaType: document.mediaType, bytes };
  return { asset, document, blocks, chunks };
}

/** Puts a document with all its parts; where nothing stands under its id yet, without looking for what to replace. */
export async function putWhole(tx: SqlExecutor, blobs: BlobStore, whole: CheckedWhole): Promise<Document> {
  const { asset, blocks, chunks } = whole;
  await putAssetRow(tx, blobs, whole.document.assetId, asset);
  const { key, document, outcome } = await putDocumentRow(tx, blobs, whole.document);
  const owner = { key, id: document.id, title: document.title };
  let changed = outcome !== "unchanged";
  if (outcome === "new") {
    await insertBlocks(tx, key, blocks);
    await insertChunks(tx, owner, chunks);
  } else {
    await replaceBlocks(tx, key, blocks);
    changed = (await replaceChunks(tx, owner, chunks)) || changed;
  }
  if (changed) await bumpCorpusRevision(tx);
  return document;
}
