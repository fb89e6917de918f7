import type { SqlExecutor } from "../../contracts/sql.ts";

/** Stands in `kv` while rows of an import are committed whose vectors are still being carried over. */
const MARK = "import_unfinished";

/** Says, with the rows of an import, that it is not at its end. */
export async function beginImport(tx: SqlExecutor): Promise<void> {
  await tx.run("INSERT INTO kv (key, value) VALUES ($1, '1') ON CONFLICT (key) DO UPDATE SET value = '1'", [MARK]);
}

export async function endImport(db: SqlExecutor): Promise<void> {
  await db.run("DELETE FROM kv WHERE key = $1", [MARK]);
}

/** Whether an import ended before its end. */
export async function isImportUnfinished(db: SqlExecutor): Promise<boolean> {
  return (await db.get("SELECT 1 AS found FROM kv WHERE key = $1", [MARK])) !== undefined;
}
