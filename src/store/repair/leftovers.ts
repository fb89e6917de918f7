import type { TransactionalBlobStore } from "../../contracts/blobs.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { nextTurn } from "../../turns.ts";
import { dropUnusedAsset } from "../documents/asset-rows.ts";
import type { ExternalAssets } from "../documents/external-assets.ts";

/** An asset is put before its document. One that has none after this long is left over: whoever put it ended in between. */
const LEFT_OVER_MS = 24 * 3_600_000;
/** Assets of one transaction. */
const BATCH = 100;

const UNUSED = "FROM assets a WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.asset_id = a.asset_id)";
const LEFT_OVER = `${UNUSED} AND a.created_at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${LEFT_OVER_MS}`;

/** SQL that finds assets that are left over. */
export const UNUSED_ASSET_PROBLEMS: string = `SELECT 'no document has asset ' || a.asset_id AS problem ${LEFT_OVER}`;

/** Tables of vectors that are in no register: nothing reads them, and their triggers write on. */
const UNREGISTERED = `FROM sqlite_schema s WHERE s.type = 'table' AND s.name GLOB 'chunk_embeddings_*'
  AND s.name NOT IN (SELECT table_name FROM vector_tables)`;

/** SQL that finds what vector indexes left that are gone: tables, and changes that none will read. */
export const VECTOR_LEFTOVER_PROBLEMS: string = `
  SELECT 'no register names the table ' || s.name AS problem ${UNREGISTERED}
  UNION ALL
  SELECT count(*) || ' changes of the vector index ' || c.generation_key || ', which is gone' AS problem
  FROM vector_changes c WHERE c.generation_key NOT IN (SELECT generation_key FROM vector_generations)
  GROUP BY c.generation_key`;

/** Counts the assets that no document has. */
export async function unusedAssets(db: SqlDatabase): Promise<number> {
  return (await db.get<{ n: number }>(`SELECT count(*) AS n ${UNUSED}`))?.n ?? 0;
}

/** Deletes the assets that are left over, with their bytes. @returns how many there were. */
export async function dropUnusedAssets(
  db: SqlDatabase,
  blobs: TransactionalBlobStore,
  external: ExternalAssets | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (let dropped = 0; ; await nextTurn()) {
    signal?.throwIfAborted();
    const batch = await db.transaction(async (tx) => {
      const rows = await tx.all<{ id: string }>(`SELECT a.asset_id AS id ${LEFT_OVER} LIMIT ${BATCH}`);
      for (const { id } of rows) await dropUnusedAsset(tx, { database: blobs.over(tx), external }, id);
      return rows.length;
    });
    await external?.collect();
    dropped += batch;
    if (batch < BATCH) return dropped;
  }
}

/** Deletes what vector indexes left that are gone. @returns what it was, for people. */
export async function dropVectorLeftovers(db: SqlDatabase): Promise<string> {
  return db.transaction(async (tx) => {
    const tables = await tx.all<{ name: string }>(`SELECT s.name ${UNREGISTERED}`);
    for (const { name } of tables) {
      const triggers = await tx.all<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, length($1) + 1) = $1 || '_'",
        [name],
      );
      for (const trigger of triggers) await tx.run(`DROP TRIGGER "${trigger.name}"`);
      await tx.run(`DROP TABLE "${name}"`);
    }
    const { changes } = await tx.run(
      "DELETE FROM vector_changes WHERE generation_key NOT IN (SELECT generation_key FROM vector_generations)",
    );
    return `deleted ${tables.length} tables and ${changes} changes of vector indexes that are gone`;
  });
}
