import type { Store } from "./contracts/store.ts";
import { checkSearchCacheBytes } from "./contracts/check-search-cache.ts";
import { invalidInput, requireBoolean, requireObject } from "./contracts/validate.ts";
import type { StorageError } from "./errors.ts";
import type { EmbedderSpec } from "./drivers/embed/embedder-spec.ts";
import { deleteOpfsStore } from "./drivers/sql/delete-opfs-store.ts";
import { persistOrigin } from "./drivers/storage-browser.ts";
import type { VectorSettings } from "./drivers/vectors/index-policy.ts";
import { connect } from "./rpc/client.ts";
import { workerEndpoint } from "./rpc/endpoint.ts";
import { StoreClient } from "./rpc/store-client.ts";

export * from "./index.ts";
export type { EmbedderSpec } from "./drivers/embed/embedder-spec.ts";
export type { VectorSettings } from "./drivers/vectors/index-policy.ts";

/** Which store to open in this browser. */
export interface OpenBrowserStoreOptions {
  /** Name of the store within the origin: 1 to 64 of `A–Z a–z 0–9 . _ -`. */
  name: string;
  /** Makes the embeddings, in the worker: without one they are the caller's to put, and searches by meaning need a `vector`. */
  embedder?: EmbedderSpec;
  /** Whether embeddings that are missing are made in the background when the store opens; true by default. */
  embedOnOpen?: boolean;
  /** How vectors are indexed. */
  vectors?: VectorSettings;
  /** Memory for answers of searches, which are handed out again until something changes that they stand on: 0 (none) to 1 GiB in bytes; 8 MiB
   *  by default. */
  searchCacheBytes?: number;
  /** Where `hnsw.wasm` is, for set-ups in which `new URL("../wasm/hnsw.wasm", import.meta.url)` is not found. */
  kernelUrl?: string;
  /** Called once when the worker is gone without having been closed; every pending call rejects with OWNER_LOST. */
  onLost?: (error: StorageError) => void;
  /** Gives up opening and ends the worker: what opening was at, a migration or an index that is built anew, is done by the next one.
   *  Has no effect once the store is open. */
  signal?: AbortSignal;
  /** Starts the worker, for set-ups in which `new URL("./worker.js", import.meta.url)` is not found. */
  createWorker?: () => Worker;
}

const OPTIONS = [
  "name",
  "embedder",
  "embedOnOpen",
  "vectors",
  "searchCacheBytes",
  "kernelUrl",
  "onLost",
  "signal",
  "createWorker",
];

/**
 * Opens the store in this browser, making it when there is none. It lives in a worker and in the origin private file
 * system; one tab has it at a time.
 *
 * @throws StorageError CONFLICT (another tab has it), UNSUPPORTED (no OPFS), INVALID_INPUT (name), SCHEMA_TOO_NEW,
 *   MIGRATION_CHANGED, MIGRATION_MISSING, BAD_FORMAT, CORRUPT, QUOTA_EXCEEDED, OWNER_LOST (the worker ended, also while it
 *   was opening the store), ABORTED
 * @example
 *   const store = await openStore({ name: "notes" });
 *   await store.ingest(files, { onProgress: ({ done }) => show(done) });
 *   const { hits } = await store.search({ text: "wor", prefixLast: true });
 */
export async function openStore(options: OpenBrowserStoreOptions): Promise<Store> {
  const site = { capability: "store", operation: "open" } as const;
  requireObject(site, "options", options, OPTIONS);
  if (options.embedOnOpen !== undefined) requireBoolean(site, "embedOnOpen", options.embedOnOpen);
  checkSearchCacheBytes(site, options.searchCacheBytes);
  const given: unknown = options.signal;
  if (given !== undefined && !(given instanceof AbortSignal))
    throw invalidInput(site, "signal", given, "an AbortSignal");
  const worker = options.createWorker?.() ?? startWorker();
  try {
    const { name, embedder, embedOnOpen, vectors, searchCacheBytes, kernelUrl, signal } = options;
    const params = { name, embedder, embedOnOpen, vectors, searchCacheBytes, kernelUrl };
    const connection = await connect<Store>(workerEndpoint(worker), {
      params,
      ...(signal === undefined ? {} : { signal }),
    });
    if (options.onLost !== undefined) void connection.lost.then(options.onLost);
    return new StoreClient(connection, { persist: persistOrigin });
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/**
 * Deletes a store with everything in it. Deleting what is not there is no error.
 *
 * @throws StorageError CONFLICT (a tab has it open), UNSUPPORTED (no OPFS), INVALID_INPUT (name), DRIVER
 */
export function deleteStore(options: { name: string }): Promise<void> {
  return deleteOpfsStore(options.name);
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "lodestore" });
}
