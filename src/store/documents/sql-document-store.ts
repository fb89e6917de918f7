import type {
  AssetReadOptions,
  AssetSource,
  AssetStreamOptions,
  AssetSweepOptions,
  AssetSweepReport,
  PutAsset,
} from "../../contracts/assets.ts";
import type { TransactionalBlobStore } from "../../contracts/blobs.ts";
import { checkBlocks } from "../../contracts/check-blocks.ts";
import { checkChunks } from "../../contracts/check-chunks.ts";
import {
  checkAssetRead,
  checkAssetStream,
  checkAssetSweep,
  checkAssetWithBytes,
} from "../../contracts/check-assets.ts";
import { checkAsset, checkNewDocument, MAX_ASSET_BYTES, requireContentHash } from "../../contracts/check-documents.ts";
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
import {
  type CallSite,
  requireBytes,
  requireList,
  requireLookupId,
  requireObject,
  requireSignal,
} from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { packBytes, type PackedBytes } from "../compression/packed-bytes.ts";
import type { StorageStyle } from "../compression/storage-style.ts";
import { assetContentHash } from "../ids.ts";
import { nextTurn } from "../../turns.ts";
import { fillTextIndex } from "../search/text-index.ts";
import { onceMoreOnFull } from "../upkeep/on-full.ts";
import { ASSET_COLUMNS, type AssetBlobs, type AssetRow, putAsset, readAsset, toAsset } from "./asset-rows.ts";
import { readBlocks, replaceBlocks } from "./block-rows.ts";
import { readChunkIdsAt, readChunks, readChunksOf, replaceChunks, requireOwner } from "./chunk-rows.ts";
import { bumpCorpusRevision, readCorpusRevision } from "./corpus-revision.ts";
import { deleteDocumentWhere, putDocumentRow, readDocument } from "./document-rows.ts";
import type { ExternalAssets } from "./external-assets.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { countDocuments, listDocuments } from "./list-documents.ts";
import { checkWhole, type HashedDocument, putWhole, type PutWhole } from "./put-whole.ts";
import { readAssetBytes, readAssetStream } from "./read-asset.ts";
import { sweepBlobs } from "./sweep-blobs.ts";
import { LARGEST_INLINE_BYTES, takeBytes } from "./take-bytes.ts";

export type { HashedDocument };

/** Most ids in one `getChunks`. */
const MAX_CHUNK_IDS = 1000;

/** Documents in a SQL database, small bytes in blobs of the same database and large ones beside it. */
export class SqlDocumentStore implements DocumentStore {
  readonly #db: SqlExecutor;
  readonly #blobs: TransactionalBlobStore;
  readonly #external: ExternalAssets | undefined;
  readonly #nested: boolean;

  readonly #style: StorageStyle;

  /** @param db A migrated database, or a transaction on one; the caller closes it.
   *  @param blobs Blobs of the same database.
   *  @param style How bytes and rows are written from now on.
   *  @param external Keeps large bytes. Without it all are in the database.
   *  @param nested Whether `db` is a transaction: then nothing may wait for the database itself. */
  constructor(
    db: SqlExecutor,
    blobs: TransactionalBlobStore,
    style: StorageStyle = "compact",
    external?: ExternalAssets,
    nested = false,
  ) {
    this.#db = db;
    this.#blobs = blobs;
    this.#style = style;
    this.#external = external;
    this.#nested = nested;
  }

  /** Returns the same store over a running transaction: every method then is a savepoint in it. Bytes beside the database are put before
   *  it, with `hold`. */
  over(tx: SqlExecutor): SqlDocumentStore {
    return new SqlDocumentStore(tx, this.#blobs, this.#style, this.#external, true);
  }

  /** The bytes of an asset as the database keeps them, or `undefined` where they go beside it. */
  async pack(bytes: Uint8Array, mediaType: string): Promise<PackedBytes | undefined> {
    return this.#goesBeside(bytes.byteLength) ? undefined : this.#packed(bytes, mediaType);
  }

  async putAsset(asset: { contentHash: string; byteLength: number; mediaType: string }): Promise<Asset> {
    const input = checkAsset(at("putAsset"), asset);
    const { deduplicated: _, ...put } = await this.#write((tx, blobs) => putAsset(tx, blobs, input, "putAsset"));
    return put;
  }

  async putAssetWithBytes(
    asset: { bytes: AssetSource; mediaType: string },
    options?: { signal?: AbortSignal },
  ): Promise<PutAsset> {
    const site = at("putAssetWithBytes");
    const { bytes: source, mediaType } = checkAssetWithBytes(site, asset);
    const signal = requireSignal(site, options);
    const { bytes, held, ...taken } = await takeBytes(site, source, this.#nested ? undefined : this.#external, signal);
    try {
      const packed = bytes === undefined ? undefined : await this.#packed(bytes, mediaType);
      const input = { ...taken, held, packed, mediaType };
      return await this.#write((tx, blobs) => putAsset(tx, blobs, input, "putAssetWithBytes"));
    } finally {
      await held?.letGo();
    }
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
    const contentHash = assetContentHash(bytes);
    const whole = checkWhole(site, { ...document, contentHash });
    const packed = await this.pack(bytes, whole.asset.mediaType);
    const held = await this.hold({ bytes, contentHash, packed });
    try {
      const put = await this.#write((tx, blobs) => putWhole(tx, blobs, whole, { packed, held }, this.#style));
      return put.document;
    } finally {
      await held?.letGo();
    }
  }

  /** Puts the bytes of a document beside the database, where they are to be: before the transaction that puts the document, after which
   *  the caller lets go of them. */
  async hold({
    bytes,
    contentHash,
    packed,
  }: Pick<HashedDocument, "bytes" | "contentHash" | "packed">): Promise<HeldBytes | undefined> {
    return packed === undefined ? this.#external?.keep(contentHash, bytes) : undefined;
  }

  /** Deletes bytes beside the database whose rows went in a transaction that the caller ended. */
  async collect(): Promise<void> {
    await this.#external?.collect();
  }

  /** Puts a document as {@link putWhole} does, trusting `contentHash` and `packed`. Not for bytes and hashes from outside.
   *  @param held Its bytes, where they are beside the database. */
  async putHashed(document: HashedDocument, held?: HeldBytes): Promise<PutWhole> {
    const site = at("putWhole");
    requireBytes(site, "bytes", document.bytes, MAX_ASSET_BYTES);
    requireContentHash(site, document.contentHash);
    const whole = checkWhole(site, document);
    return this.#write((tx, blobs) => putWhole(tx, blobs, whole, { packed: document.packed, held }, this.#style));
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

  async getAssetBytes(id: string, options: AssetReadOptions = {}): Promise<Uint8Array> {
    const site = at("getAssetBytes");
    const checked = checkAssetRead(site, options);
    return readAssetBytes(this.#db, this.#blobsOver(this.#db), requireLookupId(site, "id", id), checked);
  }

  async *getAssetStream(id: string, options: AssetStreamOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const site = at("getAssetStream");
    const checked = checkAssetStream(site, options);
    yield* readAssetStream(this.#db, this.#blobsOver(this.#db), requireLookupId(site, "id", id), checked);
  }

  async sweepBlobs(options: AssetSweepOptions = {}): Promise<AssetSweepReport> {
    return sweepBlobs(this.#db, this.#external, checkAssetSweep(at("sweepBlobs"), options));
  }

  /** Whether the bytes beside the database are there that a row names, all of them. */
  async hasExternal(contentHash: string, byteLength: number): Promise<boolean> {
    return (await this.#external?.isWhole(contentHash, byteLength)) === true;
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
    return this.#writeOnFull((tx, blobs) => deleteDocumentWhere(tx, blobs, "d.document_id = $1", id));
  }

  async staleChunkIdsAt(workspacePath: string): Promise<string[]> {
    return readChunkIdsAt(this.#db, requireWorkspacePath(at("staleChunkIdsAt"), "workspacePath", workspacePath));
  }

  async purgeOrphanAtWorkspacePath(workspacePath: string): Promise<string[]> {
    const path = requireWorkspacePath(at("purgeOrphanAtWorkspacePath"), "workspacePath", workspacePath);
    return this.#writeOnFull(async (tx, blobs) => {
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

  async #write<T>(body: (tx: SqlExecutor, blobs: AssetBlobs) => Promise<T>): Promise<T> {
    const result = await this.#db.transaction((tx) => body(tx, this.#blobsOver(tx)));
    if (!this.#nested) await this.#external?.collect();
    return result;
  }

  /** Writes what makes room. */
  #writeOnFull<T>(body: (tx: SqlExecutor, blobs: AssetBlobs) => Promise<T>): Promise<T> {
    return this.#nested ? this.#write(body) : onceMoreOnFull(() => this.#write(body));
  }

  /** In a transaction of the caller's nothing is put beside the database: it may be undone. */
  #goesBeside(byteLength: number): boolean {
    return this.#external !== undefined && !this.#nested && byteLength > LARGEST_INLINE_BYTES;
  }

  async #packed(bytes: Uint8Array, mediaType: string): Promise<PackedBytes> {
    if (this.#style === "compact") return packBytes(bytes, mediaType);
    return { codec: "none", bytes, byteLength: bytes.byteLength };
  }

  #blobsOver(executor: SqlExecutor): AssetBlobs {
    return { database: this.#blobs.over(executor), external: this.#external };
  }
}

function at(operation: string): CallSite {
  return { capability: "documents", operation };
}
