import { parentPort, workerData } from "node:worker_threads";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { lanceVectors } from "./lance-vectors.ts";

/** A thread that searches for what it is sent, in tables that another thread writes. */
const { file, dir } = workerData as { file: string; dir: string };
const db = await openSqlNode({ path: file, functions, readOnly: true });
const vectors = lanceVectors(db, dir, { readOnly: true });
parentPort?.on("message", (asked: { indexId: string; vector: Float32Array; k: number } | "end") => {
  void (async () => {
    if (asked === "end") {
      await vectors.close();
      await db.close();
      parentPort?.close();
      return;
    }
    const { hits } = await vectors.search(asked.indexId, asked.vector, { modelVersion: "1", k: asked.k });
    parentPort?.postMessage(hits);
  })();
});
