import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SqlDatabase } from "../../../src/contracts/sql.ts";
import type { Store } from "../../../src/contracts/store.ts";
import { SqlBlobStore } from "../../../src/drivers/blobs-sql.ts";
import { createHashingEmbedder } from "../../../src/drivers/embed-hashing.ts";
import { openSqlNode } from "../../../src/drivers/sql-node.ts";
import { HnswVectorStore } from "../../../src/drivers/vectors-hnsw.ts";
import { AllowedChunks } from "../../../src/store/allowed-chunks.ts";
import { indexId } from "../../../src/store/ids.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { createStore } from "../../../src/store/store.ts";

/** A store as this release writes it, or a plain one: bytes and rows as they are, 32-bit floats, and a text index with a copy of the text. */
export interface StorageKind {
  name: string;
  plain: boolean;
  pageBytes: number;
}

export interface MeasuredStore {
  store: Store;
  db: SqlDatabase;
  vectors: HnswVectorStore;
}

/** Opens a store of a kind in one file, made when it is not there. */
export async function openMeasured(kind: StorageKind, path: string): Promise<MeasuredStore> {
  const made = new DatabaseSync(path);
  // A file keeps the page size of its first table.
  made.exec(`PRAGMA page_size = ${kind.pageBytes}; CREATE TABLE IF NOT EXISTS first (n); DROP TABLE first;`);
  made.close();
  const db = await openSqlNode({ path, functions: storeFunctions });
  const filters = new AllowedChunks(db);
  const vectors = new HnswVectorStore(db, {
    kernel: new WebAssembly.Module(readFileSync(new URL("../../../wasm/hnsw.wasm", import.meta.url))),
    allowedChunks: filters.matching,
    indexId,
    storedAs: kind.plain ? "f32" : "i16",
    // All are compared: what is not found is the fault of the rows.
    graphAbove: Number.MAX_SAFE_INTEGER,
  });
  const store = await createStore({
    db,
    blobs: new SqlBlobStore(db, { persistent: true }),
    vectors,
    filters,
    embedder: createHashingEmbedder(),
    embedOnOpen: false,
    storageStyle: kind.plain ? "plain" : "compact",
  });
  if (kind.plain) await keepTextInIndex(db);
  return { store, db, vectors };
}

/** Makes the text index of an empty store one that keeps what it indexes, as FTS5 does unless it is told otherwise. */
async function keepTextInIndex(db: SqlDatabase): Promise<void> {
  await db.exec(
    `DROP TABLE chunks_fts;
     CREATE VIRTUAL TABLE chunks_fts USING fts5 (heading, text, forms,
       tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'");`,
  );
}
