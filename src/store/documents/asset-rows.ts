import type { PutAsset } from "../../contracts/assets.ts";
import type { BlobStore } from "../../contracts/blobs.ts";
import type { Asset } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import type { ByteCodec, PackedBytes } from "../compression/packed-bytes.ts";
import { assetId } from "../ids.ts";
import type { ExternalAssets } from "./external-assets.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { ASSET_PREFIX, externalKey } from "./external-key.ts";

export interface AssetRow {
  asset_id: string;
  content_hash: string;
  byte_length: number;
  media_type: string;
  blob_key: string | null;
  codec: ByteCodec;
  /** `null` in the database, `external` in the blob store beside it. */
  blob_store: "external" | null;
  created_at: number;
}

export const ASSET_COLUMNS =
  "a.asset_id, a.content_hash, a.byte_length, a.media_type, a.blob_key, a.codec, a.blob_store, a.created_at";

/** Where the bytes of assets are. */
export interface AssetBlobs {
  /** In the database; through the transaction at hand, where there is one. */
  database: BlobStore;
  external: ExternalAssets | undefined;
}

export function toAsset(row: AssetRow): Asset {
  return {
    id: row.asset_id,
    contentHash: row.content_hash,
    byteLength: row.byte_length,
    mediaType: row.media_type,
    createdAt: row.created_at,
  };
}

/** An asset as it goes in; with `packed` when the database keeps its bytes, with `held` when they are beside it. */
export interface AssetInput {
  contentHash: string;
  byteLength: number;
  mediaType: string;
  packed?: PackedBytes | undefined;
  held?: HeldBytes | undefined;
}

/** Records an asset where it is new, and keeps its bytes where they are given and are not there.
 *  @returns whether the store had its bytes already. */
export async function putAssetRow(tx: SqlExecutor, blobs: AssetBlobs, id: string, asset: AssetInput): Promise<boolean> {
  const { packed, held, contentHash } = asset;
  const place = placeOf(asset);
  const { changes } = await tx.run(
    `INSERT INTO assets (asset_id, content_hash, byte_length, media_type, blob_key, codec, blob_store, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (asset_id) DO UPDATE SET blob_key = excluded.blob_key, codec = excluded.codec,
       blob_store = excluded.blob_store, byte_length = excluded.byte_length
     WHERE assets.blob_key IS NULL AND excluded.blob_key IS NOT NULL`,
    [id, contentHash, asset.byteLength, asset.mediaType, place.key, place.codec, place.store, Date.now()],
  );
  if (packed === undefined && held === undefined) return false;
  if (changes === 0) {
    const row = await readAsset(tx, id);
    if (row !== undefined && (await isKept(blobs, row, held))) {
      return row.blob_store === null || held === undefined || held.found;
    }
    // Bytes that were kept and are lost are kept again.
    await tx.run("UPDATE assets SET blob_key = $2, codec = $3, blob_store = $4 WHERE asset_id = $1", [
      id,
      place.key,
      place.codec,
      place.store,
    ]);
  }
  if (packed !== undefined) await blobs.database.put(blobKey(contentHash), packed.bytes);
  return held?.found ?? false;
}

/** Where the bytes of an asset go, and how. */
function placeOf({ contentHash, packed, held }: AssetInput): {
  key: string | null;
  codec: ByteCodec;
  store: AssetRow["blob_store"];
} {
  if (held !== undefined) return { key: externalKey(contentHash), codec: "none", store: "external" };
  if (packed === undefined) return { key: null, codec: "none", store: null };
  return { key: blobKey(contentHash), codec: packed.codec, store: null };
}

/** Whether the bytes of a row are where it says. */
export async function isKept({ database, external }: AssetBlobs, row: AssetRow, held?: HeldBytes): Promise<boolean> {
  if (row.blob_key === null) return false;
  if (row.blob_store === null) return database.has(row.blob_key);
  return held !== undefined || (await external?.isWhole(row.content_hash, row.byte_length)) === true;
}

/** Records an asset and returns it as it is stored.
 *  @throws StorageError CONFLICT when it is recorded with another length */
export async function putAsset(
  tx: SqlExecutor,
  blobs: AssetBlobs,
  asset: AssetInput,
  operation: string,
): Promise<PutAsset> {
  const id = assetId(asset.contentHash);
  const before = await readAsset(tx, id);
  if (before !== undefined && before.byte_length !== asset.byteLength) {
    throw new StorageError(
      "CONFLICT",
      `asset.byteLength got ${asset.byteLength}; the asset with this content hash is recorded with ${before.byte_length}`,
      { capability: "documents", operation },
    );
  }
  const deduplicated = await putAssetRow(tx, blobs, id, asset);
  return { ...toAsset((before ?? (await readAsset(tx, id))) as AssetRow), deduplicated };
}

export function readAsset(db: SqlExecutor, id: string): Promise<AssetRow | undefined> {
  return db.get<AssetRow>(`SELECT ${ASSET_COLUMNS} FROM assets a WHERE a.asset_id = $1`, [id]);
}

/** Deletes the asset and its bytes when no document has it. Bytes beside the database go once that is committed. */
export async function dropUnusedAsset(tx: SqlExecutor, blobs: AssetBlobs, id: string): Promise<void> {
  const dropped = await tx.all<Pick<AssetRow, "content_hash" | "blob_key" | "blob_store">>(
    `DELETE FROM assets WHERE asset_id = $1 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.asset_id = $1)
     RETURNING content_hash, blob_key, blob_store`,
    [id],
  );
  for (const { content_hash: hash, blob_key: key, blob_store: store } of dropped) {
    if (store === "external") blobs.external?.release(hash);
    else if (key !== null) await blobs.database.delete(key);
  }
}

function blobKey(contentHash: string): string {
  return `${ASSET_PREFIX}${contentHash}`;
}
