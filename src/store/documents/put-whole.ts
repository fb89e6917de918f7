import { checkBlocks } from "../../contracts/check-blocks.ts";
import { checkChunks } from "../../contracts/check-chunks.ts";
import { type CheckedDocument, checkNewDocument } from "../../contracts/check-documents.ts";
import type { Block, Chunk, Document, WholeDocument } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, refusal } from "../../contracts/validate.ts";
import type { PackedBytes } from "../compression/packed-bytes.ts";
import type { StorageStyle } from "../compression/storage-style.ts";
import { assetId } from "../ids.ts";
import { type AssetBlobs, type AssetInput, putAssetRow } from "./asset-rows.ts";
import { insertBlocks, replaceBlocks } from "./block-rows.ts";
import { insertChunks, replaceChunks } from "./chunk-rows.ts";
import { bumpCorpusRevision } from "./corpus-revision.ts";
import { putDocumentRow } from "./document-rows.ts";

/** Everything of one document, with the blake3 of its bytes by whoever computed it, and its bytes as the database is to keep them, or
 *  `undefined` where they go beside it: that is not done again. */
export type HashedDocument = WholeDocument & { contentHash: string; packed: PackedBytes | undefined };

/** Everything of one document, looked at whole. */
export interface CheckedWhole {
  asset: Omit<AssetInput, "packed" | "held">;
  document: CheckedDocument;
  blocks: readonly Block[];
  chunks: readonly Chunk[];
}

/** Checks a document with all its parts before the first of them is written. */
export function checkWhole(site: CallSite, whole: Omit<HashedDocument, "packed">): CheckedWhole {
  const { bytes, contentHash } = whole;
  const document = checkNewDocument(site, whole.document);
  const blocks = checkBlocks(site, whole.blocks, document.id);
  const chunks = checkChunks(site, whole.chunks, document.id);
  const idOfBytes = assetId(contentHash);
  if (document.assetId !== idOfBytes) {
    throw refusal(site, `document.assetId got "${document.assetId}"; it takes the id of the bytes, "${idOfBytes}"`);
  }
  const asset = { contentHash, byteLength: bytes.byteLength, mediaType: document.mediaType };
  return { asset, document, blocks, chunks };
}

/** What putting a whole document did. */
export interface PutWhole {
  document: Document;
  /** Whether the store had its bytes already. */
  deduplicated: boolean;
}

/** Puts a document with all its parts; where nothing stands under its id yet, without looking for what to replace.
 *  @param kept Its bytes: packed for the database, or held beside it. */
export async function putWhole(
  tx: SqlExecutor,
  blobs: AssetBlobs,
  whole: CheckedWhole,
  kept: Pick<AssetInput, "packed" | "held">,
  style: StorageStyle,
): Promise<PutWhole> {
  const { asset, blocks, chunks } = whole;
  const deduplicated = await putAssetRow(tx, blobs, whole.document.assetId, { ...asset, ...kept });
  const { key, document, outcome } = await putDocumentRow(tx, blobs, whole.document);
  const owner = { key, id: document.id, title: document.title };
  let changed = outcome !== "unchanged";
  if (outcome === "new") {
    await insertBlocks(tx, key, blocks, style);
    await insertChunks(tx, owner, chunks, style);
  } else {
    await replaceBlocks(tx, key, blocks, style);
    changed = (await replaceChunks(tx, owner, chunks, style)) || changed;
  }
  if (changed) await bumpCorpusRevision(tx);
  return { document, deduplicated };
}
