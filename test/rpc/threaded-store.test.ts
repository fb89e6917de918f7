import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { SqlVectorUpkeep } from "../../src/drivers/vectors/sql-upkeep.ts";
import { Lane, type LaneThread } from "../../src/rpc/lane.ts";
import { NO_INDEXES } from "../../src/rpc/no-indexes.ts";
import { ReaderPool } from "../../src/rpc/reader-pool.ts";
import type { StoreThread } from "../../src/rpc/store-thread.ts";
import { ThreadedStore } from "../../src/rpc/threaded-store.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { documentStoreConformance } from "../conformance/document-store.ts";
import { servedHere } from "./served-here.ts";

/** What a thread would serve, served here: a thread for every test would take longer than the tests. */
async function partHere(path: string, readOnly: boolean): Promise<LaneThread> {
  const db = await openSqlNode({ path, functions: storeFunctions, readOnly });
  const store = await createStore({ db, blobs: new SqlBlobStore(db), readOnly });
  const part: StoreThread = {
    store,
    upkeep: new SqlVectorUpkeep(db),
    indexes: NO_INDEXES,
    engine: async () => undefined,
    follow: async () => undefined,
  };
  const connection = await servedHere<StoreThread>(part);
  return { connection, ref: () => undefined, unref: () => undefined, ended: Promise.resolve() };
}

// Every read goes over another connection than the writes before it, and must see them.
documentStoreConformance("of a store with one that writes and two that read", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-threaded-"));
  const path = join(dir, "lodestore.db");
  const writer = new Lane(await partHere(path, false));
  const readers = await ReaderPool.start(2, () => partHere(path, true));
  const store = new ThreadedStore({ writer, readers, indexesIn: "readers", release: async () => undefined });
  return {
    documents: store.documents,
    close: async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
});
