import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SqlDatabase } from "../../../src/contracts/sql.ts";
import type { VectorRecord, VectorStore, VectorTable } from "../../../src/contracts/vectors.ts";
import { openFsBlobs } from "../../../src/drivers/blobs-fs.ts";
import { openSqlNode } from "../../../src/drivers/sql-node.ts";
import { HnswVectorStore } from "../../../src/drivers/vectors-hnsw.ts";
import { LanceVectorStore } from "../../../src/drivers/vectors-lance.ts";
import { migrate } from "../../../src/sql/migrate.ts";
import { AllowedChunks } from "../../../src/store/allowed-chunks.ts";
import { indexId } from "../../../src/store/ids.ts";
import { storeFunctions } from "../../../src/store/schema-functions.ts";
import { VectorCorpus } from "../../support/vector-corpus.ts";
import { mulberry32, type VectorSet } from "../vectors/clustered.ts";

/** A way of keeping vectors on Node. */
export const ENGINES = ["lance, exact", "lance, indexed", "hnsw"] as const;
export type EngineName = (typeof ENGINES)[number];

/** What makes Lance leave its tables without an index. */
const NEVER = 1_000_000_000;
const MODEL = "bench";

/** A vector store beside the rows its vectors belong to, in a folder of its own. */
export interface EngineStore {
  name: EngineName;
  dir: string;
  db: SqlDatabase;
  vectors: VectorStore;
  table: VectorTable;
  close(): Promise<void>;
}

/** Opens an engine over the store in a folder, which is made when it is not there. */
export async function openEngine(name: EngineName, dir: string, dimensions: number): Promise<EngineStore> {
  await mkdir(dir, { recursive: true });
  const db = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
  await migrate(db);
  const vectors = await openVectors(name, db, dir);
  const table = await vectors.ensureTable({ modelId: MODEL, dimensions, metric: "cosine" });
  const close = async (): Promise<void> => {
    await vectors.close();
    await db.close();
  };
  return { name, dir, db, vectors, table, close };
}

async function openVectors(name: EngineName, db: SqlDatabase, dir: string): Promise<VectorStore> {
  const allowedChunks = new AllowedChunks(db).matching;
  if (name === "hnsw") {
    const kernel = new WebAssembly.Module(readFileSync(new URL("../../../wasm/hnsw.wasm", import.meta.url)));
    const snapshots = await openFsBlobs({ dir: join(dir, "blobs") });
    return new HnswVectorStore(db, { kernel, allowedChunks, indexId, snapshots });
  }
  return new LanceVectorStore(db, {
    dir: join(dir, "vectors"),
    allowedChunks,
    indexId,
    ...(name === "lance, exact" ? { indexAbove: NEVER } : {}),
  });
}

/** Shares of the chunks that the filters of the benchmark let through, at random. */
export const SHARES = [1, 0.1, 0.01];

/** Writes the documents and chunks of a set: four chunks to a document, each document with a trust at random. */
export async function writeChunks(db: SqlDatabase, set: VectorSet): Promise<{ corpus: VectorCorpus; trust: number[] }> {
  const corpus = await VectorCorpus.create(db, set.count);
  const random = mulberry32(7);
  const byDocument = new Map<string, number>();
  for (const { document } of corpus.chunks) {
    if (!byDocument.has(document.id)) byDocument.set(document.id, random());
  }
  await db.runMany(
    "UPDATE documents SET trust = $2 WHERE document_id = $1",
    [...byDocument].map(([id, value]) => [id, value]),
  );
  return { corpus, trust: corpus.chunks.map(({ document }) => byDocument.get(document.id) as number) };
}

/** Writes the vectors of a set in batches, each committed.
 *  @returns vectors a second. */
export async function writeVectors(
  { db, vectors, table }: EngineStore,
  set: VectorSet,
  batchSize: number,
): Promise<number> {
  const corpus = VectorCorpus.of(db, set.count);
  const start = performance.now();
  for (let from = 0; from < set.count; from += batchSize) {
    const records: VectorRecord[] = [];
    for (let at = from; at < Math.min(set.count, from + batchSize); at++) {
      records.push(corpus.record(table, at, set.base.slice(at * set.dimensions, (at + 1) * set.dimensions)));
    }
    await vectors.upsert(table.indexId, records);
    await corpus.mark(table, records);
  }
  return (1000 * set.count) / (performance.now() - start);
}

export async function removeEngine(store: EngineStore): Promise<void> {
  await store.close();
  await rm(store.dir, { recursive: true, force: true });
}
