import { SqlBlobStore } from "../../../src/drivers/blobs-sql.ts";
import { openSqlOpfs } from "../../../src/drivers/sql-opfs.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { SearchCache } from "../../../src/store/search/search-cache.ts";
import { createStore } from "../../../src/store/store.ts";
import { runStream, type StreamTask, type StreamTimes } from "../zipf-stream.ts";

/** What is to be measured: a stream of searches in a store in this worker. */
export interface CacheTask {
  name: string;
  files: readonly { path: string; text: string }[];
  stream: StreamTask;
}

self.onmessage = async (event: MessageEvent<CacheTask>): Promise<void> => {
  try {
    self.postMessage(await measure(event.data));
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};

async function measure({ name, files, stream }: CacheTask): Promise<StreamTimes> {
  const db = await openSqlOpfs({ name, functions: storeFunctions });
  const searchCache = new SearchCache(db);
  await using store = await createStore({ db, blobs: new SqlBlobStore(db), searchCache });
  await store.ingest(files.map(({ path, text }) => ({ path, content: text })));
  // Awaited here: the store is closed at the end.
  return await runStream(store, searchCache, stream);
}
