import { splitSqlScript } from "../../contracts/sql-text.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { migrations } from "../../sql/migrations.generated.ts";

const CREATES = /^CREATE TRIGGER (?:IF NOT EXISTS )?"?(\w+)"?/iu;
const DROPS = /^DROP TRIGGER (?:IF EXISTS )?"?(\w+)"?/iu;

/** Finds triggers of the schema that are not there: without them index, tombstones and whatever else follows from rows stays behind. */
export async function triggerProblems(db: SqlDatabase): Promise<string[]> {
  return [...(await missingTriggers(db)).keys()].map((name) => `the trigger ${name} is missing`);
}

/** Makes the triggers anew that are not there. @returns their names. */
export async function restoreTriggers(db: SqlDatabase): Promise<string[]> {
  const missing = await missingTriggers(db);
  await db.transaction(async (tx) => {
    for (const statement of missing.values()) await tx.run(statement);
  });
  return [...missing.keys()];
}

async function missingTriggers(db: SqlDatabase): Promise<Map<string, string>> {
  const rows = await db.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
  const there = new Set(rows.map(({ name }) => name));
  return new Map([...schemaTriggers()].filter(([name]) => !there.has(name)));
}

/** The triggers that the migrations leave, with the statements that make them. */
function schemaTriggers(): Map<string, string> {
  const triggers = new Map<string, string>();
  for (const { sql } of migrations) {
    for (const statement of splitSqlScript(sql)) {
      const made = CREATES.exec(statement)?.[1];
      const dropped = DROPS.exec(statement)?.[1];
      if (made !== undefined) triggers.set(made, statement);
      if (dropped !== undefined) triggers.delete(dropped);
    }
  }
  return triggers;
}
