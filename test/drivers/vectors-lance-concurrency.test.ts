import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorHit, VectorTable } from "../../src/contracts/vectors.ts";
import { OpenTables } from "../../src/drivers/lance/open-tables.ts";
import { type RegisteredTable, TableRegister } from "../../src/drivers/lance/table-register.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { LanceVectorStore } from "../../src/drivers/vectors-lance.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { filledStore } from "../conformance/vector-store/filled-store.ts";
import type { LanceOrder } from "../support/lance-child.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { VectorCorpus } from "../support/vector-corpus.ts";
import { programFile, programUrl } from "../support/programs.ts";

const CHILD = programFile("test/support/lance-child.ts");
const WRITERS = 6;
const CHUNKS = 5;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let dir: string;
let db: SqlDatabase;
let vectors: LanceVectorStore;
beforeEach(async () => {
  folder = temporaryFolder();
  file = join(folder.path, "lodestore.db");
  dir = join(folder.path, "vectors");
  db = await openSqlNode({ path: file, functions });
  await migrate(db);
  vectors = lanceVectors(db, dir);
});
afterEach(async () => {
  await vectors.close();
  await db.close();
  folder.remove();
});

/** Each chunk has one row, and it is what one of the writers wrote last. */
async function expectOneEach(table: VectorTable, corpus: VectorCorpus): Promise<void> {
  expect(await vectors.count(table.indexId)).toBe(CHUNKS);
  const records = Array.from({ length: CHUNKS }, (_, at) => corpus.record(table, at, Float32Array.of(1, 1)));
  await corpus.mark(table, records);
  const { hits } = await vectors.search(table.indexId, Float32Array.of(0, 0), { modelVersion: "1", k: 100 });
  expect(hits.map(({ chunkId }) => chunkId).sort()).toEqual(records.map(({ chunkId }) => chunkId).sort());
  const stored = await vectors.vectorsOf(
    table.indexId,
    records.map(({ embeddingId }) => embeddingId),
  );
  for (const vector of stored) {
    expect(vector?.[0]).toBe(vector?.[1]);
    expect(vector?.[0]).toBeGreaterThanOrEqual(1);
    expect(vector?.[0]).toBeLessThanOrEqual(WRITERS);
  }
}

test("six upserts of one new key through six stores at once leave one row", async () => {
  const corpus = await VectorCorpus.create(db, CHUNKS);
  const table = await vectors.ensureTable({ modelId: "m", dimensions: 2, metric: "l2" });
  const stores = Array.from({ length: WRITERS }, () => lanceVectors(db, dir));
  await Promise.all(stores.map((store) => store.count(table.indexId)));
  await Promise.all(
    stores.map((store, n) =>
      store.upsert(
        table.indexId,
        Array.from({ length: CHUNKS }, (_, at) => corpus.record(table, at, new Float32Array(2).fill(n + 1))),
      ),
    ),
  );
  await expectOneEach(table, corpus);
  for (const store of stores) await store.close();
});

test("six upserts of one new key through one store at once leave one row, for each of many keys", async () => {
  const corpus = await VectorCorpus.create(db, CHUNKS);
  const table = await vectors.ensureTable({ modelId: "m", dimensions: 2, metric: "l2" });
  const upsert = (at: number, value: number): Promise<void> =>
    vectors.upsert(table.indexId, [corpus.record(table, at, new Float32Array(2).fill(value))]);
  await Promise.all(Array.from({ length: WRITERS * CHUNKS }, (_, n) => upsert(n % CHUNKS, 1 + Math.floor(n / CHUNKS))));
  await expectOneEach(table, corpus);
});

test("six upserts of one new key by six processes at once leave one row", { timeout: 60_000 }, async () => {
  const corpus = await VectorCorpus.create(db, CHUNKS);
  const table = await vectors.ensureTable({ modelId: "m", dimensions: 2, metric: "l2" });
  const children = Array.from({ length: WRITERS }, (_, n) => {
    const order: LanceOrder = { file, dir, task: "upsert", count: CHUNKS, value: n + 1 };
    return spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["pipe", "pipe", "inherit"] });
  });
  const lines = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  const ends = children.map((child: ChildProcess) => once(child, "close"));
  for (const said of lines) expect((await said.next()).value).toBe('"ready"');
  for (const child of children) child.stdin.write("go\n");
  for (const [code] of await Promise.all(ends)) expect(code).toBe(0);
  await expectOneEach(table, corpus);
});

test("writes, deletions and searches go on while the table is compacted and indexed all the time", async () => {
  await vectors.close();
  vectors = lanceVectors(db, dir, { compactAfter: 1, indexAbove: 50 });
  const filled = await filledStore({ vectors, db, close: async () => {} }, { count: 300, metric: "l2", dimensions: 3 });
  const { table, records, oracle } = filled;
  for (let round = 0; round < 20; round++) {
    const some = records.slice(round * 15, round * 15 + 15);
    const ids = some.map(({ chunkId }) => chunkId);
    const query = some[0]!.vector;
    const [deleted] = await Promise.all([
      vectors.deleteByChunkIds(table.indexId, ids),
      vectors.upsert(table.indexId, records.slice(0, 15)),
      vectors.search(table.indexId, query, { modelVersion: "1", k: 300 }),
    ]);
    if (round > 0) expect(deleted).toBe(15);
    oracle.delete(ids);
    if (round % 2 === 0) {
      await vectors.upsert(table.indexId, some);
      oracle.put(some);
    }
    oracle.put(records.slice(0, 15));
    const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 300, ef: 4096 });
    oracle.expectExact(hits, query, 300);
  }
  await vectors.flush();
  expect(await vectors.count(table.indexId)).toBe(oracle.size);
});

test("a search of another thread sees what was written when it began", { timeout: 30_000 }, async () => {
  const { table, corpus, random, oracle } = await filledStore(
    { vectors, db, close: async () => {} },
    { count: 60, metric: "l2", dimensions: 3 },
  );
  const worker = new Worker(programUrl("test/support/lance-reader-worker.ts"), {
    workerData: { file, dir },
  });
  const failed = once(worker, "error").then(([error]) => Promise.reject(error as Error));
  const ask = async (vector: Float32Array, k: number): Promise<VectorHit[]> => {
    const answer = once(worker, "message") as Promise<[VectorHit[]]>;
    worker.postMessage({ indexId: table.indexId, vector, k });
    return (await Promise.race([answer, failed]))[0];
  };
  for (let round = 0; round < 15; round++) {
    const vector = Float32Array.from({ length: 3 }, () => random.normal());
    const record = corpus.record(table, random.below(60), vector);
    await vectors.upsert(table.indexId, [record]);
    oracle.put([record]);
    oracle.expectExact(await ask(vector, 60), vector, 60);
  }
  const ended = once(worker, "exit");
  worker.postMessage("end");
  expect((await ended)[0]).toBe(0);
});

test("a generation that is deleted while it is written is in the table and registered, or neither", async () => {
  const corpus = await VectorCorpus.create(db, CHUNKS);
  const table = await vectors.ensureTable({ modelId: "m", dimensions: 2, metric: "l2" });
  const records = Array.from({ length: CHUNKS }, (_, at) => corpus.record(table, at, Float32Array.of(1, 1)));
  await vectors.upsert(table.indexId, records);
  await Promise.all([vectors.deleteGeneration(table.indexId, "1"), vectors.upsert(table.indexId, records)]);
  expect(await vectors.count(table.indexId)).toBe(CHUNKS);
  expect(await vectors.generations(table.indexId)).toEqual(["1"]);
  await corpus.mark(table, records);
  const { hits } = await vectors.search(table.indexId, Float32Array.of(0, 0), { modelVersion: "1", k: 100 });
  expect(hits).toHaveLength(CHUNKS);
  await Promise.all([vectors.upsert(table.indexId, records), vectors.deleteGeneration(table.indexId, "1")]);
  const isRegistered = (await vectors.generations(table.indexId)).includes("1");
  expect(await vectors.count(table.indexId)).toBe(isRegistered ? CHUNKS : 0);
});

test("whoever finds a table deleted closes it for nobody who is in the midst of it", async () => {
  const corpus = await VectorCorpus.create(db, CHUNKS);
  const table = await vectors.ensureTable({ modelId: "m", dimensions: 2, metric: "l2" });
  await vectors.upsert(table.indexId, [corpus.record(table, 0, Float32Array.of(1, 1))]);
  const [entry] = await new TableRegister(db, indexId).all();
  const tables = new OpenTables(dir);
  const live = await tables.get(entry as RegisteredTable, "search");
  rmSync(join(dir, `${table.tableName}.lance`), { recursive: true });
  expect(await tables.find(entry as RegisteredTable, "search")).toBeUndefined();
  expect(await live.table.countRows()).toBe(1);
  await tables.close();
});
