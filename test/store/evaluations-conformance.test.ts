import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { evaluationsConformance } from "../conformance/evaluations.ts";
import { openTestStore } from "../support/open-test-store.ts";

evaluationsConformance("of a store on sql-node", async () => {
  const { store } = await openTestStore();
  return { store, close: () => store.close() };
});

evaluationsConformance("of a store on sql-memory", async () => {
  const db = await openSqlMemory({ functions: storeFunctions });
  const store = await createStore({ db, blobs: new SqlBlobStore(db) });
  return { store, close: () => store.close() };
});
