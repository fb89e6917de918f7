import type { Store } from "../../src/contracts/store.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlOpfs } from "../../src/drivers/sql-opfs.ts";
import { workerScopeEndpoint } from "../../src/rpc/endpoint.ts";
import { serve } from "../../src/rpc/server.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";

/** Opens stores in this worker, one after the other, for tests in the page: a worker for each would take longer than the tests. */
export class ChatHost {
  async open(name: string): Promise<Store> {
    const db = await openSqlOpfs({ name, functions: storeFunctions });
    return createStore({ db, blobs: new SqlBlobStore(db) });
  }
}

serve(workerScopeEndpoint(), new ChatHost());
