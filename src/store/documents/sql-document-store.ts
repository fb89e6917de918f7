import type { TransactionalBlobStore } from "../../contracts/blobs.ts";
import { checkBlocks } from "../../contracts/check-blocks.ts";
import { checkChunks } from "../../contracts/check-chunks.ts";
import {
  checkAsset,
  checkAssetWithBytes,
  checkNewDocument,
  MAX_ASSET_BYTES,
  requireContentHash,
} from "../../contracts/check-documents.ts";
import { requireWorkspacePath } from "../../contracts/check-paths.ts";
import { checkTextIndexOptions } from "../../contracts/check-upkeep.ts";
import type {
  Asset,
  Block,
  Chunk,
  Document,
  DocumentFilter,
  DocumentStore,
  NewDocument,
  Page,
  PageRequest,
  TextIndexOptions,
  WholeDocument,
} from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, requireBytes, requireList, requireLookupId, requireObject } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { packBytes, type PackedBytes } from "../compression/packed-bytes.ts";
import type { StorageStyle } from "../compression/storage-style.ts";
import { assetContentHash } from "../ids.ts";
import { nextTurn } from "../../turns.ts";
import { fillTextIndex } from "../search/text-index.ts";
import { ASSET_COLUMNS, type AssetRow, putAsset, readAsset, readAssetBytes, toAsset } from "./asset-rows.ts";
import { readBlocks, replaceBlocks } from "./block-rows.ts";
import { readChunkIdsAt, readChunks, readChunksOf, replaceChunks, requireOwner } from "./chunk-rows.ts";
import { bumpCorpusRevision, readCorpusRevision } from "./corpus-revision.ts";
import { deleteDocumentWhere, putDocumentRow, readDocument } from "./document-rows.ts";
import { countDocuments, listDocuments } from "./list-documents.ts";
import { checkWhole, type HashedDocument, putWhole } from "./put-whole.ts";

export type { HashedDocument };

/** Most ids in one `getChunks`. */
const MAX_CHUNK_IDS = 1000;

/** Documents in a SQL database, their bytes in blobs of the same database. */
export class SqlDocumentStore implements DocumentStore {
  readonly #db: SqlExecutor;
  readonly #blobs: TransactionalBlobStore;

  readonly #style: StorageStyle;

  /** @param db A migrated database, or a transaction on one; the caller closes it.
   *  @param blobs Blobs of the same database.
   *  @param style How bytes and rows are written from now on. */
  constructor(db: SqlExecutor, blobs: TransactionalBlobStore, style: StorageStyle = "compact") {
    this.#db = db;
    this.#blobs = blobs;
    this.#style = style;
  }

  /** Returns the same store over a running transaction: every method then is a savepoint in it. */
  over(tx: SqlExecutor): SqlDocumentStore {
    return new SqlDocumentStore(tx, this.#blobs, this.#style);
  }

  /** The bytes of an asset as this store keeps them. */
  async pack(bytes: Uint8Array, mediaType: string): Promise<PackedBytes> {
    if (this.#style === "compact") return packBytes(bytes, mediaType);
    return { codec: "none", bytes, byteLength: bytes.byteLength };
  }

  async putAsset(asset: { contentHash: string; byteLength: number; mediaType: string }): Promise<Asset> {
    const input = { ...checkAsset(at("putAsset"), asset), packed: undefined };
    return this.#write((tx, blobs) => putAsset(tx, blobs, input, "putAsset"));
  }

  async putAssetWithBytes(asset: { bytes: Uint8Array; mediaType: string }): Promise<Asset> {
    const { bytes, mediaType } = checkAssetWithBytes(at("putAssetWithBytes"), asset);
    const contentHash = assetContentHash(bytes);
    const input = { contentHash, byteLength: bytes.byteLength, mediaType, packed: await this.pack(bytes, mediaType) };
    return this.#write((tx, blobs) => putAsset(tx, blobs, input, "putAssetWithBytes"));
  }

  async putDocument(document: NewDocument): Promise<Document> {
    const checked = checkNewDocument(at("putDocument"), document);
    return this.#write(async (tx, blobs) => {
      if ((await readAsset(tx, checked.assetId)) === undefined) {
        const message = `there is no asset "${checked.assetId}"; put it before its document`;
        throw new StorageError("NOT_FOUND", message, at("putDocument"));
      }
      const put = await putDocumentRow(tx, blobs, checked);
      if (put.outcome !== "unchanged") await bumpCorpusRevision(tx);
      return put.document;
    });
  }

  async putBlocks(documentId: string, blocks: readonly Block[]): Promise<void> {
    const site = at("putBlocks");
    const checked = checkBlocks(site, blocks, requireLookupId(site, "documentId", documentId));
    await this.#write(async (tx) => {
      const owner = await requireOwner(tx, documentId, "putBlocks");
      await replaceBlocks(tx, owner.key, checked, this.#style);
    });
  }

  async putChunks(documentId: string, chunks: readonly Chunk[]): Promise<void> {
    const site = at("putChunks");
    const checked = checkChunks(site, chunks, requireLookupId(site, "documentId", documentId));
    await this.#write(async (tx) => {
      const owner = await requireOwner(tx, documentId, "putChunks");
      if (await replaceChunks(tx, owner, checked, this.#style)) await bumpCorpusRevision(tx);
    });
  }

  async putWhole(document: WholeDocument): Promise<Document> {
    const site = at("putWhole");
    const given = requireObject(site, "document", document, ["bytes", "document", "blocks", "chunks"]);
    const bytes = requireBytes(site, "bytes", given["bytes"], MAX_ASSET_BYTES);
    const whole = checkWhole(site, { ...document, contentHash: assetContentHash(bytes) });
    const packed = await this.pack(bytes, whole.asset.mediaType);
    return this.#write((tx, blobs) => putWhole(tx, blobs, whole, packed, this.#style));
  }

  /** Puts a document as {@link putWhole} does, trusting `contentHash` and `packed`. Not for bytes and hashes from outside. */
  async putHashed(document: HashedDocument): Promise<Document> {
    const site = at("putWhole");
    requireBytes(site, "bytes", document.bytes, MAX_ASSET_BYTES);
    requireContentHash(site, document.contentHash);
    const whole = checkWhole(site, document);
    return this.#write((tx, blobs) => putWhole(tx, blobs, whole, document.packed, this.#style));
  }

  async getDocument(id: string): Promise<Document | undefined> {
    return readDocument(this.#db, "d.document_id = $1", requireLookupId(at("getDocument"), "id", id));
  }

  async getDocumentByWorkspacePath(workspacePath: string): Promise<Document | undefined> {
    const path = requireWorkspacePath(at("getDocumentByWorkspacePath"), "workspacePath", workspacePath);
    return readDocument(this.#db, "d.workspace_path = $1", path);
  }

  async getBlocks(documentId: string): Promise<Block[]> {
    return readBlocks(this.#db, requireLookupId(at("getBlocks"), "documentId", documentId));
  }

  async getChunk(id: string): Promise<Chunk | undefined> {
    return (await readChunks(this.#db, [requireLookupId(at("getChunk"), "id", id)]))[0];
  }

  async getChunks(ids: readonly string[]): Promise<Chunk[]> {
    const site = at("getChunks");
    const list = requireList(site, "ids", ids, 0, MAX_CHUNK_IDS);
    return readChunks(
      this.#db,
      list.map((id, index) => requireLookupId(site, `ids[${index}]`, id)),
    );
  }

  async getChunksOf(documentId: string): Promise<Chunk[]> {
    return readChunksOf(this.#db, requireLookupId(at("getChunksOf"), "documentId", documentId));
  }

  async getAsset(id: string): Promise<Asset | undefined> {
    const row = await readAsset(this.#db, requireLookupId(at("getAsset"), "id", id));
    return row === undefined ? undefined : toAsset(row);
  }

  async getAssetByWorkspacePath(workspacePath: string): Promise<Asset | undefined> {
    const path = requireWorkspacePath(at("getAssetByWorkspacePath"), "workspacePath", workspacePath);
    const row = await this.#db.get<AssetRow>(
      `SELECT ${ASSET_COLUMNS} FROM documents d JOIN assets a ON a.asset_id = d.asset_id WHERE d.workspace_path = $1`,
      [path],
    );
    return row === undefined ? undefined : toAsset(row);
  }

  async getAssetBytes(id: string): Promise<Uint8Array> {
    return readAssetBytes(this.#db, this.#blobs.over(this.#db), requireLookupId(at("getAssetBytes"), "id", id));
  }

  async listDocuments(filter?: DocumentFilter, page?: PageRequest): Promise<Page<Document>> {
    return listDocuments(this.#db, filter, page);
  }

  async countDocuments(filter?: DocumentFilter): Promise<number> {
    return countDocuments(this.#db, filter);
  }

  async allWorkspacePaths(): Promise<string[]> {
    const rows = await this.#db.all<{ path: string }>(
      "SELECT workspace_path AS path FROM documents ORDER BY workspace_path",
    );
    return rows.map((row) => row.path);
  }

  async deleteDocument(id: string): Promise<boolean> {
    requireLookupId(at("deleteDocument"), "id", id);
    return this.#write((tx, blobs) => deleteDocumentWhere(tx, blobs, "d.document_id = $1", id));
  }

  async staleChunkIdsAt(workspacePath: string): Promise<string[]> {
    return readChunkIdsAt(this.#db, requireWorkspacePath(at("staleChunkIdsAt"), "workspacePath", workspacePath));
  }

  async purgeOrphanAtWorkspacePath(workspacePath: string): Promise<string[]> {
    const path = requireWorkspacePath(at("purgeOrphanAtWorkspacePath"), "workspacePath", workspacePath);
    return this.#write(async (tx, blobs) => {
      const chunkIds = await readChunkIdsAt(tx, path);
      await deleteDocumentWhere(tx, blobs, "d.workspace_path = $1", path);
      return chunkIds;
    });
  }

  async rebuildChunksFts(options: TextIndexOptions = {}): Promise<void> {
    const { signal, onProgress } = checkTextIndexOptions(at("rebuildChunksFts"), options);
    await this.#write(async (tx) => {
      const total = (await tx.get<{ n: number }>("SELECT count(*) AS n FROM chunks"))?.n ?? 0;
      await fillTextIndex(tx, async (done) => {
        onProgress?.({ done, total });
        await nextTurn();
        if (signal?.aborted !== true) return;
        const message = "the text index was to be made anew no more: it is as it was";
        throw new StorageError("ABORTED", message, { ...at("rebuildChunksFts"), cause: signal.reason });
      });
    });
  }

  async corpusRevision(): Promise<number> {
    return readCorpusRevision(this.#db);
  }

  async bumpCorpusRevision(): Promise<number> {
    return bumpCorpusRevision(this.#db);
  }

  #write<T>(body: (tx: SqlExecutor, blobs: TransactionalBlobStore) => Promise<T>): Promise<T> {
    return this.#db.transaction((tx) => body(tx, this.#blobs.over(tx)));
  }
}

function at(operation: string): CallSite {
  return { capability: "documents", operation };
}
