import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { nextTurn } from "../../turns.ts";
import { type AssetBlobs, readAsset } from "./asset-rows.ts";
import type { ExternalAssets } from "./external-assets.ts";
import { externalKey } from "./external-key.ts";
import { readAssetStream } from "./read-asset.ts";
import { strayPages } from "./sweep-blobs.ts";

/** Rows that are read together. */
const PAGE = 500;

/** An asset that is not as it was put. */
export interface DamagedAsset {
  problem: string;
  /** Of a document that has it. */
  path: string | null;
}

interface Row {
  asset_key: number;
  asset_id: string;
  content_hash: string;
  byte_length: number;
  path: string | null;
}

/** Finds assets whose bytes beside the database are not there, or of another length. */
export async function* damagedExternal(
  db: SqlExecutor,
  external: ExternalAssets | undefined,
): AsyncGenerator<DamagedAsset, void, undefined> {
  for await (const row of rowsOf(db, "a.blob_store = 'external'")) {
    const size = await external?.blobs.sizeOf(externalKey(row.content_hash));
    if (size === row.byte_length || (await isOfThePast(db, external, row))) continue;
    const what = size === undefined ? "are missing" : `are ${size} and not ${row.byte_length}`;
    yield {
      problem: `bytes of asset ${row.asset_id} ${what}${row.path === null ? "" : ` (${row.path})`}`,
      path: row.path,
    };
  }
}

/** Reads the bytes of every asset, wherever they are, and finds those that are others than were put. */
export async function* otherBytes(
  db: SqlExecutor,
  blobs: AssetBlobs,
  signal: AbortSignal | undefined,
): AsyncGenerator<DamagedAsset, void, undefined> {
  for await (const row of rowsOf(db, "a.blob_key IS NOT NULL")) {
    try {
      const whole = { start: 0, end: Number.POSITIVE_INFINITY, verify: true, signal };
      for await (const piece of readAssetStream(db, blobs, row.asset_id, whole)) void piece;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // Deleted since its row was read.
      if (error.code === "NOT_FOUND" && (await readAsset(db, row.asset_id)) === undefined) continue;
      if (error.code !== "CORRUPT") throw error;
      yield { problem: `${error.message}${row.path === null ? "" : ` (${row.path})`}`, path: row.path };
    }
    await nextTurn();
  }
}

/** Finds bytes beside the database that no asset has. */
export async function* strayExternal(
  db: SqlExecutor,
  external: ExternalAssets,
): AsyncGenerator<string, void, undefined> {
  for await (const { stray } of strayPages(db, external)) {
    for (const hash of stray) {
      // A row may have been committed meanwhile, or the bytes deleted.
      if ((await external.isNamed(hash)) || external.isHeld(hash) || !(await external.has(hash))) continue;
      yield `no asset has the bytes ${externalKey(hash)}`;
    }
  }
}

/** Whether the asset was deleted since its row was read, or put again since its bytes were looked for. */
async function isOfThePast(db: SqlExecutor, external: ExternalAssets | undefined, row: Row): Promise<boolean> {
  const now = await readAsset(db, row.asset_id);
  if (now?.blob_store !== "external") return true;
  return (await external?.isWhole(now.content_hash, now.byte_length)) === true;
}

async function* rowsOf(db: SqlExecutor, condition: string): AsyncGenerator<Row, void, undefined> {
  for (let after = 0; ;) {
    const page = await db.all<Row>(
      `SELECT a.asset_key, a.asset_id, a.content_hash, a.byte_length,
              (SELECT d.workspace_path FROM documents d WHERE d.asset_id = a.asset_id LIMIT 1) AS path
       FROM assets a WHERE ${condition} AND a.asset_key > $1 ORDER BY a.asset_key LIMIT ${PAGE}`,
      [after],
    );
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.asset_key;
  }
}
