import { expect } from "vitest";
import type { BlobStore } from "../../src/contracts/blobs.ts";
import type { SqlDatabase } from "../../src/contracts/sql.ts";
import type { VectorMetric, VectorOpenReport, VectorRecord, VectorTable } from "../../src/contracts/vectors.ts";
import { type HnswVectorOptions, HnswVectorStore } from "../../src/drivers/vectors-hnsw.ts";
import { encodeEnvelope } from "../../src/formats/lhv1-envelope.ts";
import { readLhv1, writeLhv1 } from "../../src/formats/lhv1.ts";
import type { SnapshotDescription } from "../../src/formats/snapshot-envelope.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { builtKernel } from "../wasm/built-kernel.ts";
import { Random } from "../wasm/random.ts";
import { randomVectors, VectorCorpus } from "./vector-corpus.ts";
import { VectorOracle } from "./vector-oracle.ts";

/** Opens a store whose graph serves at small sizes and whose snapshots go to these blobs. */
export function openSnapshotStore(
  db: SqlDatabase,
  snapshots: BlobStore,
  options: Partial<HnswVectorOptions> = {},
): HnswVectorStore {
  return new HnswVectorStore(db, {
    kernel: builtKernel,
    allowedChunks: new AllowedChunks(db).matching,
    indexId,
    snapshots,
    graphAbove: 16,
    m: 4,
    ...options,
  });
}

/** Rows of one generation, and the store that is opened over them again and again with this and that beside them. */
export class SnapshotCase {
  readonly db: SqlDatabase;
  readonly corpus: VectorCorpus;
  readonly table: VectorTable;
  readonly oracle: VectorOracle;
  readonly random: Random;
  /** Key of the snapshot. */
  readonly key: string;
  readonly #options: Partial<HnswVectorOptions>;

  private constructor(
    corpus: VectorCorpus,
    table: VectorTable,
    records: VectorRecord[],
    random: Random,
    options: Partial<HnswVectorOptions>,
  ) {
    this.db = corpus.db;
    this.corpus = corpus;
    this.table = table;
    this.random = random;
    this.#options = options;
    this.oracle = new VectorOracle(table.metric, records);
    this.key = `_vectors/${table.tableName}.1.lhv1`;
  }

  /** Writes rows, and the snapshot that a store makes of them. */
  static async create(
    db: SqlDatabase,
    blobs: BlobStore,
    shape: { count?: number; dimensions?: number; metric?: VectorMetric } = {},
    options: Partial<HnswVectorOptions> = {},
  ): Promise<SnapshotCase> {
    const { count = 300, dimensions = 4, metric = "cosine" } = shape;
    const random = new Random(7);
    const corpus = await VectorCorpus.create(db, count);
    const vectors = openSnapshotStore(db, blobs, options);
    const table = await vectors.ensureTable({ modelId: "test", dimensions, metric });
    const records = randomVectors(random, count, dimensions).map((vector, at) => corpus.record(table, at, vector));
    for (let from = 0; from < count; from += 1000)
      await vectors.upsert(table.indexId, records.slice(from, from + 1000));
    await corpus.mark(table, records);
    await vectors.flush();
    await vectors.close();
    return new SnapshotCase(corpus, table, records, random, options);
  }

  open(blobs: BlobStore, options: Partial<HnswVectorOptions> = {}): HnswVectorStore {
    return openSnapshotStore(this.db, blobs, { ...this.#options, ...options });
  }

  /** Opens a store over these blobs and holds its answers against the rows.
   *  @returns what its opening did. */
  async serve(blobs: BlobStore, options: Partial<HnswVectorOptions> = {}): Promise<VectorOpenReport> {
    const vectors = this.open(blobs, options);
    await this.expectServes(vectors);
    const reports = await vectors.openReports();
    await vectors.close();
    expect(reports).toHaveLength(1);
    return reports[0] as VectorOpenReport;
  }

  /** Searches for something random and for something stored, for few, for many and filtered. */
  async expectServes(vectors: HnswVectorStore): Promise<void> {
    const [anywhere] = randomVectors(this.random, 1, this.table.dimensions) as [Float32Array];
    const { vector } = this.random.pick(this.oracle.records);
    const korean = new Set(this.corpus.chunks.filter(({ document }) => document.lang === "ko").map(({ id }) => id));
    const { size } = this.oracle;
    let near = 0;
    let wanted = 0;
    for (const query of [anywhere, vector]) {
      for (const k of [1, 10, 30, 1000]) {
        const { hits, plan } = await vectors.search(this.table.indexId, query, { modelVersion: "1", k });
        // What is far behind keeps the score of its code until the vectors have been read.
        const checked = this.oracle.check(hits, query, k, undefined, k > 30);
        near += checked.near;
        wanted += checked.wanted;
        expect(plan.total).toBe(size);
      }
      const ask = { modelVersion: "1", k: 10, filters: { lang: "ko" } };
      const { hits } = await vectors.search(this.table.indexId, query, ask);
      this.oracle.expectExact(hits, query, 10, ({ chunkId }) => korean.has(chunkId));
    }
    expect(near / wanted).toBeGreaterThanOrEqual(0.95);
  }

  /** Writes and commits other vectors for some chunks, and deletes others. */
  async change(vectors: HnswVectorStore, changes: number): Promise<void> {
    const { length } = this.corpus.chunks;
    const records = randomVectors(this.random, changes, this.table.dimensions).map((vector) =>
      this.corpus.record(this.table, this.random.below(length), vector),
    );
    const gone = records.slice(0, Math.floor(changes / 4)).map(({ chunkId }) => chunkId);
    await vectors.upsert(this.table.indexId, records);
    await this.corpus.mark(this.table, records);
    await vectors.deleteByChunkIds(this.table.indexId, gone);
    this.oracle.put(records);
    this.oracle.delete(gone);
  }
}

/** A snapshot that says and holds something else, with every checksum and length made right again. */
export function resigned(
  bytes: Uint8Array,
  change: { envelope?: Record<string, unknown>; graph?: (graph: Uint8Array<ArrayBuffer>) => Uint8Array | void },
): Uint8Array {
  const { envelope, graph } = readLhv1(bytes);
  const copy = graph.slice();
  const content = change.graph?.(copy) ?? copy;
  const { format: _format, formatVersion: _version, checksum: _checksum, ...description } = envelope;
  const checksum = xxh64(content).toString(16).padStart(16, "0");
  const described = {
    ...description,
    ...change.envelope,
    graph: { encoding: "hnsw-1", byteLength: content.length, checksum },
  };
  return writeLhv1(encodeEnvelope(described as unknown as SnapshotDescription), [content]);
}

/** What a process that is to be killed does. */
export interface SnapshotCrashOrder {
  /** The database. */
  file: string;
  /** Folder of the snapshots. */
  blobs: string;
  seed: number;
  /** Which write of a snapshot it kills itself in; 0 for none. */
  atPut: number;
  /** Turns of the event loop after the write began. */
  turns: number;
}

/** Chunks of the database of those processes. */
export const CRASH_CHUNKS = 600;
const CRASH_DIMENSIONS = 48;

/** Random vectors for random chunks, each chunk once. */
export async function randomRecords(
  db: SqlDatabase,
  vectors: HnswVectorStore,
  random: Random,
  count: number,
): Promise<{ corpus: VectorCorpus; table: VectorTable; records: VectorRecord[] }> {
  const corpus = VectorCorpus.of(db, CRASH_CHUNKS);
  const table = await vectors.ensureTable({ modelId: "test", dimensions: CRASH_DIMENSIONS, metric: "l2" });
  const chunks = random.shuffle([...corpus.chunks.keys()]).slice(0, count);
  const values = randomVectors(random, count, CRASH_DIMENSIONS);
  return { corpus, table, records: chunks.map((at, i) => corpus.record(table, at, values[i] as Float32Array)) };
}
