import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { StorageError } from "../../src/errors.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { lanceVectors } from "./lance-vectors.ts";
import { VectorCorpus } from "./vector-corpus.ts";

/** What such a process is told. */
export interface LanceOrder {
  file: string;
  dir: string;
  /** `upsert` writes vectors of the first `count` chunks once it hears a line; `as nobody` gives up the superuser's rights, reads and tries
   *  to write. */
  task: "upsert" | "as nobody";
  count: number;
  /** What its vectors hold. */
  value: number;
}

/** A process that has the vectors of a store open beside others. What it finds it says on standard output. */
const order = JSON.parse(process.argv[2] ?? "") as LanceOrder;
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const asNobody = order.task === "as nobody";
if (asNobody && process.getuid?.() === 0) process.setuid?.(65_534);
const db = await openSqlNode({ path: order.file, functions, readOnly: asNobody });
const vectors = lanceVectors(db, order.dir);
await vectors.load();
const corpus = VectorCorpus.of(db, order.count);
const [table] = await vectors.tables();
if (table === undefined) throw new Error("there is no table");
const vector = new Float32Array(table.dimensions).fill(order.value);
const records = Array.from({ length: order.count }, (_, at) => corpus.record(table, at, vector));
if (order.task === "upsert") {
  say("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  await vectors.upsert(table.indexId, records);
  say("done");
} else {
  const search = async (): Promise<number> =>
    (await vectors.search(table.indexId, vector, { modelVersion: "1", k: 1000 })).hits.length;
  const before = await search();
  const failure = await vectors.deleteByChunkIds(table.indexId, [records[0]?.chunkId ?? ""]).then(
    () => undefined,
    (error: unknown) => (error instanceof StorageError ? { code: error.code, message: error.message } : String(error)),
  );
  say({ before, failure, after: await search() });
}
await vectors.close();
await db.close();
process.stdin.destroy();
