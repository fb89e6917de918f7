import { writeSync } from "node:fs";
import type { BlobStore } from "../../src/contracts/blobs.ts";
import { openFsBlobs } from "../../src/drivers/blobs-fs.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { Random } from "../wasm/random.ts";
import { openSnapshotStore, randomRecords, type SnapshotCrashOrder } from "./snapshot-store-case.ts";

/** A process that changes vectors and writes snapshots until it is killed, or kills itself so many turns of the event loop into a write. */
const order = JSON.parse(process.argv[2] ?? "") as SnapshotCrashOrder;
const random = new Random(order.seed);
const db = await openSqlNode({ path: order.file, functions: storeFunctions });
const fs = await openFsBlobs({ dir: order.blobs });
let puts = 0;

const blobs: BlobStore = {
  capabilities: () => fs.capabilities(),
  get: (key) => fs.get(key),
  has: (key) => fs.has(key),
  delete: (key) => fs.delete(key),
  list: (prefix) => fs.list(prefix),
  put: async (key, bytes) => {
    const written = fs.put(key, bytes);
    if (++puts === order.atPut) {
      for (let turn = 0; turn < order.turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      process.kill(process.pid, "SIGKILL");
    }
    await written;
  },
};

for (;;) {
  const vectors = openSnapshotStore(db, blobs, { m: 16 });
  const { corpus, table, records } = await randomRecords(db, vectors, random, 400);
  await vectors.upsert(table.indexId, records);
  await corpus.mark(table, records);
  await vectors.deleteByChunkIds(
    table.indexId,
    records.slice(0, 20).map(({ chunkId }) => chunkId),
  );
  await vectors.search(table.indexId, new Float32Array(table.dimensions).fill(1), { modelVersion: "1", k: 1 });
  if (random.chance(0.3)) await vectors.flush();
  writeSync(1, "ready\n");
  await vectors.close();
}
