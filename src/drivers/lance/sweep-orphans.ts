import type { SqlDatabase } from "../../contracts/sql.ts";
import { requireBoolean, requireId, requireInteger, requireList, requireObject } from "../../contracts/validate.ts";
import type { OrphanSweepOptions, OrphanSweepReport } from "../../contracts/vectors.ts";
import { oneOfTexts } from "./key-condition.ts";
import type { LiveTable } from "./live-table.ts";

/** Rows that are deleted together. */
const BATCH = 1000;

/** Deletes vectors that no committed or pending embedding record stands for.
 *  @param live Absent where the table is not in its folder.
 *  @param checkWritable Throws where nothing may be deleted. */
export async function sweepLanceOrphans(
  db: SqlDatabase,
  live: LiveTable | undefined,
  options: OrphanSweepOptions,
  checkWritable: () => void,
): Promise<OrphanSweepReport> {
  const site = { capability: "vectors", operation: "orphanSweep" } as const;
  const given = requireObject(site, "options", options, ["allowlist", "maxDelete", "dryRun"]);
  const maxDelete = requireInteger(site, "maxDelete", given["maxDelete"] ?? 10_000, 1, 1_000_000);
  const dryRun = requireBoolean(site, "dryRun", given["dryRun"] ?? false);
  const stay = new Set(
    requireList(site, "allowlist", given["allowlist"] ?? [], 0, 1_000_000).map((id, i) =>
      requireId(site, `allowlist[${i}]`, id),
    ),
  );
  if (!dryRun) checkWritable();
  if (live === undefined) return { orphans: 0, deleted: 0 };
  let orphans = 0;
  const doomed: string[] = [];
  for await (const rows of live.rows(site.operation, ["embedding_id", "chunk_id"])) {
    const ids = rows.getChild("embedding_id");
    const chunks = rows.getChild("chunk_id");
    const pairs = Array.from({ length: rows.numRows }, (_, at) => [ids?.get(at), chunks?.get(at)] as [string, string]);
    for (const id of await withoutRecord(
      db,
      pairs.filter(([, chunkId]) => !stay.has(chunkId)),
    )) {
      orphans++;
      if (doomed.length < maxDelete) doomed.push(id);
    }
  }
  if (dryRun) return { orphans, deleted: 0 };
  let deleted = 0;
  for (let from = 0; from < doomed.length; from += BATCH) {
    deleted += await live.delete(site.operation, oneOfTexts("embedding_id", doomed.slice(from, from + BATCH)));
  }
  return { orphans, deleted };
}

/** Ids of those that have no record of their chunk, or only a tombstone. */
async function withoutRecord(db: SqlDatabase, pairs: readonly (readonly [string, string])[]): Promise<string[]> {
  const rows = await db.all<{ id: string }>(
    `SELECT value ->> 0 AS id FROM json_each($1) WHERE NOT EXISTS (
       SELECT 1 FROM embedding_records r WHERE r.embedding_id = value ->> 0 AND r.chunk_id = value ->> 1
         AND r.status <> 'tombstone')`,
    [JSON.stringify(pairs)],
  );
  return rows.map(({ id }) => id);
}
