import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Embedder } from "./contracts/embedder.ts";
import type { Store } from "./contracts/store.ts";
import { requireBoolean, requireObject } from "./contracts/validate.ts";
import { openFsBlobs } from "./drivers/blobs-fs.ts";
import { SqlBlobStore } from "./drivers/blobs-sql.ts";
import { openSqlNode } from "./drivers/sql-node.ts";
import { makeStoreDirectory } from "./drivers/store-directory-node.ts";
import { HnswVectorStore } from "./drivers/vectors-hnsw.ts";
import { checkVectorSettings, type VectorSettings } from "./drivers/vectors/index-policy.ts";
import { AllowedChunks } from "./store/allowed-chunks.ts";
import { indexId } from "./store/ids.ts";
import { storeFunctions } from "./store/schema-functions.ts";
import { createStore } from "./store/store.ts";
import { SearchActivity } from "./turns.ts";

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

/** Where a Node store lives. */
export interface OpenNodeStoreOptions {
  /** Folder of the store; made when absent. The database is `lodestore.db` in it, snapshots of vector indexes are in `blobs`. */
  dir: string;
  /** Makes the embeddings: without one they are the caller's to put, and searches by meaning need a `vector`. */
  embedder?: Embedder;
  /** How vectors are indexed. */
  vectors?: VectorSettings;
  /** Whether embeddings that are missing are made in the background as soon as the store is open; true by default. */
  embedOnOpen?: boolean;
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
  const site = { capability: "store", operation: "open" } as const;
  const given = requireObject(site, "options", options, ["dir", "embedder", "vectors", "embedOnOpen"]);
  if (given["embedOnOpen"] !== undefined) requireBoolean(site, "embedOnOpen", given["embedOnOpen"]);
  const vectors = checkVectorSettings(site, options.vectors);
  const dir = await makeStoreDirectory(given["dir"]);
  const snapshots = await openFsBlobs({ dir: join(dir, "blobs") });
  const db = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
  const { embedder, embedOnOpen } = options;
  const activity = new SearchActivity();
  const filters = new AllowedChunks(db);
  return createStore({
    db,
    blobs: new SqlBlobStore(db, { persistent: true }),
    vectors: new HnswVectorStore(db, {
      ...vectors,
      kernel: new WebAssembly.Module(readFileSync(new URL("../wasm/hnsw.wasm", import.meta.url))),
      allowedChunks: filters.matching,
      indexId,
      snapshots,
      activity,
    }),
    filters,
    activity,
    ...(embedder === undefined ? {} : { embedder }),
    ...(embedOnOpen === undefined ? {} : { embedOnOpen }),
  });
}
