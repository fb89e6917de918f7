import type { AssetSweepReport } from "../../contracts/assets.ts";
import type { checkAssetSweep } from "../../contracts/check-assets.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import type { ExternalAssets } from "./external-assets.ts";
import { ASSET_PREFIX, externalKey, hashOfKey } from "./external-key.ts";

/** Hashes that one statement looks for. */
const PAGE = 500;

/** Blobs of assets in the database that no asset has. */
export const STRAY_IN_DATABASE: string = `SELECT blob_key FROM blobs WHERE blob_key GLOB '${ASSET_PREFIX}*'
  AND blob_key NOT IN (SELECT a.blob_key FROM assets a WHERE a.blob_key IS NOT NULL AND a.blob_store IS NULL)`;

/** Deletes bytes that no asset has, in the database and beside it. */
export async function sweepBlobs(
  db: SqlExecutor,
  external: ExternalAssets | undefined,
  options: ReturnType<typeof checkAssetSweep>,
): Promise<AssetSweepReport> {
  const report: AssetSweepReport = { dryRun: options.dryRun, examined: 0, deleted: 0, deletedBytes: 0, more: false };
  throwIfAborted(options.signal);
  await sweepDatabase(db, options, report);
  if (external !== undefined) await sweepExternal(db, external, options, report);
  return report;
}

async function sweepDatabase(
  db: SqlExecutor,
  { dryRun, maxDelete }: ReturnType<typeof checkAssetSweep>,
  report: AssetSweepReport,
): Promise<void> {
  await db.transaction(async (tx) => {
    const all = await tx.get<{ n: number }>(`SELECT count(*) AS n FROM blobs WHERE blob_key GLOB '${ASSET_PREFIX}*'`);
    const stray = await tx.all<{ blob_key: string; byte_length: number }>(
      `SELECT blob_key, byte_length FROM blobs WHERE blob_key IN (${STRAY_IN_DATABASE}) ORDER BY blob_key LIMIT $1`,
      [maxDelete + 1],
    );
    report.examined += all?.n ?? 0;
    report.more = stray.length > maxDelete;
    const going = stray.slice(0, maxDelete);
    report.deleted += going.length;
    for (const { byte_length: length } of going) report.deletedBytes += length;
    if (dryRun || going.length === 0) return;
    const keys = JSON.stringify(going.map(({ blob_key: key }) => key));
    await tx.run("DELETE FROM blobs WHERE blob_key IN (SELECT value FROM json_each($1))", [keys]);
  });
}

async function sweepExternal(
  db: SqlExecutor,
  external: ExternalAssets,
  { dryRun, maxDelete, signal }: ReturnType<typeof checkAssetSweep>,
  report: AssetSweepReport,
): Promise<void> {
  const turns = new TurnTaker();
  for await (const { hashes, stray } of strayPages(db, external)) {
    report.examined += hashes;
    for (const hash of stray) {
      throwIfAborted(signal);
      if (report.deleted >= maxDelete || external.isPinned) {
        report.more = true;
        return;
      }
      const size = (await external.blobs.sizeOf(externalKey(hash))) ?? 0;
      // What was stray a moment ago may be held, or named, by now.
      if (dryRun || (await external.deleteUnneeded(hash))) {
        report.deleted++;
        report.deletedBytes += size;
      }
      await turns.breathe();
    }
  }
}

/** Goes through the hashes of the bytes beside the database, with those that no row names and nobody holds. */
export async function* strayPages(
  db: SqlExecutor,
  external: ExternalAssets,
): AsyncGenerator<{ hashes: number; stray: string[] }, void, undefined> {
  const found = (await external.blobs.list(ASSET_PREFIX)).flatMap((key) => hashOfKey(key) ?? []);
  for (let at = 0; at < found.length; at += PAGE) {
    const page = found.slice(at, at + PAGE);
    const rows = await db.all<{ content_hash: string }>(
      `SELECT content_hash FROM assets WHERE blob_store = 'external'
         AND content_hash IN (SELECT value FROM json_each($1))`,
      [JSON.stringify(page)],
    );
    const named = new Set(rows.map((row) => row.content_hash));
    yield { hashes: page.length, stray: page.filter((hash) => !named.has(hash) && !external.isHeld(hash)) };
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const cause: unknown = signal.reason;
  const context = { capability: "documents", operation: "sweepBlobs", cause } as const;
  throw new StorageError("ABORTED", "the sweep was cancelled; what is deleted stays so", context);
}
