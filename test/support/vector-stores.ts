import { readFileSync } from "node:fs";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { indexId } from "../../src/store/ids.ts";
import { ApartVectorStore, type StepHook } from "./apart-vector-store.ts";
import { hookedVectorsWith } from "./hooked-store.ts";

const kernel = new WebAssembly.Module(readFileSync(new URL("../../wasm/hnsw.wasm", import.meta.url)));

/** The exact vector store over a database. */
export function flatVectors(db: SqlDatabase): FlatVectorStore {
  return new FlatVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId });
}

/** The exact vector store, as part of the database's transactions or apart, with a hook around its writes. */
export function hookedVectors(db: SqlDatabase, apart: boolean, hook: StepHook): AnyVectorStore {
  return hookedVectorsWith(kernel, db, apart, hook);
}

/** Both ways of two-phase writing: vectors in the transactions of the store's database, and vectors that commit on their own. */
export const vectorStores: readonly { way: string; over: (db: SqlDatabase) => AnyVectorStore }[] = [
  { way: "in one transaction", over: flatVectors },
  { way: "phase by phase", over: (db) => new ApartVectorStore(flatVectors(db), db) },
];
