import { join } from "node:path";
import type { Store } from "./contracts/store.ts";
import { SqlBlobStore } from "./drivers/blobs-sql.ts";
import { openSqlNode } from "./drivers/sql-node.ts";
import { makeStoreDirectory } from "./drivers/store-directory-node.ts";
import { storeFunctions } from "./store/schema-functions.ts";
import { createStore } from "./store/store.ts";

export * from "./index.ts";

/** Where a Node store lives. */
export interface OpenNodeStoreOptions {
  /** Folder of the store; made when absent. The database is `lodestore.db` in it. */
  dir: string;
}

/**
 * Opens the store in a folder, making it when there is none. Other processes may have it open too: one writes at a time,
 * and who waits longer than five seconds for its turn gets TIMEOUT.
 *
 * @throws StorageError INVALID_INPUT (dir), TIMEOUT, SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, BAD_FORMAT, CORRUPT, DRIVER
 * @example
 *   await using store = await openStore({ dir: "./my-store" });
 *   await store.ingest({ path: "hello.md", content: "# Hello\n\nGood morning." });
 *   const { hits } = await store.search({ text: "morning" });
 */
export async function openStore(options: OpenNodeStoreOptions): Promise<Store> {
  const dir = await makeStoreDirectory(options.dir);
  const db = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
  return createStore({ db, blobs: new SqlBlobStore(db, { persistent: true }) });
}
