import { createReadStream, writeSync } from "node:fs";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import type { SqlDatabase, SqlTransaction } from "../../src/contracts/sql.ts";
import { hookedDatabase } from "./hooked-store.ts";
import { hookedVectors } from "./vector-stores.ts";

/** An import that ends in the middle. */
export interface ImportOrder {
  /** Database file of the store. */
  path: string;
  /** The archive. */
  file: string;
  apart: boolean;
  /** A step of the database or the vector store, of the import alone; at which time it comes follows, where it is not the first:
   *  `before commit 2`. Or `before statement <n>` of a transaction. */
  step: string;
}

/** A process that imports an archive and kills itself at the step that it is told. */
const order = JSON.parse(process.argv[2] ?? "") as ImportOrder;
let importing = false;
const seen = new Map<string, number>();

function hook(step: string): void {
  if (!importing) return;
  const times = (seen.get(step) ?? 0) + 1;
  seen.set(step, times);
  if (order.step !== `${step} ${times}` && (times > 1 || order.step !== step)) return;
  writeSync(1, `killed ${order.step}\n`);
  process.kill(process.pid, "SIGKILL");
}

/** Tells of every statement of a transaction. */
function counted(db: SqlDatabase): SqlDatabase {
  const hooked = hookedDatabase(db, hook);
  return {
    ...hooked,
    transaction: (body) =>
      hooked.transaction((tx) => {
        const run: SqlTransaction["run"] = (sql, params) => {
          hook("before statement");
          return tx.run(sql, params);
        };
        return body({
          run,
          runMany: (sql, rows) => tx.runMany(sql, rows),
          all: (sql, params, options) => tx.all(sql, params, options),
          get: (sql, params) => tx.get(sql, params),
          iterate: (sql, params, options) => tx.iterate(sql, params, options),
          transaction: (inner) => tx.transaction(inner),
        });
      }),
  };
}

const db = await openSqlNode({ path: order.path, functions: storeFunctions });
const vectors = hookedVectors(db, order.apart, hook);
const store = await createStore({ db: counted(db), blobs: new SqlBlobStore(db), vectors, embedOnOpen: false });
importing = true;
await store.import(createReadStream(order.file));
