import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { TransactionalVectorStore } from "../../src/contracts/vectors.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { HnswVectorStore } from "../../src/drivers/vectors-hnsw.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";

/** Every vector driver, and the graph once more at sizes at which tests run. */
export const vectorDrivers: readonly {
  driver: string;
  /** Least recall on a few hundred vectors: 1 where all are compared. */
  recall: number;
  open: (db: SqlDatabase, kernel: WebAssembly.Module) => TransactionalVectorStore;
}[] = [
  {
    driver: "vectors-flat",
    recall: 1,
    open: (db, kernel) => new FlatVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId }),
  },
  {
    driver: "vectors-flat of 32-bit floats",
    recall: 1,
    open: (db, kernel) =>
      new FlatVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId, storedAs: "f32" }),
  },
  {
    driver: "vectors-hnsw",
    recall: 1,
    open: (db, kernel) => new HnswVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId }),
  },
  {
    driver: "vectors-hnsw with its graph",
    recall: 0.95,
    open: (db, kernel) =>
      new HnswVectorStore(db, { kernel, allowedChunks: new AllowedChunks(db).matching, indexId, graphAbove: 16 }),
  },
];
