import type { Store } from "./contracts/store.ts";
import { openSqlOpfs } from "./drivers/sql-opfs.ts";
import { SqlBlobStore } from "./drivers/blobs-sql.ts";
import { workerScopeEndpoint } from "./rpc/endpoint.ts";
import { serve } from "./rpc/server.ts";
import { storeFunctions } from "./store/schema-functions.ts";
import { createStore } from "./store/store.ts";

/** The dedicated worker that owns a store: `openStore` of `lodestore/browser` starts it and passes the store's name. */
interface WorkerParams {
  name: string;
}

serve(
  workerScopeEndpoint(),
  async (params): Promise<Store> => {
    const { name } = params as WorkerParams;
    const db = await openSqlOpfs({ name, functions: storeFunctions });
    return createStore({ db, blobs: new SqlBlobStore(db, { persistent: true }) });
  },
  {
    onDisconnect: (store) => {
      // Nobody is left to hear of a failure; the process ends with the worker, and the database is safe at any moment.
      (store as Store).close().catch(() => undefined);
    },
  },
);
