import type { Embedder } from "../../src/contracts/embedder.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import type { StepHook } from "./apart-vector-store.ts";
import { hookedDatabase } from "./hooked-store.ts";
import type { OpenedParts } from "./visible-chunks.ts";

export { allChunks, visibleChunks } from "./visible-chunks.ts";

export interface EmbeddingStoreOptions {
  /** Database file; in memory by default. */
  path?: string;
  vectors: (db: SqlDatabase) => AnyVectorStore;
  embedder?: Embedder | undefined;
  /** False by default: a test says itself when it embeds. */
  embedOnOpen?: boolean;
  /** Called around the transactions of the store. */
  hook?: StepHook;
}

export interface EmbeddingStore extends OpenedParts, AsyncDisposable {
  db: SqlDatabase;
  vectors: AnyVectorStore;
}

/** A store on Node that embeds, with its parts at hand. */
export async function openEmbeddingStore(options: EmbeddingStoreOptions): Promise<EmbeddingStore> {
  const { path = ":memory:", embedder, embedOnOpen = false, hook = () => {} } = options;
  const db = await openSqlNode({ path, functions: storeFunctions });
  const vectors = options.vectors(db);
  const blobs = new SqlBlobStore(db);
  const embedding = embedder === undefined ? {} : { embedder };
  const store = await createStore({ db: hookedDatabase(db, hook), blobs, vectors, embedOnOpen, ...embedding });
  return { store, db, vectors, [Symbol.asyncDispose]: () => store.close() };
}
