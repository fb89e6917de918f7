import { expect, onTestFinished, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { migrated } from "../support/migrated.ts";

const drivers: Record<string, () => Promise<SqlDatabase>> = {
  "sql-node": () => openSqlNode({ path: ":memory:", functions }),
  "sql-memory": () => openSqlMemory({ functions }),
};

async function opened(driver: string): Promise<SqlDatabase> {
  const db = await drivers[driver]?.();
  if (db === undefined) throw new Error(`no driver ${driver}`);
  onTestFinished(() => db.close());
  return db;
}

/** Every object of the schema in its order, the columns of every table, and every row but for the time of the migration. */
async function contentsOf(db: SqlDatabase): Promise<unknown> {
  const schema = await db.all<{ type: string; name: string }>(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid",
  );
  const tables: Record<string, unknown> = {};
  for (const { name } of schema.filter(({ type }) => type === "table")) {
    const rows = await db.all(`SELECT * FROM "${name}"`);
    tables[name] = {
      columns: await db.all(`SELECT * FROM pragma_table_xinfo('${name}')`),
      rows: rows.map((row) => ({ ...row, applied_at: null })),
    };
  }
  return { schema, tables };
}

test.each(Object.keys(drivers))(
  "a database of the tests on '%s' is, the first and the second time, what the migrations make of one",
  async (driver) => {
    const [first, second, model] = [await opened(driver), await opened(driver), await opened(driver)];
    await migrated(first);
    await migrated(second);
    await migrate(model);
    expect(await contentsOf(first)).toEqual(await contentsOf(model));
    expect(await contentsOf(second)).toEqual(await contentsOf(model));
    expect(await migrate(second)).toMatchObject({ applied: [] });
  },
);
