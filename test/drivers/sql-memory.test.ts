import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { testSqlDatabase } from "../conformance/sql-database.ts";
import { suiteFunctions } from "../conformance/sql-functions.ts";

testSqlDatabase("sql-memory", async () => {
  const db = await openSqlMemory({ functions: suiteFunctions });
  return { db, cleanup: () => db.close() };
});
