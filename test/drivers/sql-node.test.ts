import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";

testSqlDatabase("sql-node", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lodestore-"));
  const db = await openSqlNode({ path: join(folder, "store.sqlite3"), functions: suiteFunctions });
  const cleanup = async (): Promise<void> => {
    await db.close();
    rmSync(folder, { recursive: true });
  };
  return { db, cleanup };
});
