import { beforeEach, afterEach, describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorRecord } from "../../src/contracts/vectors.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { BackgroundWork } from "../../src/drivers/vectors/background-work.ts";
import type { LiveIndex } from "../../src/drivers/vectors/live-index.ts";
import { writeGraphSection } from "../../src/drivers/vectors/graph-section.ts";
import { VectorIndex } from "../../src/drivers/vectors/vector-index.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { nextTurn, SearchActivity } from "../../src/turns.ts";
import { openSnapshotStore, SnapshotCase } from "../support/snapshot-store-case.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { randomVectors, VectorCorpus } from "../support/vector-corpus.ts";
import { VectorOracle } from "../support/vector-oracle.ts";
import { builtKernel } from "../wasm/built-kernel.ts";
import { Random } from "../wasm/random.ts";

const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];
let db: SqlDatabase;
beforeEach(async () => {
  db = await openDatabase();
});
afterEach(() => db.close());

/** The database, with something done after each of its `all` whose SQL has this in it. */
function doneAfter(part: string, what: () => Promise<void> | void): SqlDatabase {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = value as (...args: unknown[]) => unknown;
      if (name !== "all" && name !== "get") return method.bind(target);
      return async (sql: string, ...rest: unknown[]) => {
        const rows: unknown = await method.call(target, sql, ...rest);
        if (sql.includes(part)) await what();
        return rows;
      };
    },
  });
}

test("a log that another store cuts in the midst of its reading is noticed: nothing is missing", async () => {
  const count = 1200;
  const corpus = await VectorCorpus.create(db, count);
  const random = new Random(3);
  const one = openSnapshotStore(db, new MemoryBlobStore());
  let armed = false;
  const cutting = doneAfter("FROM vector_changes", async () => {
    if (!armed) return;
    armed = false;
    await one.flush();
    await one.close();
  });
  const other = openSnapshotStore(cutting, new MemoryBlobStore());
  const table = await one.ensureTable({ modelId: "test", dimensions: 8 });
  const putAll = async (): Promise<VectorRecord[]> => {
    const records = randomVectors(random, count, 8).map((vector, at) => corpus.record(table, at, vector));
    for (let from = 0; from < count; from += 600) await one.upsert(table.indexId, records.slice(from, from + 600));
    await corpus.mark(table, records);
    return records;
  };
  const query = { modelVersion: "1", k: 1 };
  const [first] = await putAll();
  await other.search(table.indexId, first!.vector, query);
  const records = await putAll();
  await one.search(table.indexId, first!.vector, query);
  armed = true;
  let missing = 0;
  for (const { chunkId, vector } of records) {
    const { hits } = await other.search(table.indexId, vector, query);
    if (hits[0]?.chunkId !== chunkId) missing++;
  }
  expect(armed).toBe(false);
  expect(missing).toBeLessThan(count / 50);
  await other.close();
});

test("what starts the work as it ends is not lost", async () => {
  for (let turns = 0; turns < 12; turns++) {
    let rounds = 0;
    let begun = false;
    const live = {
      hasWork: false,
      work: async () => false,
      fill: async () => false,
      save: async () => false,
      snapshotDue: () => {
        if (begun) return false;
        begun = true;
        let then = Promise.resolve();
        for (let turn = 0; turn < turns; turn++) then = then.then(() => undefined);
        void then.then(() => work.start());
        return false;
      },
    };
    const follow = async (): Promise<void> => {
      rounds++;
    };
    const work = new BackgroundWork(
      new SearchActivity(),
      follow,
      () => [live as unknown as LiveIndex],
      async () => undefined,
    );
    work.start();
    await expect.poll(() => rounds).toBe(2);
    await work.stop();
  }
});

test("a snapshot that is due is written although searches follow at once on each other", async () => {
  let searches = 0;
  const saves: number[] = [];
  const live = {
    hasWork: false,
    work: async () => false,
    fill: async () => false,
    save: async () => {
      saves.push(searches);
    },
    snapshotDue: () => saves.length === 0,
  };
  /** Somebody searches whenever it waits for a turn. */
  class Busy extends SearchActivity {
    override async turn(): Promise<void> {
      await nextTurn();
      searches++;
      if (live.snapshotDue() && searches < 50) work.start();
    }
  }
  const work = new BackgroundWork(
    new Busy(),
    async () => undefined,
    () => [live as unknown as LiveIndex],
    async () => undefined,
  );
  work.start();
  await work.finish();
  expect(saves).toEqual([1]);
  await work.stop();
});

describe("an index of few vectors", () => {
  const DIMENSIONS = 32;
  const random = new Random(5);
  const offset = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, () => 1000 + random.normal());

  async function filled(count: number, database: SqlDatabase = db) {
    const corpus = await VectorCorpus.create(db, 600);
    const vectors = new FlatVectorStore(database, {
      kernel: builtKernel,
      allowedChunks: new AllowedChunks(database).matching,
      indexId,
    });
    const table = await vectors.ensureTable({ modelId: "test", dimensions: DIMENSIONS, metric: "l2" });
    const records = Array.from({ length: 600 }, (_, at) => corpus.record(table, at, offset()));
    const put = async (from: number, to: number): Promise<void> => {
      await vectors.upsert(table.indexId, records.slice(from, to));
      await corpus.mark(table, records.slice(from, to));
    };
    await put(0, count);
    return { vectors, table, records, put };
  }

  test.each([30, 100, 255])("is exact, whatever they are: %i of them", async (count) => {
    const { vectors, table, records } = await filled(count);
    const oracle = new VectorOracle("l2", records.slice(0, count));
    for (let round = 0; round < 30; round++) {
      const query = offset();
      const { hits } = await vectors.search(table.indexId, query, { modelVersion: "1", k: 10 });
      oracle.expectExact(hits, query, 10);
    }
    await vectors.close();
  });

  test("is read as suits it once there are enough, though the search that noticed is aborted", async () => {
    const aborter = new AbortController();
    let armed = false;
    const aborting = doneAfter("AS place", () => {
      if (armed) aborter.abort();
    });
    const { vectors, table, put, records } = await filled(200, aborting);
    await vectors.flush();
    await put(200, 300);
    armed = true;
    const query = { modelVersion: "1", k: 1 };
    const { signal } = aborter;
    await vectors.search(table.indexId, offset(), query, { signal }).catch(() => undefined);
    await put(300, 600);
    expect((await vectors.info(table.indexId)).generations[0]?.quantization).toBe("f32");
    for (const { vector, chunkId } of records.slice(0, 50)) {
      expect((await vectors.search(table.indexId, vector, query)).hits[0]?.chunkId).toBe(chunkId);
    }
    await vectors.close();
  });
});

describe("a snapshot", () => {
  test("that needs more memory than there may be is passed over: the rows need less", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs, { count: 3000, dimensions: 256 }, { quantization: "sq8" });
    await db.run(
      `UPDATE embedding_records SET status = 'tombstone'
       WHERE embedding_id NOT IN (SELECT embedding_id FROM embedding_records ORDER BY embedding_id LIMIT 20)`,
    );
    const vectors = one.open(blobs, { maxMemoryBytes: 2 * 2 ** 20 });
    const { hits } = await vectors.search(one.table.indexId, new Float32Array(256).fill(1), {
      modelVersion: "1",
      k: 30,
    });
    expect(hits).toHaveLength(20);
    expect((await vectors.openReports())[0]).toMatchObject({
      source: "rebuilt",
      reason: expect.stringMatching(/^QUOTA_EXCEEDED/u) as string,
    });
    await vectors.close();
  });

  test("of another quantization than the setting is passed over", async () => {
    const blobs = new MemoryBlobStore();
    const one = await SnapshotCase.create(db, blobs, {}, { quantization: "sq8" });
    const vectors = one.open(blobs, { quantization: "f32" });
    await one.expectServes(vectors);
    expect((await vectors.info(one.table.indexId)).generations[0]?.quantization).toBe("f32");
    expect((await vectors.openReports())[0]?.reason).toBe("its vectors are sq8, and the setting says f32");
    await vectors.close();
    expect(await one.serve(blobs, { quantization: "f32" })).toMatchObject({ source: "snapshot", reason: null });
  });
});

describe("many doubles of one vector", () => {
  const COUNT = 3000;
  const DIMENSIONS = 64;

  /** Vectors of which a third are one and the same, half of them deleted and others put in their place, some times over. */
  async function churned() {
    const random = new Random(11);
    const corpus = await VectorCorpus.create(db, COUNT);
    const vectors = openSnapshotStore(db, new MemoryBlobStore(), { m: 16 });
    const table = await vectors.ensureTable({ modelId: "test", dimensions: DIMENSIONS });
    const one = Float32Array.from({ length: DIMENSIONS }, () => random.normal());
    const unique = new Map<string, Float32Array>();
    const put = async (places: readonly number[]): Promise<void> => {
      const records = places.map((at) => {
        const double = random.below(3) === 0;
        const vector = double ? one : Float32Array.from({ length: DIMENSIONS }, () => random.normal());
        const record = corpus.record(table, at, vector);
        if (double) unique.delete(record.chunkId);
        else unique.set(record.chunkId, vector);
        return record;
      });
      for (let from = 0; from < records.length; from += 500) {
        await vectors.upsert(table.indexId, records.slice(from, from + 500));
      }
      await corpus.mark(table, records);
      await vectors.flush();
    };
    const places = Array.from({ length: COUNT }, (_, at) => at);
    await put(places);
    for (let round = 0; round < 4; round++) {
      const half = random.shuffle([...places]).slice(0, COUNT / 2);
      const ids = half.map((at) => corpus.chunks[at]!.id);
      for (let from = 0; from < ids.length; from += 500) {
        await vectors.deleteByChunkIds(table.indexId, ids.slice(from, from + 500));
      }
      await vectors.info(table.indexId);
      await put(half);
    }
    return { vectors, table, one, unique };
  }

  test("keep no other from being found, and a search always gives k", async () => {
    const { vectors, table, one, unique } = await churned();
    let missed = 0;
    for (const [chunkId, vector] of unique) {
      const { hits } = await vectors.search(table.indexId, vector, { modelVersion: "1", k: 10 });
      expect(hits).toHaveLength(10);
      if (hits[0]?.chunkId !== chunkId) missed++;
    }
    expect(missed / unique.size).toBeLessThan(0.02);
    for (const k of [10, 100, 1000]) {
      const ask = { modelVersion: "1", k };
      expect((await vectors.search(table.indexId, one, ask)).hits).toHaveLength(k);
      for (const { hits } of await vectors.searchBatch(table.indexId, [one, one], ask)) expect(hits).toHaveLength(k);
    }
    await vectors.close();
  });

  test("that no walk reaches any more are named by the writer of a snapshot, and reached once they are put anew", () => {
    const random = new Random(11);
    const index = new VectorIndex(builtKernel, {
      dimensions: DIMENSIONS,
      metric: "cosine",
      quantization: "sq8",
      m: 16,
      efConstruction: 128,
      seed: 1,
      resident: true,
      maxMemoryBytes: 2 ** 28,
    });
    const one = Float32Array.from({ length: DIMENSIONS }, () => random.normal());
    const vectors = new Map<number, Float32Array>();
    const put = (label: number): void => {
      const vector = random.below(3) === 0 ? one : Float32Array.from({ length: DIMENSIONS }, () => random.normal());
      index.add(label, vector);
      vectors.set(label, vector);
    };
    const cutOff = (): number[] => {
      index.link(COUNT);
      const steps = writeGraphSection(index);
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value.cutOff;
      }
    };
    for (let label = 0; label < COUNT; label++) put(label);
    expect(cutOff()).toEqual([]);
    for (let round = 0; round < 4; round++) {
      const half = random.shuffle([...vectors.keys()]).slice(0, COUNT / 2);
      for (const label of half) index.remove(label);
      for (const label of half) put(label);
      index.link(COUNT);
    }
    const lost = cutOff();
    expect(lost.length).toBeGreaterThan(20);
    for (const label of lost) index.add(label, vectors.get(label)!);
    expect(cutOff()).toEqual([]);
  });
});
