import type { SqlDatabase, SqlExecutor, SqlTransaction } from "../../src/contracts/sql.ts";
import type { VectorTableWriter } from "../../src/contracts/vectors.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import type { AnyVectorStore } from "../../src/store/embeddings/vector-side.ts";
import { indexId } from "../../src/store/ids.ts";
import { ApartVectorStore, type StepHook } from "./apart-vector-store.ts";

/** A database that tells a test before a transaction begins, before it commits, and when it has; everything else is passed on. */
export function hookedDatabase(db: SqlDatabase, hook: StepHook): SqlDatabase {
  return {
    run: (sql, params) => db.run(sql, params),
    runMany: (sql, rows) => db.runMany(sql, rows),
    all: (sql, params, options) => db.all(sql, params, options),
    get: (sql, params) => db.get(sql, params),
    iterate: (sql, params, options) => db.iterate(sql, params, options),
    exec: (script) => db.exec(script),
    capabilities: () => db.capabilities(),
    image: (options) => db.image(options),
    imageFrom: (bytes) => db.imageFrom(bytes),
    close: () => db.close(),
    [Symbol.asyncDispose]: () => db.close(),
    transaction: async <T>(body: (tx: SqlTransaction) => Promise<T>): Promise<T> => {
      await hook("before transaction");
      const result = await db.transaction(async (tx) => {
        const inner = await body(tx);
        await hook("before commit");
        return inner;
      });
      await hook("after commit");
      return result;
    },
  };
}

/** The exact vector store, which tells a test before and after what it writes inside a transaction. */
export class HookedFlatVectorStore extends FlatVectorStore {
  hook: StepHook = () => {};

  override over(executor: SqlExecutor): VectorTableWriter {
    const writer = super.over(executor);
    const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      await this.hook(`before ${name}`);
      const result = await work();
      await this.hook(`after ${name}`);
      return result;
    };
    return {
      ensureTable: (spec) => writer.ensureTable(spec),
      upsert: (...args) => step("upsert", () => writer.upsert(...args)),
      deleteByChunkIds: (...args) => step("delete", () => writer.deleteByChunkIds(...args)),
      deleteGeneration: (...args) => step("delete generation", () => writer.deleteGeneration(...args)),
    };
  }
}

/** The exact vector store, as part of the database's transactions or apart, with a hook around its writes. */
export function hookedVectorsWith(
  kernel: WebAssembly.Module,
  db: SqlDatabase,
  apart: boolean,
  hook: StepHook,
): AnyVectorStore {
  const options = { kernel, allowedChunks: new AllowedChunks(db).matching, indexId };
  if (apart) return new ApartVectorStore(new FlatVectorStore(db, options), db, hook);
  const vectors = new HookedFlatVectorStore(db, options);
  vectors.hook = hook;
  return vectors;
}
