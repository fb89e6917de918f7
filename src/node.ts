import { availableParallelism } from "node:os";
import { requireEmbedder } from "./contracts/check-embedder.ts";
import type { Embedder } from "./contracts/embedder.ts";
import { checkSearchCacheBytes, SEARCH_CACHE_BYTES } from "./contracts/check-search-cache.ts";
import type { Store } from "./contracts/store.ts";
import { isPlainObject, requireBoolean, requireInteger, requireObject, requireSignal } from "./contracts/validate.ts";
import { type EmbedderSpec, makeEmbedder } from "./drivers/embed/embedder-spec.ts";
import { rememberedSpec } from "./drivers/embed/own-spec.ts";
import { findStoreDirectory, makeStoreDirectory } from "./drivers/store-directory-node.ts";
import { type EmbedderTraits, givenUp, openThreads } from "./node-threads.ts";
import { checkVectorOptions, type VectorOptions } from "./node-vector-options.ts";

export * from "./index.ts";
export { createHashingEmbedder, type HashingEmbedderOptions } from "./drivers/embed-hashing.ts";
export { createHttpEmbedder, type HttpEmbedderOptions } from "./drivers/embed-http.ts";
export { createTransformersEmbedder, type TransformersEmbedderOptions } from "./drivers/embed-transformers.ts";
export { type EmbedderSpec, makeEmbedder } from "./drivers/embed/embedder-spec.ts";
export { type ImportText, parseChunkMap, parseDocstore } from "./store/import/import-texts.ts";
export {
  type ImportProgress,
  type ImportReport,
  type ImportStore,
  importVectors,
  type ImportVectorsOptions,
} from "./store/import/import-vectors.ts";
export {
  type ChecksumState,
  type FileSection,
  inspectVectorFile,
  type VectorFileInspection,
} from "./store/import/inspect.ts";
export { readVectorFile, type VectorFile, type VectorFileFormat } from "./store/import/vector-file.ts";
export type { VectorSettings } from "./drivers/vectors/index-policy.ts";
export type { LancePolicyOptions } from "./drivers/lance/lance-policy.ts";
export type { VectorEngine, VectorOptions } from "./node-vector-options.ts";

/** Where a Node store lives, and how. */
export interface OpenNodeStoreOptions {
  /** Folder of the store; made when absent. The database is `lodestore.db` in it, snapshots of vector indexes are in `blobs`. */
  dir: string;
  /** Opens a store that is there for reading only, also beside one that has it open for writing, and in a folder that cannot be written:
   *  every write is UNSUPPORTED. False by default. */
  readOnly?: boolean;
  /** Makes the embeddings: without one they are the caller's to put, and searches by meaning need a `vector`. One that is described, or
   *  made by a function of this module, is made anew in the threads, and keeps nothing of the caller's event loop; one of the caller's own
   *  is called back in the caller's thread. Closed with the store. */
  embedder?: Embedder | EmbedderSpec;
  /** What keeps the vectors, and how; `auto` by default. A store that is opened with another engine than before has its vectors copied. */
  vectors?: VectorOptions;
  /** Threads that answer what only reads, 0 to 16; by default one less than the machine has processors, 1 to 4. Each takes memory for what it
   *  remembers. 0: the thread that writes answers everything, and searches wait for it. */
  readers?: number;
  /** Memory for answers of searches, which are handed out again until something changes that they stand on: 0 (none) to 1 GiB in bytes, of all
   *  threads together; 8 MiB by default. */
  searchCacheBytes?: number;
  /** Whether embeddings that are missing are made in the background as soon as the store is open; true by default. */
  embedOnOpen?: boolean;
  /** Gives up opening, between two steps of it, and ends the threads: what opening was at, a migration, a text index or vectors that are
   *  copied, is done by the next one. Has no effect once the store is open. */
  signal?: AbortSignal;
}

const OPTIONS = ["dir", "readOnly", "embedder", "vectors", "readers", "searchCacheBytes", "embedOnOpen", "signal"];
const MOST_READERS = 16;

/**
 * Opens the store in a folder, making it when there is none. It lives in threads of its own: one writes, others answer searches, and the
 * event loop of the caller is free. What is written is seen by every read that is asked for after it.
 *
 * One store at a time has a folder open for writing, of all processes; any number may read it beside that with `readOnly`.
 *
 * @throws StorageError CONFLICT (it is open for writing already), INVALID_INPUT, SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING,
 *   BAD_FORMAT, CORRUPT, DRIVER, TIMEOUT, ABORTED; with `readOnly` NOT_FOUND, and UNSUPPORTED where it would have to be brought up to date or
 *   recovered first
 * @example
 *   await using store = await openStore({ dir: "./my-store" });
 *   await store.ingest({ path: "hello.md", content: "# Hello\n\nGood morning." });
 *   const { hits } = await store.search({ text: "morning" });
 */
export async function openStore(options: OpenNodeStoreOptions): Promise<Store> {
  const site = { capability: "store", operation: "open" } as const;
  const given = requireObject(site, "options", options, OPTIONS);
  const { readOnly = false, embedOnOpen } = options;
  requireBoolean(site, "readOnly", readOnly);
  if (embedOnOpen !== undefined) requireBoolean(site, "embedOnOpen", embedOnOpen);
  const signal = requireSignal(site, given);
  const vectors = checkVectorOptions(site, given["vectors"]);
  const asked = requireInteger(site, "readers", given["readers"] ?? defaultReaders(), 0, MOST_READERS);
  const readers = readOnly ? Math.max(1, asked) : asked;
  const searchCacheBytes = checkSearchCacheBytes(site, given["searchCacheBytes"]) ?? SEARCH_CACHE_BYTES;
  const embedder = given["embedder"] === undefined ? undefined : checkEmbedder(given["embedder"]);
  try {
    if (signal?.aborted === true) throw givenUp(signal);
    const dir = readOnly ? await findStoreDirectory(given["dir"]) : await makeStoreDirectory(given["dir"]);
    return await openThreads({
      dir,
      readOnly,
      vectors,
      readers,
      searchCacheBytes,
      embedOnOpen,
      embedder: embedder?.sent,
      ownEmbedder: embedder?.own,
      signal,
    });
  } catch (error) {
    await embedder?.own.close?.();
    throw error;
  }
}

/** One processor is for the thread that writes. */
function defaultReaders(): number {
  return Math.min(4, Math.max(1, availableParallelism() - 1));
}

/** The embedder that the store closes, and what the threads are told of it. */
function checkEmbedder(given: unknown): { own: Embedder; sent: EmbedderSpec | EmbedderTraits } {
  const isSpec = isPlainObject(given) && "kind" in given && !("embed" in given);
  const site = { capability: "store", operation: "open" } as const;
  const own = isSpec ? makeEmbedder(given as EmbedderSpec) : requireEmbedder(site, "embedder", given);
  const spec = rememberedSpec(own) as EmbedderSpec | undefined;
  if (spec !== undefined) return { own, sent: spec };
  const { modelId, modelVersion, dimensions, maxBatch, fusionWeight } = own;
  return { own, sent: { modelId, modelVersion, dimensions, maxBatch, fusionWeight } };
}
