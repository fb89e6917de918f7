import type { SqlDatabase, SqlValue } from "../../src/contracts/sql.ts";
import { migrate } from "../../src/sql/migrate.ts";

/** What the migrations make of an empty database: statements in the order in which their objects came, and the rows that are in them. */
interface Made {
  objects: string[];
  rows: { insert: string; values: SqlValue[] }[];
}

let made: Promise<Made> | undefined;

/** Gives an empty database the newest schema. The migrations run once in a test file; what they came to is copied from then on, which
 *  takes a fifth of the time and leaves the same tables, indexes, triggers and rows (`test/sql/migrated.test.ts`). */
export async function migrated(db: SqlDatabase): Promise<SqlDatabase> {
  if (made === undefined) {
    made = migrate(db).then(() => read(db));
    await made;
    return db;
  }
  const { objects, rows } = await made;
  await db.transaction(async (tx) => {
    for (const sql of objects) await tx.run(sql);
    for (const { insert, values } of rows) await tx.run(insert, values);
  });
  return db;
}

async function read(db: SqlDatabase): Promise<Made> {
  // What belongs to a virtual table comes with it.
  const objects = await db.all<{ sql: string }>(
    `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
     ORDER BY rowid`,
  );
  const tables = await db.all<{ name: string }>(
    `SELECT name FROM pragma_table_list
     WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
  );
  const rows: Made["rows"] = [];
  for (const { name } of tables) {
    for (const row of await db.all<Record<string, SqlValue>>(`SELECT * FROM "${name}"`)) {
      const places = Object.keys(row).map((_, index) => `$${index + 1}`);
      const insert = `INSERT INTO "${name}" (${Object.keys(row).join(", ")}) VALUES (${places.join(", ")})`;
      rows.push({ insert, values: Object.values(row) });
    }
  }
  return { objects: objects.map(({ sql }) => sql), rows };
}
