import type { SqlDatabase } from "../../contracts/sql.ts";
import { requireBoolean, requireId, requireInteger, requireList, requireObject } from "../../contracts/validate.ts";
import type { OrphanSweepOptions, OrphanSweepReport } from "../../contracts/vectors.ts";
import type { KnownTable } from "./vector-tables.ts";

/** Deletes vectors that no committed or pending embedding record stands for. */
export async function sweepOrphans(
  db: SqlDatabase,
  table: KnownTable,
  options: OrphanSweepOptions,
): Promise<OrphanSweepReport> {
  const site = { capability: "vectors", operation: "orphanSweep" } as const;
  const given = requireObject(site, "options", options, ["allowlist", "maxDelete", "dryRun"]);
  const maxDelete = requireInteger(site, "maxDelete", given["maxDelete"] ?? 10_000, 1, 1_000_000);
  const dryRun = requireBoolean(site, "dryRun", given["dryRun"] ?? false);
  const stay = requireList(site, "allowlist", given["allowlist"] ?? [], 0, 1_000_000).map((id, i) =>
    requireId(site, `allowlist[${i}]`, id),
  );
  // Without records first, from the index alone; only what is found is read.
  const orphan = `v.embedding_id IN (SELECT o.embedding_id FROM "${table.tableName}" o WHERE NOT EXISTS (
      SELECT 1 FROM embedding_records r WHERE r.embedding_id = o.embedding_id AND r.status <> 'tombstone'))
    AND v.chunk_id NOT IN (SELECT value FROM json_each($1))`;
  return db.transaction(async (tx) => {
    const row = await tx.get<{ n: number }>(`SELECT count(*) AS n FROM "${table.tableName}" v WHERE ${orphan}`, [
      JSON.stringify(stay),
    ]);
    const orphans = row?.n ?? 0;
    if (dryRun || orphans === 0) return { orphans, deleted: 0 };
    const { changes } = await tx.run(
      `DELETE FROM "${table.tableName}" WHERE vector_key IN
         (SELECT v.vector_key FROM "${table.tableName}" v WHERE ${orphan} ORDER BY v.vector_key LIMIT $2)`,
      [JSON.stringify(stay), maxDelete],
    );
    return { orphans, deleted: changes };
  });
}
