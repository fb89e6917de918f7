import { MAX_ASSET_BYTES } from "../../contracts/check-documents.ts";
import type { checkAssetStream } from "../../contracts/check-assets.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError, type StorageErrorCode } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import { unpackBytes } from "../compression/packed-bytes.ts";
import { assetContentHash, ContentHasher } from "../ids.ts";
import { type AssetBlobs, type AssetRow, isKept, readAsset } from "./asset-rows.ts";
import { externalKey } from "./external-key.ts";

/** Largest piece that is handed out at once. */
const PIECE_BYTES: number = 1024 * 1024;

type Operation = "getAssetBytes" | "getAssetStream";

/** Returns the bytes of an asset.
 *  @throws StorageError NOT_FOUND (asset, or its bytes are kept elsewhere), CORRUPT (bytes that were kept are gone, or others),
 *  UNSUPPORTED (too many for one array) */
export async function readAssetBytes(
  db: SqlExecutor,
  blobs: AssetBlobs,
  id: string,
  { verify }: { verify: boolean },
): Promise<Uint8Array> {
  const row = await requireKept(db, id, "getAssetBytes");
  if (row.byte_length > MAX_ASSET_BYTES) {
    const message = `asset "${id}" has ${row.byte_length} bytes; more than ${MAX_ASSET_BYTES} are read with getAssetStream`;
    throw failure("UNSUPPORTED", "getAssetBytes", message);
  }
  const bytes = await wholeBytes(db, blobs, row, "getAssetBytes");
  requireLength(row, bytes.byteLength, "getAssetBytes");
  if (verify && assetContentHash(bytes) !== row.content_hash) throw otherBytes(id, "getAssetBytes");
  return bytes;
}

/** Hands out the bytes of an asset in pieces. One that is to be verified is handed out whole before it is known to be right, but for its
 *  last piece. */
export async function* readAssetStream(
  db: SqlExecutor,
  blobs: AssetBlobs,
  id: string,
  { start, end, verify, signal }: ReturnType<typeof checkAssetStream>,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  const row = await requireKept(db, id, "getAssetStream");
  const hasher = verify ? new ContentHasher() : undefined;
  const turns = new TurnTaker();
  let size = 0;
  let last: Uint8Array | undefined;
  for await (const piece of piecesOf(db, blobs, row, { start, end })) {
    throwIfAborted(signal);
    size += piece.byteLength;
    hasher?.update(piece);
    if (last !== undefined) yield last;
    last = piece;
    if (!verify) {
      yield last;
      last = undefined;
    }
    await turns.breathe();
  }
  requireLength(row, size + row.byte_length - Math.max(0, Math.min(end, row.byte_length) - start), "getAssetStream");
  if (hasher !== undefined && hasher.digest() !== row.content_hash) throw otherBytes(id, "getAssetStream");
  if (last !== undefined) yield last;
}

async function* piecesOf(
  db: SqlExecutor,
  blobs: AssetBlobs,
  row: AssetRow,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (row.blob_store === "external" && blobs.external !== undefined) {
    const range = Number.isFinite(end) ? { start, end } : { start };
    const pieces = blobs.external.blobs.getStream(externalKey(row.content_hash), range);
    try {
      yield* pieces;
    } catch (error) {
      const now = await putAgain(db, blobs, row, error);
      if (now === undefined) throw await missing(db, row.asset_id, "getAssetStream", error);
      yield* piecesOf(db, blobs, now, { start, end });
    }
    return;
  }
  const bytes = await wholeBytes(db, blobs, row, "getAssetStream");
  const stop = Math.min(end, bytes.byteLength);
  for (let at = start; at < stop; at += PIECE_BYTES) yield bytes.slice(at, Math.min(at + PIECE_BYTES, stop));
}

async function wholeBytes(
  db: SqlExecutor,
  blobs: AssetBlobs,
  row: AssetRow,
  operation: Operation,
): Promise<Uint8Array> {
  const { asset_id: id } = row;
  const key = row.blob_store === null ? row.blob_key : externalKey(row.content_hash);
  const from = row.blob_store === null ? blobs.database : blobs.external?.blobs;
  if (from === undefined) {
    const message = `the bytes of asset "${id}" are beside the database, and this store was opened without what keeps them`;
    throw failure("UNSUPPORTED", operation, message);
  }
  const { codec, byte_length: byteLength } = row;
  try {
    const bytes = await from.get(key ?? "");
    return await unpackBytes({ codec, bytes, byteLength }, `the bytes of asset "${id}"`);
  } catch (error) {
    const now = await putAgain(db, blobs, row, error);
    if (now === undefined) throw await missing(db, id, operation, error);
    return wholeBytes(db, blobs, now, operation);
  }
}

/** Returns the row of an asset whose bytes were not as it says, where they were put again since, maybe in another way or in another place:
 *  that is no damage. */
async function putAgain(
  db: SqlExecutor,
  blobs: AssetBlobs,
  row: AssetRow,
  error: unknown,
): Promise<AssetRow | undefined> {
  if (!(error instanceof StorageError) || (error.code !== "NOT_FOUND" && error.code !== "CORRUPT")) return undefined;
  const now = await readAsset(db, row.asset_id);
  if (now === undefined) return undefined;
  if (now.codec !== row.codec || now.blob_store !== row.blob_store) return now;
  return error.code === "NOT_FOUND" && (await isKept(blobs, now)) ? now : undefined;
}

async function requireKept(db: SqlExecutor, id: string, operation: Operation): Promise<AssetRow> {
  const row = await readAsset(db, id);
  if (row === undefined) throw failure("NOT_FOUND", operation, `there is no asset "${id}"`);
  if (row.blob_key === null) throw failure("NOT_FOUND", operation, `the bytes of asset "${id}" are kept elsewhere`);
  return row;
}

/** Returns the error about bytes that could not be read. */
async function missing(db: SqlExecutor, id: string, operation: Operation, error: unknown): Promise<unknown> {
  if (!(error instanceof StorageError) || error.code !== "NOT_FOUND") return error;
  // Deleted between the two reads is no damage.
  if ((await readAsset(db, id)) === undefined) return failure("NOT_FOUND", operation, `there is no asset "${id}"`);
  return failure("CORRUPT", operation, `the bytes of asset "${id}" are missing`, error);
}

function requireLength({ asset_id: id, byte_length: length }: AssetRow, found: number, operation: Operation): void {
  if (found === length) return;
  throw failure("CORRUPT", operation, `asset "${id}" has ${found} bytes, and was put with ${length}`);
}

function otherBytes(id: string, operation: Operation): StorageError {
  return failure(
    "CORRUPT",
    operation,
    `the bytes of asset "${id}" are not those that it was put with: their hash is another one`,
  );
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw failure("ABORTED", "getAssetStream", "the read was cancelled", signal.reason);
}

function failure(code: StorageErrorCode, operation: Operation, message: string, cause?: unknown): StorageError {
  return new StorageError(code, message, { capability: "documents", operation, cause });
}
