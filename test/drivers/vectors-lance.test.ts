import { readdirSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorRecord, VectorTable } from "../../src/contracts/vectors.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import type { LanceVectorOptions, LanceVectorStore } from "../../src/drivers/vectors-lance.ts";
import { openLanceVectors } from "../../src/drivers/vectors-lance.ts";
import { migrate } from "../../src/sql/migrate.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { adoptVectors } from "../../src/store/embeddings/adopt-vectors.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions as functions } from "../../src/store/schema-functions.ts";
import { filledStore, type FilledStore, putCommitted } from "../conformance/vector-store/filled-store.ts";
import { lanceVectors, temporaryFolder } from "../support/lance-vectors.ts";
import { randomVectors, VectorCorpus } from "../support/vector-corpus.ts";
import { VectorOracle } from "../support/vector-oracle.ts";
import { flatVectors } from "../support/vector-stores.ts";
import { Random } from "../wasm/random.ts";

let folder: ReturnType<typeof temporaryFolder>;
let db: SqlDatabase;
let open: LanceVectorStore[];
beforeEach(async () => {
  folder = temporaryFolder();
  db = await openSqlNode({ path: join(folder.path, "lodestore.db"), functions });
  await migrate(db);
  open = [];
});
afterEach(async () => {
  for (const vectors of open) await vectors.close();
  await db.close();
  folder.remove();
});

const dir = (): string => join(folder.path, "vectors");

function openVectors(options: Partial<LanceVectorOptions> = {}, over: SqlDatabase = db): LanceVectorStore {
  const vectors = lanceVectors(over, dir(), options);
  open.push(vectors);
  return vectors;
}

function fill(vectors: LanceVectorStore, options: Parameters<typeof filledStore>[1]): Promise<FilledStore> {
  return filledStore({ vectors, db, close: async () => {} }, options);
}

const lanceTables = (): string[] => readdirSync(dir()).filter((name) => name.endsWith(".lance"));

const ids = (hits: readonly { chunkId: string }[]): string[] => hits.map(({ chunkId }) => chunkId);

describe.each([
  { way: "without an index", indexAbove: 100_000, kind: "scan", recall: 1 },
  { way: "with its index", indexAbove: 1000, kind: "walk", recall: 0.95 },
])("a search $way", ({ indexAbove, kind, recall }) => {
  const COUNT = 3000;
  let filled: FilledStore;
  beforeEach(async () => {
    filled = await fill(openVectors({ indexAbove }), { count: COUNT, dimensions: 8 });
  });

  test.each([
    { share: 1, documents: 750 },
    { share: 0.5, documents: 375 },
    { share: 0.1, documents: 75 },
    { share: 0.01, documents: 8 },
    { share: 0.001, documents: 1 },
    { share: 0, documents: 0 },
  ])("finds k where k match, with a filter that allows $share of all", async ({ documents }) => {
    const { vectors, table, corpus, oracle, random } = filled;
    const filters = { ingestedAfter: 1000 + COUNT / 4 - 1 - documents };
    const allowed = new Set(corpus.chunks.slice(COUNT - 4 * documents).map(({ id }) => id));
    let near = 0;
    let wanted = 0;
    for (const k of [1, 10, 100]) {
      const [query] = randomVectors(random, 1, 8) as [Float32Array];
      const { hits, plan } = await vectors.search(table.indexId, query, { modelVersion: "1", k, filters });
      const checked = oracle.check(hits, query, k, ({ chunkId }) => allowed.has(chunkId));
      near += checked.near;
      wanted += checked.wanted;
      expect(plan).toMatchObject({ total: COUNT, allowed: allowed.size, fellBack: false });
      if (documents > 0) expect(plan.evaluations).toBeGreaterThanOrEqual(Math.min(k, allowed.size));
    }
    expect(near).toBeGreaterThanOrEqual(wanted * recall);
  });

  test("finds the nearest, and says how", async () => {
    const { vectors, table, oracle, random } = filled;
    let near = 0;
    for (const query of randomVectors(random, 20, 8)) {
      const { hits, plan } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 10, ef: 10 });
      near += oracle.check(hits, query, 10).near;
      expect(plan).toMatchObject({ kind, total: COUNT, allowed: COUNT });
    }
    expect(near).toBeGreaterThanOrEqual(kind === "scan" ? 200 : 120);
    const { recall: measured, sample } = await vectors.selfCheck(table.indexId, "1", { sample: 50 });
    expect(sample).toBe(50);
    expect(measured).toBeGreaterThanOrEqual(recall);
  });

  test("finds the only one that is committed, wherever it lies", async () => {
    const { vectors, table, corpus, records, random } = filled;
    await corpus.mark(table, records.slice(0, -1), "tombstone");
    const [last] = records.slice(-1) as [VectorRecord];
    for (const k of [1, 10, 1000]) {
      const [query] = randomVectors(random, 1, 8) as [Float32Array];
      const { hits, plan } = await vectors.search(table.indexId, query, { modelVersion: "1", k });
      expect(ids(hits)).toEqual([last.chunkId]);
      // Soon it asks which ones are committed, instead of looking deeper and deeper.
      expect(plan.evaluations).toBeLessThan(4 * COUNT);
      const filters = { lang: corpus.chunks.at(-1)?.document.lang ?? "" };
      const filtered = await vectors.search(table.indexId, query, { modelVersion: "1", k, filters });
      expect(ids(filtered.hits)).toEqual([last.chunkId]);
    }
    await corpus.mark(table, [last], "pending");
    const none = await vectors.search(table.indexId, last.vector, { modelVersion: "1", k: 10 });
    expect(none.hits).toEqual([]);
  });

  test("goes deeper where the nearest are not committed", async () => {
    const { vectors, table, corpus, records, oracle, random } = filled;
    const [query] = randomVectors(random, 1, 8) as [Float32Array];
    const { hits: all } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 1000 });
    for (const [hidden, k] of [
      [3, 5],
      [40, 10],
      [900, 20],
    ] as const) {
      const gone = new Set(ids(all.slice(0, hidden)));
      await corpus.mark(
        table,
        records.filter(({ chunkId }) => gone.has(chunkId)),
        "pending",
      );
      const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k });
      const { near } = oracle.check(hits, query, k, ({ chunkId }) => !gone.has(chunkId));
      expect(near).toBeGreaterThanOrEqual(k * recall);
    }
  });
});

test("a search comes to its end where few are left of the many that an index was made for", async () => {
  const vectors = openVectors({ indexAbove: 100 });
  const { table, corpus, records } = await fill(vectors, { count: 1600, dimensions: 4 });
  const [kept, gone] = [records.slice(0, 2), records.slice(2)];
  for (const some of [gone.slice(0, 800), gone.slice(800)]) {
    await vectors.deleteByChunkIds(table.indexId, ids(some));
  }
  await corpus.forget(gone);
  const [{ vector }] = kept as [VectorRecord];
  // Narrower than the index has partitions: it is not looked into whole, and all it finds tie with the last.
  const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 2, ef: 2 });
  expect(ids(hits).toSorted()).toEqual(ids(kept).toSorted());
});

test("a search finds what is committed, however many that are not come before it while it goes on", async () => {
  const near = (at: number): Float32Array => Float32Array.of(1, at / 1000);
  const { table, corpus, records } = await fill(openVectors(), {
    values: Array.from({ length: 40 }, (_, at) => near(at)),
  });
  const [nearer, late, farthest] = [records.slice(0, 9), records.slice(9, 39), records.slice(39)];
  await corpus.forget([...nearer, ...late]);
  const vectors = openVectors(
    {},
    whenAsked(() => vectors.upsert(table.indexId, late)),
  );
  await vectors.deleteByChunkIds(table.indexId, ids(late));
  const { hits } = await vectors.search(table.indexId, near(0), { modelVersion: "1", k: 1 });
  expect(await vectors.count(table.indexId)).toBe(40);
  expect(ids(hits)).toEqual(ids(farthest));
});

test("a search that is aborted looks no deeper", async () => {
  const { table, corpus, records } = await fill(openVectors(), { count: 100, dimensions: 4 });
  await corpus.mark(table, records, "pending");
  const abort = new AbortController();
  let asked = 0;
  const onAsked = async (): Promise<void> => {
    asked++;
    abort.abort();
  };
  const vectors = openVectors({}, whenAsked(onAsked, Infinity));
  const [query] = randomVectors(new Random(1), 1, 4) as [Float32Array];
  const searching = vectors.search(table.indexId, query, { modelVersion: "1", k: 1 }, { signal: abort.signal });
  await expect(searching).rejects.toMatchObject({ code: "ABORTED" });
  expect(asked).toBe(1);
});

/** The database, with something that happens each of the first times that it is asked which embeddings are committed. */
function whenAsked(then: () => Promise<void>, times = 1): SqlDatabase {
  let left = times;
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "all") return value.bind(target) as unknown;
      return async (sql: string, ...rest: unknown[]) => {
        if (sql.includes("r.status = 'committed' AND r.model_version") && left-- > 0) await then();
        return Reflect.apply(value, target, [sql, ...rest]) as unknown;
      };
    },
  });
}

test("two generations are searched apart, also while one of them is being written", async () => {
  const vectors = openVectors({ indexAbove: 150 });
  const filled = await fill(vectors, { count: 200 });
  const { table, corpus, records, oracle, random } = filled;
  const others = randomVectors(random, 200, 17).map((vector, at) => corpus.record(table, at, vector, "2"));
  await vectors.upsert(table.indexId, others.slice(0, 120));
  const query = (others[7] as VectorRecord).vector;
  const first = await vectors.search(table.indexId, query, { modelVersion: "1", k: 200 });
  oracle.expectExact(first.hits, query, 200);
  expect((await vectors.search(table.indexId, query, { modelVersion: "2", k: 5 })).hits).toEqual([]);
  await putCommitted({ vectors, table, corpus }, others);
  const second = await vectors.search(table.indexId, query, { modelVersion: "2", k: 200 });
  new VectorOracle("cosine", others).expectExact(second.hits, query, 200);
  expect(await vectors.deleteGeneration(table.indexId, "1")).toBe(200);
  expect((await vectors.search(table.indexId, query, { modelVersion: "1", k: 5 })).hits).toEqual([]);
  expect(await vectors.batchExists(table.indexId, [records[0]!.embeddingId, others[0]!.embeddingId])).toEqual([
    false,
    true,
  ]);
});

test("keeps the tables of many models apart, and those of another engine in the same database", async () => {
  const vectors = openVectors();
  const flat = flatVectors(db);
  const corpus = await VectorCorpus.create(db, 3);
  const spec = { modelId: "a/b", dimensions: 2 };
  const inDatabase = await flat.ensureTable(spec);
  const made: VectorTable[] = [];
  for (let n = 0; n < 12; n++)
    made.push(await vectors.ensureTable({ modelId: n % 2 === 0 ? `m${n}` : `m/${n}`, dimensions: 2 }));
  const table = await vectors.ensureTable(spec);
  expect(table.tableName).toBe(inDatabase.tableName);
  expect(table.indexId).not.toBe(inDatabase.indexId);
  expect(await flat.tables()).toEqual([inDatabase]);
  expect((await vectors.tables()).map(({ tableName }) => tableName)).toEqual(
    [...made, table].map(({ tableName }) => tableName).toSorted(),
  );
  await putCommitted({ vectors, table, corpus }, [corpus.record(table, 0, Float32Array.of(1, 0))]);
  expect(await flat.count(inDatabase.indexId)).toBe(0);
  expect(await vectors.count((made[3] as VectorTable).indexId)).toBe(0);
  await expect(flat.count(table.indexId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(vectors.count(inDatabase.indexId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(readdirSync(dir()).filter((name) => name.endsWith(".lance"))).toHaveLength(13);
  await flat.close();
});

test("opens again with all that was written, by its folder and its database", async () => {
  const first = openVectors({ indexAbove: 200 });
  const { table, oracle, records } = await fill(first, { count: 300, metric: "l2" });
  const told = (await first.info(table.indexId)).generations;
  await first.close();
  const again = openVectors({ indexAbove: 200 });
  expect(await again.tables()).toEqual([table]);
  for (const { vector } of records.slice(0, 5)) {
    const { hits } = await again.search(table.indexId, vector, { modelVersion: "1", k: 300 });
    oracle.expectExact(hits, vector, 300);
  }
  expect((await again.info(table.indexId)).generations).toEqual(told);
  expect(await again.openReports()).toMatchObject([{ source: "stored", reason: null, vectors: 300, replayed: 0 }]);
});

test("makes its index in the background once there are enough, takes in what comes later, and finds it before", async () => {
  const vectors = openVectors({ indexAbove: 2000, compactAfter: 1000 });
  const filled = await fill(vectors, { count: 5000, dimensions: 4, metric: "l2" });
  const { table, corpus, oracle, random } = filled;
  const engine = async (): Promise<unknown> => (await vectors.info(table.indexId)).generations[0];
  const [made] = (await vectors.info(table.indexId)).generations;
  expect(made).toMatchObject({ engine: "ivf", vectors: 5000, quantization: "f32" });
  expect((made?.linked ?? 0) + (made?.unlinked ?? 0)).toBe(5000);
  // It begins at 2,001 vectors, and may lack 2,000 more.
  expect(made?.unlinked).toBeLessThanOrEqual(2999);
  await vectors.rebuild(table.indexId, "1");
  expect(await engine()).toMatchObject({ engine: "ivf", linked: 5000, unlinked: 0 });
  const change = async (from: number, to: number): Promise<void> => {
    const changed = randomVectors(random, to - from, 4).map((vector, at) => corpus.record(table, from + at, vector));
    await vectors.upsert(table.indexId, changed);
    oracle.put(changed);
    const query = (changed[0] as VectorRecord).vector;
    const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 3 });
    expect(hits[0]?.chunkId).toBe(changed[0]?.chunkId);
  };
  await change(0, 100);
  await vectors.flush();
  expect(await engine()).toMatchObject({ engine: "ivf", linked: 4900, unlinked: 100 });
  for (let from = 100; from < 2600; from += 500) await change(from, from + 500);
  await vectors.flush();
  const [grown] = (await vectors.info(table.indexId)).generations;
  expect((grown?.linked ?? 0) + (grown?.unlinked ?? 0)).toBe(5000);
  expect(grown?.unlinked).toBeLessThanOrEqual(2000);
  for (const query of randomVectors(random, 5, 4)) {
    const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 10, ef: 4096 });
    oracle.expectExact(hits, query, 10);
  }
});

test.each([0, 1, 3])(
  "compares all where the database knows of %i partitions only, as after a crash",
  async (partitions) => {
    const vectors = openVectors({ indexAbove: 1000, compactAfter: 1000 });
    const { table, oracle, random } = await fill(vectors, { count: 6000, dimensions: 4, metric: "l2" });
    await vectors.close();
    await db.run("UPDATE kv SET value = json_set(value, '$.partitions', $1) WHERE key = $2", [
      partitions,
      `lance_table/${table.indexId}`,
    ]);
    await using readerDb = await openSqlNode({ path: join(folder.path, "lodestore.db"), functions, readOnly: true });
    const again = openVectors({ readOnly: true }, readerDb);
    for (const query of randomVectors(random, 10, 4)) {
      const { hits, plan } = await again.search(table.indexId, query, { modelVersion: "1", k: 10, ef: 10 });
      oracle.expectExact(hits, query, 10);
      expect(plan).toMatchObject({ kind: "scan", evaluations: 6000 });
    }
  },
);

test("compacts what many writes left, and deletes versions once they are old", async () => {
  const vectors = openVectors({ compactAfter: 4, keepVersionsMs: 1000 });
  const { table, corpus, records, oracle } = await fill(vectors, { count: 40 });
  const files = (): number => readdirSync(join(dir(), `${table.tableName}.lance`, "data")).length;
  let most = 0;
  for (let round = 0; round < 400 && (most < 6 || files() >= most); round++) {
    await vectors.upsert(table.indexId, [corpus.record(table, round % 40, records[round % 40]!.vector)]);
    await vectors.flush();
    most = Math.max(most, files());
  }
  expect(files()).toBeLessThan(most);
  const query = records[0]!.vector;
  oracle.expectExact((await vectors.search(table.indexId, query, { modelVersion: "1", k: 40 })).hits, query, 40);
  expect(await vectors.count(table.indexId)).toBe(40);
});

test("gives stored vectors back: unit vectors under cosine, else as they were", async () => {
  const vectors = openVectors();
  const corpus = await VectorCorpus.create(db, 2);
  for (const metric of ["cosine", "dot", "l2"] as const) {
    const table = await vectors.ensureTable({ modelId: metric, dimensions: 2, metric });
    const record = corpus.record(table, 0, Float32Array.of(3, 4));
    await vectors.upsert(table.indexId, [record]);
    const [missing, found] = await vectors.vectorsOf(table.indexId, ["f".repeat(32), record.embeddingId]);
    expect(missing).toBeUndefined();
    expect([...(found ?? [])]).toEqual(metric === "cosine" ? [Math.fround(0.6), Math.fround(0.8)] : [3, 4]);
  }
});

test("keeps the digits of dot products far below and far above 1", async () => {
  const vectors = openVectors();
  const random = new Random(5);
  const corpus = await VectorCorpus.create(db, 50);
  for (const scale of [1e-12, 1e-3, 1, 1e15]) {
    const table = await vectors.ensureTable({ modelId: `by ${scale}`, dimensions: 5, metric: "dot" });
    const records = randomVectors(random, 50, 5).map((vector, at) =>
      corpus.record(
        table,
        at,
        vector.map((x) => x * scale),
      ),
    );
    await putCommitted({ vectors, table, corpus }, records);
    const oracle = new VectorOracle("dot", records);
    for (const query of randomVectors(random, 3, 5)) {
      const { hits } = await vectors.search(
        table.indexId,
        query.map((x) => x * scale),
        { modelVersion: "1", k: 50 },
      );
      oracle.expectExact(
        hits,
        query.map((x) => x * scale),
        50,
      );
    }
  }
});

test("another reader sees each write that was done when its search began, and may write nothing", async () => {
  const vectors = openVectors({ compactAfter: 3 });
  const { table, corpus, random } = await fill(vectors, { count: 50 });
  await using readerDb = await openSqlNode({ path: join(folder.path, "lodestore.db"), functions, readOnly: true });
  const reader = openVectors({ readOnly: true }, readerDb);
  for (let round = 0; round < 20; round++) {
    const [vector] = randomVectors(random, 1, 17) as [Float32Array];
    const record = corpus.record(table, random.below(50), vector);
    await vectors.upsert(table.indexId, [record]);
    const { hits } = await reader.search(table.indexId, vector, { modelVersion: "1", k: 1 });
    expect(ids(hits)).toEqual([record.chunkId]);
  }
  const record = corpus.record(table, 0, new Float32Array(17).fill(1));
  const refused = { code: "UNSUPPORTED", capability: "vectors" };
  await expect(reader.upsert(table.indexId, [record])).rejects.toMatchObject({ ...refused, operation: "upsert" });
  await expect(reader.ensureTable({ modelId: "b", dimensions: 2 })).rejects.toMatchObject(refused);
  await expect(reader.deleteByChunkIds(table.indexId, [record.chunkId])).rejects.toMatchObject(refused);
  await expect(reader.deleteGeneration(table.indexId, "1")).rejects.toMatchObject(refused);
  await expect(reader.rebuild(table.indexId, "1")).rejects.toMatchObject(refused);
  await expect(reader.orphanSweep(table.indexId)).rejects.toMatchObject(refused);
  expect(await reader.orphanSweep(table.indexId, { dryRun: true })).toEqual({ orphans: 0, deleted: 0 });
  await reader.flush();
  expect(await reader.count(table.indexId)).toBe(50);
});

test("a store comes back to tables that were deleted while another engine had its vectors", async () => {
  const { table, corpus, records } = await fill(openVectors(), { count: 20 });
  await adoptVectors(db, openVectors());
  rmSync(dir(), { recursive: true });
  const between = flatVectors(db);
  // The packages cannot be loaded: nobody can tell the tables that they are left.
  expect(await adoptVectors(db, between)).toMatchObject({ found: 0, copied: 0, missing: 20 });
  const { modelId, dimensions } = table;
  await putCommitted({ vectors: between, table: await between.ensureTable({ modelId, dimensions }), corpus }, records);
  const again = openVectors();
  expect(await adoptVectors(db, again, async () => between)).toMatchObject({ found: 0, copied: 20, missing: 0 });
  const [{ vector }] = records as [VectorRecord];
  expect((await again.search(table.indexId, vector, { modelVersion: "1", k: 20 })).hits).toHaveLength(20);
});

test("has no regard for foreign files in its folder", async () => {
  mkdirSync(join(dir(), "something.lance"), { recursive: true });
  writeFileSync(join(dir(), "notes.txt"), "mine");
  writeFileSync(join(dir(), "other.lance"), "no table");
  const vectors = openVectors();
  expect(await vectors.tables()).toEqual([]);
  const { table, oracle, records } = await fill(vectors, { count: 10 });
  expect(await vectors.tables()).toEqual([table]);
  const query = records[0]!.vector;
  oracle.expectExact((await vectors.search(table.indexId, query, { modelVersion: "1", k: 10 })).hits, query, 10);
  expect(readdirSync(dir())).toEqual(expect.arrayContaining(["notes.txt", "other.lance", "something.lance"]));
});

test.each([
  ["indexAbove", -1],
  ["compactAfter", 0],
  ["keepVersionsMs", 10],
])("refuses %s of %j", async (field, value) => {
  const options = { dir: dir(), allowedChunks: new AllowedChunks(db).matching, indexId, [field]: value };
  await expect(openLanceVectors(db, options)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(field) as string,
  });
});

test("a table without vectors is deleted with its files, and made again; one with some stays", async () => {
  const { vectors, table, corpus, records } = await fill(openVectors(), { count: 20 });
  const drop = (indexId: string): Promise<boolean> => (vectors as LanceVectorStore).dropEmptyTable(indexId);
  const other = await vectors.ensureTable({ modelId: "other", dimensions: table.dimensions, metric: "l2" });
  expect(await drop(table.indexId)).toBe(false);
  expect(await vectors.count(table.indexId)).toBe(20);
  await vectors.deleteGeneration(table.indexId, "1");
  expect(await drop(table.indexId)).toBe(true);
  expect(await vectors.tables()).toEqual([other]);
  expect(lanceTables()).toEqual([`${other.tableName}.lance`]);
  await expect(drop(table.indexId)).rejects.toMatchObject({ code: "NOT_FOUND" });
  const { modelId, dimensions, metric } = table;
  const again = await vectors.ensureTable({ modelId, dimensions, metric });
  await putCommitted({ vectors, table: again, corpus }, records);
  expect(await vectors.count(again.indexId)).toBe(20);
  const opened = openVectors();
  expect(await opened.count(again.indexId)).toBe(20);
  expect(await opened.count(other.indexId)).toBe(0);
  expect((await db.all("SELECT 1 FROM kv WHERE key LIKE 'lance_table/%'")).length).toBe(2);
});
