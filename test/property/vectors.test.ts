import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { TransactionalVectorStore, VectorMetric, VectorRecord, VectorTable } from "../../src/contracts/vectors.ts";
import { MemoryBlobStore } from "../../src/drivers/blobs-memory.ts";
import { FlatVectorStore } from "../../src/drivers/vectors-flat.ts";
import { HnswVectorStore } from "../../src/drivers/vectors-hnsw.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { sqlDatabases } from "../support/sql-databases.ts";
import { FILTERS, randomVectors, VectorCorpus } from "../support/vector-corpus.ts";
import { VectorOracle } from "../support/vector-oracle.ts";
import { builtKernel as kernel } from "../wasm/built-kernel.ts";
import { Random } from "../wasm/random.ts";

const CHUNKS = 400;
const DIMENSIONS = 6;
const [{ open: openDatabase }] = sqlDatabases as [(typeof sqlDatabases)[number]];

const seed = fc.nat(0xffff);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("put" as const), seed, count: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("double" as const), seed, count: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("delete" as const), seed, count: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("undo" as const), seed, count: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("hide" as const), seed, count: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("flush" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rebuild" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Open = (db: SqlDatabase, snapshots: MemoryBlobStore) => TransactionalVectorStore;

/** One store under test beside the map of what it holds. */
class Subject {
  readonly #open: Open;
  readonly #snapshots = new MemoryBlobStore();
  readonly #oracle: VectorOracle;
  readonly #random = new Random(1);
  #vectors: TransactionalVectorStore;
  readonly #corpus: VectorCorpus;
  readonly #table: VectorTable;
  near = 0;
  wanted = 0;

  constructor(open: Open, corpus: VectorCorpus, table: VectorTable) {
    this.#open = open;
    this.#corpus = corpus;
    this.#table = table;
    this.#oracle = new VectorOracle(table.metric);
    this.#vectors = open(corpus.db, this.#snapshots);
  }

  async take(one: Step): Promise<void> {
    const { indexId } = this.#table;
    switch (one.kind) {
      case "put":
        return this.#put(this.#some(one, (random) => randomVectors(random, 1, DIMENSIONS)[0] as Float32Array));
      case "double":
        return this.#put(this.#some(one, () => new Float32Array(DIMENSIONS).fill(1)));
      case "delete": {
        const ids = this.#some(one).map(({ chunkId }) => chunkId);
        const there = this.#oracle.size;
        this.#oracle.delete(ids);
        expect(await this.#vectors.deleteByChunkIds(indexId, ids)).toBe(there - this.#oracle.size);
        return;
      }
      case "undo": {
        const undone = this.#corpus.db.transaction(async (tx) => {
          const writer = this.#vectors.over(tx);
          const records = this.#some(one);
          await this.#corpus.mark(this.#table, records, "committed", tx);
          await writer.upsert(indexId, records);
          await writer.deleteByChunkIds(
            indexId,
            this.#some({ ...one, seed: one.seed + 1 }).map(({ chunkId }) => chunkId),
          );
          throw new Error("undo");
        });
        await expect(undone).rejects.toThrow("undo");
        return;
      }
      case "hide": {
        // A tombstone takes its vector along.
        const records = this.#some(one);
        await this.#corpus.mark(this.#table, records, "tombstone");
        this.#oracle.delete(records.map(({ chunkId }) => chunkId));
        return;
      }
      case "flush":
        return this.#vectors.flush();
      case "reopen":
        await this.#vectors.close();
        this.#vectors = this.#open(this.#corpus.db, this.#snapshots);
        return;
      case "rebuild":
        if (this.#oracle.size > 0) await this.#vectors.rebuild(indexId, "1");
    }
  }

  async compare(): Promise<void> {
    const { indexId } = this.#table;
    const [anywhere] = randomVectors(this.#random, 1, DIMENSIONS) as [Float32Array];
    const known = this.#oracle.records;
    const queries = known.length === 0 ? [anywhere] : [anywhere, this.#random.pick(known).vector];
    for (const query of queries) {
      const k = 1 + this.#random.below(30);
      const { filter, allows } = this.#random.pick(FILTERS);
      const documents = new Map(this.#corpus.chunks.map(({ id, document }) => [id, document]));
      const matches = ({ chunkId }: VectorRecord): boolean => allows(documents.get(chunkId)!);
      const plain = await this.#vectors.search(indexId, query, { modelVersion: "1", k });
      const filtered = await this.#vectors.search(indexId, query, { modelVersion: "1", k, filters: filter });
      this.#oracle.expectExact(filtered.hits, query, k, matches);
      const { near, wanted } = this.#oracle.check(plain.hits, query, k);
      this.near += near;
      this.wanted += wanted;
    }
    expect(await this.#vectors.count(indexId)).toBe(this.#oracle.size);
  }

  close(): Promise<void> {
    return this.#vectors.close();
  }

  async #put(records: readonly VectorRecord[]): Promise<void> {
    await this.#vectors.upsert(this.#table.indexId, records);
    await this.#corpus.mark(this.#table, records);
    this.#oracle.put(records);
  }

  /** Records of some chunks, the same for the same step. */
  #some(
    { seed, count }: { seed: number; count: number },
    vectorOf: (random: Random) => Float32Array = () => new Float32Array(DIMENSIONS).fill(2),
  ): VectorRecord[] {
    const random = new Random(seed);
    return Array.from({ length: count }, () =>
      this.#corpus.record(this.#table, random.below(CHUNKS), vectorOf(random)),
    );
  }
}

const optionsFor = (db: SqlDatabase) => ({ kernel, allowedChunks: new AllowedChunks(db).matching, indexId });

describe.each([
  { driver: "vectors-flat", least: 1, open: (db: SqlDatabase) => new FlatVectorStore(db, optionsFor(db)) },
  {
    driver: "vectors-hnsw with its graph",
    least: 0.95,
    open: (db: SqlDatabase, snapshots: MemoryBlobStore) =>
      new HnswVectorStore(db, { ...optionsFor(db), snapshots, graphAbove: 16, m: 8 }),
  },
])("$driver", ({ least, open }) => {
  test("answers after any steps as a naive map does", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<VectorMetric>("cosine", "dot", "l2"),
        fc.array(step, { minLength: 1, maxLength: 24, size: "max" }),
        async (metric, steps) => {
          await using db = await openDatabase();
          const corpus = await VectorCorpus.create(db, CHUNKS);
          const first = open(db, new MemoryBlobStore());
          const table = await first.ensureTable({ modelId: "test", dimensions: DIMENSIONS, metric });
          await first.close();
          const subject = new Subject(open, corpus, table);
          try {
            for (const one of steps) {
              await subject.take(one);
              await subject.compare();
            }
          } finally {
            await subject.close();
          }
          if (subject.wanted > 0) expect(subject.near / subject.wanted).toBeGreaterThanOrEqual(least);
        },
      ),
      { numRuns: Number(process.env["LODESTORE_PROPERTY_RUNS"] ?? 25) },
    );
  });
});
