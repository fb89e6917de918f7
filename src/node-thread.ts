import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Embedder } from "./contracts/embedder.ts";
import type { SqlDatabase } from "./contracts/sql.ts";
import { FsBlobStore, openFsBlobs } from "./drivers/blobs-fs.ts";
import { SqlBlobStore } from "./drivers/blobs-sql.ts";
import { makeEmbedder } from "./drivers/embed/embedder-spec.ts";
import { openSqlNode } from "./drivers/sql-node.ts";
import { removeImagesOfWriter } from "./drivers/sql-image-node.ts";
import { openNodeStorage } from "./drivers/storage-node.ts";
import { SqlVectorUpkeep } from "./drivers/vectors/sql-upkeep.ts";
import { takeWriterLock } from "./drivers/writer-lock-node.ts";
import { StorageError } from "./errors.ts";
import type { ThreadParams, ThreadRole } from "./node-threads.ts";
import { chooseVectors, type VectorParts } from "./node-vectors.ts";
import { connect } from "./rpc/client.ts";
import { type PortLike, threadPortEndpoint } from "./rpc/endpoint.ts";
import { heavyCalls } from "./rpc/heavy-calls.ts";
import { NO_INDEXES } from "./rpc/no-indexes.ts";
import type { Remote } from "./rpc/remote.ts";
import { serve } from "./rpc/server.ts";
import type { StoreThread, ThreadHome } from "./rpc/store-thread.ts";
import { AllowedChunks } from "./store/allowed-chunks.ts";
import { storeFunctions } from "./store/schema-functions.ts";
import { SearchCache } from "./store/search/search-cache.ts";
import { createStore } from "./store/store.ts";
import { SearchActivity } from "./turns.ts";

/** Serves this thread's part of a store to the one that started it. Where that one gives up while the store opens, the thread closes what
 *  it has and ends by itself: ended from outside in the midst of native code it would take the process with it. */
export function serveThread(): void {
  const { home } = workerData as { home: MessagePort };
  const open = async (params: unknown, signal: AbortSignal): Promise<StoreThread> => {
    try {
      const { proxy } = await connect<ThreadHome>(threadPortEndpoint(home as unknown as PortLike));
      return await openThread(params as ThreadParams, proxy, signal);
    } catch (error) {
      const end = (): never => process.exit();
      if (signal.aborted) end();
      signal.addEventListener("abort", end);
      throw error;
    }
  };
  serve(threadPortEndpoint(parentPort as unknown as PortLike), open, {
    onDisconnect: (thread) => {
      const end = (): never => process.exit();
      (thread as StoreThread).store.close().then(end, end);
    },
  });
}

async function openThread(params: ThreadParams, home: Remote<ThreadHome>, signal: AbortSignal): Promise<StoreThread> {
  const { role, dir, readOnly, embedOnOpen } = params;
  const writes = role === "alone" || role === "writer";
  const embedder = role === "reader" ? undefined : embedderOf(params.embedder, home);
  const lock = writes ? takeWriterLock(dir) : undefined;
  let db: SqlDatabase | undefined;
  try {
    const path = join(dir, "lodestore.db");
    if (lock !== undefined) await removeImagesOfWriter(path);
    db = await openSqlNode({ path, functions: storeFunctions, readOnly: !writes, ofWriter: !readOnly });
    const activity = new SearchActivity();
    const closing = new AbortController();
    const filters = new AllowedChunks(db);
    const searchCache = new SearchCache(db, params.searchCacheBytes);
    const chosen =
      role === "reader"
        ? undefined
        : await chooseVectors(params.vectors, {
            db,
            dir,
            activity,
            filters,
            readOnly: !writes,
            stay: readOnly,
            ...partOf(role, readOnly, home),
          });
    const vectors = chosen?.vectors;
    const store = await createStore({
      db,
      blobs: new SqlBlobStore(db, { persistent: true }),
      assets: await assetsIn(join(dir, "assets"), writes),
      activity,
      filters,
      storage: openNodeStorage(dir),
      searchCache,
      readOnly: !writes,
      signal,
      closing: closing.signal,
      ...(chosen === undefined ? {} : { vectors: chosen.vectors, vectorsBefore: chosen.before }),
      ...(chosen?.fallback === undefined ? {} : { vectorsFallback: chosen.fallback }),
      ...(embedder === undefined ? {} : { embedder }),
      ...(embedOnOpen === undefined ? {} : { embedOnOpen }),
      ...(lock === undefined ? {} : { lock }),
      ...(role === "writer" ? { searchElsewhere: (query, options) => home.search(query, options) } : {}),
    });
    return {
      store,
      heavy: heavyCalls(store),
      pinAssets: async () => store.pinAssets(),
      upkeep: new SqlVectorUpkeep(db),
      indexes: vectors ?? NO_INDEXES,
      engine: async () => chosen?.engine,
      hurry: async () =>
        closing.abort(new StorageError("CLOSED", "the store was closed", { capability: "store", operation: "close" })),
      searchCache: async () => searchCache.stats(),
      follow: async (indexId, modelVersion) => {
        if (vectors !== undefined && "follow" in vectors) await vectors.follow(indexId, modelVersion);
      },
    };
  } catch (error) {
    await db?.close();
    lock?.release();
    throw error;
  }
}

/** The folder is made when it is needed. Who only reads sweeps nothing there; who writes is the only one, and sweeps all that is
 *  half-written. */
async function assetsIn(dir: string, writes: boolean): Promise<FsBlobStore> {
  const found = writes ? await stat(dir).catch(() => undefined) : undefined;
  return found?.isDirectory() === true ? openFsBlobs({ dir, alone: true }) : new FsBlobStore(dir);
}

/** What a role has to do with the vector indexes. */
function partOf(role: ThreadRole, readOnly: boolean, home: Remote<ThreadHome>): Pick<VectorParts, "upkeep" | "keeper"> {
  switch (role) {
    case "writer":
      return { keeper: home.keeper };
    case "keeper":
      return { upkeep: readOnly ? "none" : home.upkeep };
    case "alone":
    case "reader":
      return {};
  }
}

/** The embedder that this thread makes by itself, or calls where the store was opened. */
function embedderOf(given: ThreadParams["embedder"], home: Remote<ThreadHome>): Embedder | undefined {
  if (given === undefined) return undefined;
  if ("kind" in given) return makeEmbedder(given);
  const { fusionWeight, ...traits } = given;
  const embed: Embedder["embed"] = (texts, options) => home.embed(texts, options);
  return { ...traits, ...(fusionWeight === undefined ? {} : { fusionWeight }), embed };
}
