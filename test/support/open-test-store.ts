import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { Store } from "../../src/contracts/store.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";

/** A store on Node with its database at hand, for looking at rows.
 *  @param path Database file; in memory by default. */
export async function openTestStore(path = ":memory:"): Promise<{ store: Store; db: SqlDatabase }> {
  const db = await openSqlNode({ path, functions: storeFunctions });
  const store = await createStore({ db, blobs: new SqlBlobStore(db), assets: new MemoryBlobStore() });
  return { store, db };
}
