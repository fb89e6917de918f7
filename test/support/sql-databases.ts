import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { migrated } from "./migrated.ts";

/** Every SQL driver of Node, opened fresh in memory with the schema in it. */
export const sqlDatabases: readonly { driver: string; open: () => Promise<SqlDatabase> }[] = [
  { driver: "sql-node", open: async () => migrated(await openSqlNode({ path: ":memory:", functions })) },
  { driver: "sql-memory", open: async () => migrated(await openSqlMemory({ functions })) },
];
