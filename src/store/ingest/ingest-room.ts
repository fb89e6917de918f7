import { knownBytes } from "../../contracts/known-bytes.ts";
import type { CheckedIngestOptions } from "../../contracts/check-ingest.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { IngestSource } from "../../contracts/store.ts";
import type { StoreStorage } from "../../contracts/upkeep.ts";
import { requireRoom } from "../upkeep/require-room.ts";

/** Less than this is not looked at: there is nearly always as much, and finding out takes longer than writing. */
const WORTH_LOOKING = 1024 * 1024;
/** Least that a byte of a file takes. Its text stands in the passages and its words in the index, which is more than the file; but bytes may
 *  be kept compressed, and files may be refused. */
const LEAST_SHARE = 0.5;

/** Refuses files that cannot fit, as far as their sizes are known, before the first of them is read.
 *  @throws StorageError QUOTA_EXCEEDED */
export async function requireIngestRoom(
  db: SqlExecutor,
  storage: StoreStorage,
  source: IngestSource,
  { totalBytes, maxFileBytes }: CheckedIngestOptions,
): Promise<void> {
  const bytes = Math.max(totalBytes ?? 0, knownBytes(source, maxFileBytes));
  if (bytes < WORTH_LOOKING) return;
  // Files that are in already take nothing more; those that changed take the room of what they replace.
  const row = await db.get<{ inStore: number; free: number }>(
    `SELECT (SELECT coalesce(sum(a.byte_length), 0) FROM documents d JOIN assets a ON a.asset_id = d.asset_id) AS "inStore",
       (SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size) AS free`,
  );
  const { inStore, free } = row ?? { inStore: 0, free: 0 };
  const needed = Math.floor((bytes - inStore) * LEAST_SHARE) - free;
  await requireRoom(
    storage,
    { capability: "ingest", operation: "ingest" },
    needed,
    `taking in ${bytes} bytes of files`,
  );
}
