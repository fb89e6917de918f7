import { expect, it } from "vitest";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";

testSqlDatabase("sql-memory", async () => {
  const db = await openSqlMemory({ functions: suiteFunctions });
  return { db, cleanup: () => db.close() };
});

it("sql-memory keeps 200 prepared statements, and none of an iteration that was left", async () => {
  await using db = await openSqlMemory({ functions: {} });
  const prepared = async (): Promise<unknown> => (await db.get("SELECT count(*) AS n FROM sqlite_stmt"))?.["n"];
  await db.get("SELECT 0");
  expect(await prepared()).toBe(2);
  for (let i = 0; i < 500; i++) {
    await db.get(`SELECT ${i}`);
    for await (const _ of db.iterate(`VALUES (${i % 10}), (1)`)) break;
  }
  expect(await prepared()).toBe(200);
});
