import type { SqlExecutor } from "../../contracts/sql.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";
import { requireRoom } from "../upkeep/require-room.ts";
import type { ArchiveManifest } from "./manifest.ts";

/** Least of a database that copying its rows into another one takes: the same rows in the same tables. */
const LEAST_SHARE = 0.5;

/** Refuses an import that cannot fit, once the archive has said how large its database and the assets beside it are: the database is put
 *  aside as a file, and its rows then go into the store.
 *  @param external What is there already, left by an import that was interrupted, takes nothing more.
 *  @throws StorageError QUOTA_EXCEEDED */
export async function requireImportRoom(
  db: SqlExecutor,
  storage: StoreStorage,
  { databaseBytes, assets }: ArchiveManifest,
  external: ExternalAssets | undefined,
): Promise<void> {
  const { free } = await pages(db);
  const rows = Math.max(0, Math.floor(databaseBytes * LEAST_SHARE) - free);
  const beside = assets.bytes === 0 ? 0 : Math.max(0, assets.bytes - ((await external?.sizeBytes()) ?? 0));
  const also = assets.bytes === 0 ? "" : ` and ${assets.bytes} bytes of assets beside it`;
  const needed = databaseBytes + rows + beside;
  const what = `importing an archive with a database of ${databaseBytes} bytes${also}`;
  await requireRoom(storage, { capability: "archive", operation: "import" }, needed, what);
}

/** Refuses an export whose copy of the database cannot fit.
 *  @throws StorageError QUOTA_EXCEEDED */
export async function requireExportRoom(db: SqlExecutor, storage: StoreStorage): Promise<void> {
  const { used } = await pages(db);
  await requireRoom(
    storage,
    { capability: "archive", operation: "export" },
    used,
    "the copy that an export is made from",
  );
}

async function pages(db: SqlExecutor): Promise<{ used: number; free: number }> {
  const row = await db.get<{ used: number; free: number }>(
    `SELECT page_count * page_size AS used, freelist_count * page_size AS free
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  );
  return row ?? { used: 0, free: 0 };
}
