import type { BlobStore } from "../../contracts/blobs.ts";
import type { Asset } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { type ByteCodec, type PackedBytes, unpackBytes } from "../compression/packed-bytes.ts";
import { assetId } from "../ids.ts";

export interface AssetRow {
  asset_id: string;
  content_hash: string;
  byte_length: number;
  media_type: string;
  blob_key: string | null;
  codec: ByteCodec;
  created_at: number;
}

export const ASSET_COLUMNS =
  "a.asset_id, a.content_hash, a.byte_length, a.media_type, a.blob_key, a.codec, a.created_at";

export function toAsset(row: AssetRow): Asset {
  return {
    id: row.asset_id,
    contentHash: row.content_hash,
    byteLength: row.byte_length,
    mediaType: row.media_type,
    createdAt: row.created_at,
  };
}

/** An asset as it goes in; `packed`, its bytes, only when the store keeps them. */
export interface AssetInput {
  contentHash: string;
  byteLength: number;
  mediaType: string;
  packed: PackedBytes | undefined;
}

/** Records an asset where it is new, and keeps its bytes where they are given and are not there. */
export async function putAssetRow(tx: SqlExecutor, blobs: BlobStore, id: string, asset: AssetInput): Promise<void> {
  const { packed } = asset;
  const key = packed === undefined ? null : blobKey(asset.contentHash);
  const { changes } = await tx.run(
    `INSERT INTO assets (asset_id, content_hash, byte_length, media_type, blob_key, codec, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (asset_id) DO UPDATE SET blob_key = excluded.blob_key, codec = excluded.codec,
       byte_length = excluded.byte_length
     WHERE assets.blob_key IS NULL AND excluded.blob_key IS NOT NULL`,
    [id, asset.contentHash, asset.byteLength, asset.mediaType, key, packed?.codec ?? "none", Date.now()],
  );
  if (packed === undefined || key === null) return;
  if (changes === 0) {
    if (await blobs.has(key)) return;
    // Bytes that were kept and are lost are kept again.
    await tx.run("UPDATE assets SET codec = $2 WHERE asset_id = $1", [id, packed.codec]);
  }
  await blobs.put(key, packed.bytes);
}

/** Records an asset and returns it as it is stored.
 *  @throws StorageError CONFLICT when it is recorded with another length */
export async function putAsset(
  tx: SqlExecutor,
  blobs: BlobStore,
  asset: AssetInput,
  operation: string,
): Promise<Asset> {
  const id = assetId(asset.contentHash);
  const before = await readAsset(tx, id);
  if (before !== undefined && before.byte_length !== asset.byteLength) {
    throw new StorageError(
      "CONFLICT",
      `asset.byteLength got ${asset.byteLength}; the asset with this content hash is recorded with ${before.byte_length}`,
      { capability: "documents", operation },
    );
  }
  await putAssetRow(tx, blobs, id, asset);
  return toAsset((before ?? (await readAsset(tx, id))) as AssetRow);
}

export function readAsset(db: SqlExecutor, id: string): Promise<AssetRow | undefined> {
  return db.get<AssetRow>(`SELECT ${ASSET_COLUMNS} FROM assets a WHERE a.asset_id = $1`, [id]);
}

/** Returns the bytes of an asset.
 *  @throws StorageError NOT_FOUND (asset, or its bytes are kept elsewhere), CORRUPT (bytes that were kept are gone) */
export async function readAssetBytes(db: SqlExecutor, blobs: BlobStore, id: string): Promise<Uint8Array> {
  const row = await readAsset(db, id);
  if (row === undefined) throw failure("NOT_FOUND", `there is no asset "${id}"`);
  if (row.blob_key === null) throw failure("NOT_FOUND", `the bytes of asset "${id}" are kept elsewhere`);
  const { codec, byte_length: byteLength } = row;
  try {
    const bytes = await blobs.get(row.blob_key);
    return await unpackBytes({ codec, bytes, byteLength }, `the bytes of asset "${id}"`);
  } catch (error) {
    if (!(error instanceof StorageError) || (error.code !== "NOT_FOUND" && error.code !== "CORRUPT")) throw error;
    // Deleted between the two reads, or put again in another way, is no damage.
    const now = await readAsset(db, id);
    if (now === undefined) throw failure("NOT_FOUND", `there is no asset "${id}"`);
    if (now.codec !== codec) return readAssetBytes(db, blobs, id);
    if (error.code === "CORRUPT") throw error;
    throw failure("CORRUPT", `the bytes of asset "${id}" are missing`, error);
  }
}

function failure(code: "NOT_FOUND" | "CORRUPT", message: string, cause?: unknown): StorageError {
  return new StorageError(code, message, { capability: "documents", operation: "getAssetBytes", cause });
}

/** Deletes the asset and its bytes when no document has it. */
export async function dropUnusedAsset(tx: SqlExecutor, blobs: BlobStore, id: string): Promise<void> {
  const dropped = await tx.all<{ blob_key: string | null }>(
    `DELETE FROM assets WHERE asset_id = $1 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.asset_id = $1)
     RETURNING blob_key`,
    [id],
  );
  for (const { blob_key: key } of dropped) if (key !== null) await blobs.delete(key);
}

function blobKey(contentHash: string): string {
  return `_assets/${contentHash}`;
}
