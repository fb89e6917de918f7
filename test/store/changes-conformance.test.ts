import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlMemory } from "../../src/drivers/sql-memory.ts";
import { StoreClient } from "../../src/rpc/store-client.ts";
import type { Store } from "../../src/contracts/store.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { changeFeedConformance } from "../conformance/change-feed.ts";
import { servedHere } from "../rpc/served-here.ts";
import { openNodeStore } from "../support/open-node-store.ts";
import { openTestStore } from "../support/open-test-store.ts";

changeFeedConformance("of a store in process on sql-node", async () => {
  const { store } = await openTestStore();
  return { store, close: () => store.close() };
});

changeFeedConformance("of a store in process on sql-memory", async () => {
  const db = await openSqlMemory({ functions: storeFunctions });
  const store = await createStore({ db, blobs: new SqlBlobStore(db) });
  return { store, close: () => store.close() };
});

changeFeedConformance("of a store over rpc", async () => {
  const { store: served } = await openTestStore();
  const store = new StoreClient(await servedHere<Store>(served));
  return { store, close: () => store.close() };
});

changeFeedConformance("of a store in threads", async () => {
  const store = await openNodeStore({ readers: 1 });
  return { store, close: () => store.close() };
});
