import type { SqlDatabase } from "../../contracts/sql.ts";
import type { CheckFinding } from "../../contracts/store.ts";
import { StorageError } from "../../errors.ts";
import { FINDINGS } from "../check.ts";
import { type DamagedAsset, damagedExternal } from "../documents/examine-assets.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";

/** Most paths that are named. */
const NAMED = 20;

const GAPS = `SELECT d.workspace_path AS path FROM documents d
  WHERE (SELECT count(*) <> max(c.ordinal) + 1 FROM chunks c WHERE c.document_key = d.document_key)
     OR (SELECT count(*) <> max(b.ordinal) + 1 FROM blocks b WHERE b.document_key = d.document_key)`;

const WITHOUT_BYTES = `SELECT d.workspace_path AS path FROM documents d JOIN assets a ON a.asset_id = d.asset_id
  WHERE a.blob_key IS NOT NULL AND a.blob_store IS NULL AND a.blob_key NOT IN (SELECT blob_key FROM blobs)`;

const WITHOUT_ASSET =
  "SELECT d.workspace_path AS path FROM documents d WHERE d.asset_id NOT IN (SELECT asset_id FROM assets)";

const RESTORE = "put back a backup of the store, or take the documents into a new one";

/** What to do about damage of the file itself. */
export const FILE_ADVICE: string = `the file is damaged, and nothing was written to it: ${RESTORE}`;

/** Returns what to do about a finding that no repair answers. */
export async function adviceFor(
  db: SqlDatabase,
  { name, detail }: CheckFinding,
  external: ExternalAssets | undefined,
): Promise<string> {
  try {
    switch (name) {
      case FINDINGS.documents:
        return await takeAnew(db, GAPS, detail);
      case FINDINGS.assetBytes:
        return await takeAnew(db, WITHOUT_BYTES, detail, damagedExternal(db, external));
      case FINDINGS.foreignKeys:
        return await takeAnew(db, WITHOUT_ASSET, detail);
      default:
        return `${detail}: ${RESTORE}`;
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code === "CLOSED") throw error;
    return `${detail}: ${RESTORE}`;
  }
}

/** @param paths SQL that finds the documents that taking their files in again makes whole. */
async function takeAnew(
  db: SqlDatabase,
  paths: string,
  detail: string,
  more?: AsyncIterable<DamagedAsset>,
): Promise<string> {
  const rows = await db.all<{ path: string }>(`${paths} ORDER BY d.workspace_path LIMIT ${NAMED + 1}`);
  for await (const { path } of more ?? []) {
    if (rows.length > NAMED) break;
    if (path !== null) rows.push({ path });
  }
  if (rows.length === 0) return `${detail}: ${RESTORE}`;
  const named = rows.slice(0, NAMED).map(({ path }) => path);
  return `take these files in again: ${named.join(", ")}${rows.length > NAMED ? " and more" : ""}`;
}
