import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { migrations } from "../../src/sql/migrations.generated.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";

/** Makes the file that a release with an earlier schema would have: its migrations, and the rows of a store of now in the columns that it had.
 *  @param source A closed store that was written plain, with vectors as 32-bit floats. */
export async function makeEarlierRelease(path: string, source: string, version: number): Promise<void> {
  await using db = await openSqlNode({ path, functions: storeFunctions });
  await migrate(db, migrations.slice(0, version));
  await db.exec(`ATTACH '${source}' AS source`);
  await db.exec("PRAGMA foreign_keys = OFF");
  const made = await db.all<{ sql: string }>(
    `SELECT sql FROM source.sqlite_schema WHERE name GLOB 'chunk_embeddings_*' AND sql IS NOT NULL ORDER BY type = 'trigger'`,
  );
  const isTrigger = (sql: string): boolean => sql.startsWith("CREATE TRIGGER");
  for (const { sql } of made) if (!isTrigger(sql)) await db.exec(sql);
  for (const name of await tablesOf(db)) {
    const columns = await db.all<{ name: string }>("SELECT name FROM pragma_table_info($1, 'main')", [name]);
    const list = columns.map((column) => `"${column.name}"`).join(", ");
    await db.exec(`INSERT OR REPLACE INTO main."${name}" (${list}) SELECT ${list} FROM source."${name}"`);
  }
  for (const { sql } of made) if (isTrigger(sql)) await db.exec(sql);
}

async function tablesOf(db: SqlDatabase): Promise<string[]> {
  const tables = await db.all<{ name: string }>(
    `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
       AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'schema_migrations' ORDER BY name`,
  );
  return tables.map(({ name }) => name);
}
