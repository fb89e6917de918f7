import type { SqlExecutor } from "../../contracts/sql.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import { requireRoom } from "../upkeep/require-room.ts";
import type { ArchiveManifest } from "./manifest.ts";

/** Least of a database that copying its rows into another one takes: the same rows in the same tables. */
const LEAST_SHARE = 0.5;

/** Refuses an import that cannot fit, once the archive has said how large its database is: that is put aside as a file, and its rows then
 *  go into the store.
 *  @throws StorageError QUOTA_EXCEEDED */
export async function requireImportRoom(
  db: SqlExecutor,
  storage: StoreStorage,
  { databaseBytes }: ArchiveManifest,
): Promise<void> {
  const { free } = await pages(db);
  const needed = databaseBytes + Math.max(0, Math.floor(databaseBytes * LEAST_SHARE) - free);
  const what = `importing an archive with a database of ${databaseBytes} bytes`;
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
