import { writeSync } from "node:fs";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { createStore } from "../../src/store/store.ts";
import { crashLoop, killAt } from "./crash-loop.ts";
import type { CrashLine, CrashOrder } from "./crash-steps.ts";
import { hookedDatabase } from "./hooked-store.ts";
import { hookedLanceVectors, lanceFolder } from "./lance-vectors.ts";
import { hookedVectors } from "./vector-stores.ts";

/** A process that works on a store until it is killed, or kills itself at the step that it is told. What it begins and has done it
 *  says on standard output, line by line. */
const order = JSON.parse(process.argv[2] ?? "") as CrashOrder;
const say = (line: CrashLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const hook = killAt(order, (step) => {
  say({ killed: step });
  process.kill(process.pid, "SIGKILL");
});

await crashLoop({
  order,
  say,
  open: async (embedder, embedOnOpen) => {
    const db = await openSqlNode({ path: order.file, functions: storeFunctions });
    const vectors =
      order.lance === true
        ? hookedLanceVectors(db, lanceFolder(order.file), hook)
        : hookedVectors(db, order.apart, hook);
    return createStore({ db: hookedDatabase(db, hook), blobs: new SqlBlobStore(db), vectors, embedder, embedOnOpen });
  },
});
