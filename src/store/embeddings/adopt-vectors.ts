import type { SqlDatabase } from "../../contracts/sql.ts";
import type { VectorMove } from "../../contracts/store.ts";
import type { VectorMetric, VectorRecord, VectorStore, VectorTable } from "../../contracts/vectors.ts";
import { TurnTaker } from "../../turns.ts";
import { goOn, type OpeningStep } from "../opening.ts";
import type { AnyVectorStore } from "./vector-side.ts";

/** Key in `kv`: what keeps the vectors. */
const ENGINE = "vector_engine";
/** Tables in the store's own database. Stores of before there was another way say nothing. */
const SQL = "sql";
/** Records that are looked at together. */
const PAGE = 500;

/** Opens what kept the vectors until now; `undefined` where it cannot be opened. */
export type OpenVectors = (engine: string) => Promise<AnyVectorStore | undefined>;

/** Returns what keeps the vectors of a store: `sql` for tables in its database, else the name of a driver; `undefined` where it never had
 *  any. */
export async function keptVectorEngine(db: SqlDatabase): Promise<string | undefined> {
  const made = await db.get("SELECT 1 FROM sqlite_schema WHERE name = 'kv'");
  if (made === undefined) return undefined;
  const remembered = await rememberedEngine(db);
  if (remembered !== undefined) return remembered;
  const records = await db.get("SELECT 1 FROM embedding_records LIMIT 1");
  return records === undefined ? undefined : SQL;
}

/** Returns what keeps the vectors of a store, as it was remembered when the store was opened for writing last. */
export async function rememberedEngine(db: SqlDatabase): Promise<string | undefined> {
  return (await db.get<{ value: string }>("SELECT value FROM kv WHERE key = $1", [ENGINE]))?.value;
}

/** Returns how a vector store is remembered: `sql`, or the name of its driver. */
export async function engineOf(vectors: VectorStore): Promise<string> {
  const { transactional, driver } = await vectors.capabilities();
  return transactional ? SQL : driver;
}

/**
 * Brings embeddings into the vector store that a database is opened with, where another one kept them: copies what can be read, also
 * over what is there of an earlier time, and marks as pending what is nowhere, so that it is embedded anew. What was marked so is found
 * again, and committed, when the store comes back to the engine that has it. Interrupted, it begins again at the next opening; nothing is
 * deleted before everything is copied.
 *
 * @returns `null` where nothing had to be done.
 */
export async function adoptVectors(
  db: SqlDatabase,
  to: AnyVectorStore,
  openBefore: OpenVectors = async () => undefined,
  step: OpeningStep = goOn,
): Promise<VectorMove | null> {
  const engine = await engineOf(to);
  const before = (await keptVectorEngine(db)) ?? SQL;
  if (before === engine) return null;
  const models = await modelsOf(db);
  const move: VectorMove = { from: before, to: engine, found: 0, copied: 0, missing: 0 };
  if (models.length > 0) {
    const from = await openBefore(before);
    try {
      for (const model of models) await adoptModel(db, model, to, from, { move, step });
      await remember(db, engine);
      if (from !== undefined) await empty(db, from, models);
    } finally {
      await from?.close();
    }
    return move;
  }
  await remember(db, engine);
  return null;
}

/** A model with records. */
interface Model {
  modelId: string;
  dimensions: number;
}

/** A record whose chunk is there. */
interface LivingRecord {
  embeddingId: string;
  chunkId: string;
  documentId: string;
  modelVersion: string;
}

function modelsOf(db: SqlDatabase): Promise<Model[]> {
  return db.all<Model>(
    `SELECT DISTINCT model_id AS "modelId", dimensions FROM embedding_records WHERE status IN ('pending', 'committed')`,
  );
}

async function remember(db: SqlDatabase, engine: string): Promise<void> {
  await db.run("INSERT INTO kv (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [
    ENGINE,
    engine,
  ]);
}

async function adoptModel(
  db: SqlDatabase,
  model: Model,
  to: AnyVectorStore,
  from: AnyVectorStore | undefined,
  { move, step }: { move: VectorMove; step: OpeningStep },
): Promise<void> {
  const source = from === undefined ? undefined : await tableOf(from, model);
  const known = await tableOf(to, model);
  const metric: VectorMetric = source?.metric ?? known?.metric ?? "cosine";
  if (known !== undefined) await forgetLost(to, known);
  // Vectors that were compared in another way are of no use, and no table takes them: they are made anew.
  const target =
    known !== undefined && known.metric !== metric ? undefined : await to.ensureTable({ ...model, metric });
  // Vectors of a version that the target does not know it does not search, even where they are in its files.
  const versions = new Set(target === undefined ? [] : await to.generations(target.indexId));
  const { maxBatch } = await to.capabilities();
  const turns = new TurnTaker();
  for (let after = ""; ;) {
    const page = await recordsAfter(db, model, after, Math.min(PAGE, maxBatch));
    const last = page.at(-1);
    if (last === undefined) return;
    const there = new Set<string>();
    if (target !== undefined) {
      const copies = source === undefined || from === undefined ? [] : await read(from, source, page);
      if (copies.length > 0) await to.upsert(target.indexId, copies);
      for (const { embeddingId } of copies) there.add(embeddingId);
      move.copied += copies.length;
      const lacking = page.filter((record) => !there.has(record.embeddingId) && versions.has(record.modelVersion));
      for (const id of await existing(to, target, lacking)) there.add(id);
      move.found += there.size - copies.length;
    }
    move.missing += page.length - there.size;
    await mark(db, page, there);
    await step();
    after = last.embeddingId;
    await turns.breathe();
  }
}

/** Strikes versions of which a table has no vectors: they were lost while another engine kept them, and are missed no more. */
async function forgetLost(store: AnyVectorStore, { indexId }: VectorTable): Promise<void> {
  for (const version of await store.generations(indexId)) {
    if ((await store.count(indexId, version)) === 0) await store.deleteGeneration(indexId, version);
  }
}

async function tableOf(store: AnyVectorStore, { modelId, dimensions }: Model): Promise<VectorTable | undefined> {
  const tables = await store.tables();
  return tables.find((table) => table.modelId === modelId && table.dimensions === dimensions);
}

/** No status is named by equality: by its index every page would read all of them. */
function recordsAfter(db: SqlDatabase, model: Model, after: string, most: number): Promise<LivingRecord[]> {
  return db.all<LivingRecord>(
    `SELECT r.embedding_id AS "embeddingId", r.chunk_id AS "chunkId", r.document_id AS "documentId",
       r.model_version AS "modelVersion"
     FROM embedding_records r WHERE r.embedding_id > $1 AND r.model_id = $2 AND r.dimensions = $3 AND r.status <> 'tombstone'
     ORDER BY r.embedding_id LIMIT $4`,
    [after, model.modelId, model.dimensions, most],
  );
}

async function existing(store: AnyVectorStore, table: VectorTable, page: readonly LivingRecord[]): Promise<string[]> {
  const ids = page.map(({ embeddingId }) => embeddingId);
  const found = await store.batchExists(table.indexId, ids);
  return ids.filter((_, at) => found[at] === true);
}

async function read(
  from: AnyVectorStore,
  table: VectorTable,
  records: readonly LivingRecord[],
): Promise<VectorRecord[]> {
  if (records.length === 0) return [];
  const vectors = await from.vectorsOf(
    table.indexId,
    records.map(({ embeddingId }) => embeddingId),
  );
  return records.flatMap((record, at) => {
    const vector = vectors[at];
    return vector === undefined ? [] : [{ ...record, vector }];
  });
}

/** Commits the records whose vector is there, and takes the others back to pending. */
async function mark(db: SqlDatabase, page: readonly LivingRecord[], there: ReadonlySet<string>): Promise<void> {
  const setTo = (status: "committed" | "pending", records: readonly LivingRecord[]): [string, string, number] => [
    JSON.stringify(records.map(({ embeddingId }) => embeddingId)),
    status,
    Date.now(),
  ];
  const sql = `UPDATE embedding_records SET status = $2, updated_at = $3
    WHERE embedding_id IN (SELECT value FROM json_each($1)) AND status NOT IN ('tombstone', $2)`;
  await db.runMany(sql, [
    setTo(
      "committed",
      page.filter(({ embeddingId }) => there.has(embeddingId)),
    ),
    setTo(
      "pending",
      page.filter(({ embeddingId }) => !there.has(embeddingId)),
    ),
  ]);
}

/** Deletes the vectors of these models: they are elsewhere now. */
async function empty(db: SqlDatabase, store: AnyVectorStore, models: readonly Model[]): Promise<void> {
  for (const model of models) {
    const table = await tableOf(store, model);
    if (table === undefined) continue;
    const versions = await db.all<{ version: string }>(
      "SELECT DISTINCT model_version AS version FROM embedding_records WHERE model_id = $1 AND dimensions = $2",
      [model.modelId, model.dimensions],
    );
    for (const { version } of versions) await store.deleteGeneration(table.indexId, version);
  }
}
