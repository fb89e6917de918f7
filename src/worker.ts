import type { Store } from "./contracts/store.ts";
import { openOpfsBlobs } from "./drivers/blobs-opfs.ts";
import { SqlBlobStore } from "./drivers/blobs-sql.ts";
import { type EmbedderSpec, makeEmbedder } from "./drivers/embed/embedder-spec.ts";
import { openOpfsReserve, openSqlOpfs } from "./drivers/sql-opfs.ts";
import { openBrowserStorage } from "./drivers/storage-browser.ts";
import { HnswVectorStore } from "./drivers/vectors-hnsw.ts";
import { checkVectorSettings, type VectorSettings } from "./drivers/vectors/index-policy.ts";
import { loadKernel } from "./drivers/vectors/load-kernel.ts";
import { workerScopeEndpoint } from "./rpc/endpoint.ts";
import { serve } from "./rpc/server.ts";
import { AllowedChunks } from "./store/allowed-chunks.ts";
import { indexId } from "./store/ids.ts";
import { storeFunctions } from "./store/schema-functions.ts";
import { SearchCache } from "./store/search/search-cache.ts";
import { createStore } from "./store/store.ts";
import { SearchActivity } from "./turns.ts";

/** The dedicated worker that owns a store: `openStore` of `lodestore/browser` starts it and passes what it was given. */
interface WorkerParams {
  name: string;
  embedder?: EmbedderSpec;
  embedOnOpen?: boolean;
  vectors?: VectorSettings;
  searchCacheBytes?: number;
  kernelUrl?: string;
}

serve(
  workerScopeEndpoint(),
  async (params): Promise<Store> => {
    const { name, embedder, embedOnOpen, vectors, searchCacheBytes, kernelUrl } = params as WorkerParams;
    const settings = checkVectorSettings({ capability: "store", operation: "open" }, vectors);
    const made = embedder === undefined ? undefined : makeEmbedder(embedder);
    const kernel = await loadKernel(kernelUrl ?? new URL("../wasm/hnsw.wasm", import.meta.url));
    const db = await openSqlOpfs({ name, functions: storeFunctions });
    // Whoever has the database is the only one here, and what is half-written is of the past.
    const snapshots = await openOpfsBlobs({ name });
    const assets = await openOpfsBlobs({ name, folder: "assets" });
    const activity = new SearchActivity();
    const filters = new AllowedChunks(db);
    return createStore({
      db,
      blobs: new SqlBlobStore(db, { persistent: true }),
      assets,
      vectors: new HnswVectorStore(db, {
        ...settings,
        kernel,
        allowedChunks: filters.matching,
        indexId,
        snapshots,
        activity,
      }),
      filters,
      activity,
      storage: openBrowserStorage({ name }),
      reserve: openOpfsReserve({ name }),
      searchCache: new SearchCache(db, searchCacheBytes),
      ...(made === undefined ? {} : { embedder: made }),
      ...(embedOnOpen === undefined ? {} : { embedOnOpen }),
    });
  },
  {
    onDisconnect: (store) => {
      // Nobody is left to hear of a failure; the process ends with the worker, and the database is safe at any moment.
      (store as Store).close().catch(() => undefined);
    },
  },
);
