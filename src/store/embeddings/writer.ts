import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorTable, VectorWriter } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { bumpEmbeddingRevision } from "./embedding-revision.ts";
import type { RecordEraser } from "./eraser.ts";
import { requireLiving, serveFirst } from "./model-rows.ts";
import { commitPending, insertPending, type NewRecord, OLD_RECORD, type OldRecord, recordsOf } from "./records.ts";
import type { VectorSide } from "./vector-side.ts";

/** A vector and the chunk it stands for. */
export interface EmbeddedChunk {
  chunkId: string;
  vector: Float32Array;
  /** Key of the chunk whose text was embedded: one that came anew with the same id has another. Absent where no text was read. */
  chunkKey?: number;
}

/**
 * Writes embeddings in two phases: the record, pending; the vector; the record, committed. Nothing is visible before the last.
 *
 * Where the vectors are in the store's database all of it is one transaction. Else each phase commits on its own, and a crash
 * between two leaves a pending record, which the next write of the same embedding takes over: its id is the same.
 */
export class EmbeddingWriter {
  readonly #db: SqlDatabase;
  readonly #vectors: VectorSide;
  readonly #eraser: RecordEraser;

  constructor(db: SqlDatabase, vectors: VectorSide, eraser: RecordEraser) {
    this.#db = db;
    this.#vectors = vectors;
    this.#eraser = eraser;
  }

  /** Writes a batch. Chunks that are gone, or came anew since their text was read, are left out, with nothing of them left.
   *  @param rows At most `maxBatch` of the vector store.
   *  @returns ids of the chunks whose embedding is committed.
   *  @throws StorageError CONFLICT when the generation is neither served nor built */
  async write(
    table: VectorTable,
    generation: EmbeddingGeneration,
    rows: readonly EmbeddedChunk[],
  ): Promise<Set<string>> {
    if (rows.length === 0) return new Set();
    const over = await this.#vectors.writerOver();
    return this.#vectors.exclusively(() =>
      over === undefined ? this.#writeApart(table, generation, rows) : this.#writeWhole(over, table, generation, rows),
    );
  }

  #writeWhole(
    over: (tx: SqlExecutor) => VectorWriter,
    table: VectorTable,
    generation: EmbeddingGeneration,
    rows: readonly EmbeddedChunk[],
  ): Promise<Set<string>> {
    return this.#db.transaction(async (tx) => {
      const records = await begin(tx, generation, rows);
      await over(tx).upsert(
        table.indexId,
        records.map((record) => vectorRecord(generation, record)),
      );
      return finish(tx, generation, records);
    });
  }

  async #writeApart(
    table: VectorTable,
    generation: EmbeddingGeneration,
    rows: readonly EmbeddedChunk[],
  ): Promise<Set<string>> {
    const records = await this.#db.transaction((tx) => begin(tx, generation, rows));
    const committed = await this.#putAndFinish(table, generation, records);
    const vanished = records.filter(({ chunkId }) => !committed.has(chunkId));
    if (vanished.length > 0) await this.#eraser.eraseNow((tx) => tombstonesAmong(tx, vanished));
    return committed;
  }

  async #putAndFinish(
    table: VectorTable,
    generation: EmbeddingGeneration,
    records: readonly NewRecord[],
  ): Promise<Set<string>> {
    try {
      await this.#upsert(table, generation, records);
      return await this.#db.transaction(async (tx) => {
        await requireLiving(tx, generation);
        return finish(tx, generation, records);
      });
    } catch (error) {
      // Vectors of committed records may have been replaced all the same, which their records do not tell.
      await bumpEmbeddingRevision(this.#db).catch(() => undefined);
      throw error;
    }
  }

  /** A store may refuse vectors of chunks that it sees are gone; those of the others are put without them. */
  async #upsert(table: VectorTable, generation: EmbeddingGeneration, records: readonly NewRecord[]): Promise<void> {
    const put = (some: readonly NewRecord[]): Promise<void> =>
      this.#vectors.store.upsert(
        table.indexId,
        some.map((record) => vectorRecord(generation, record)),
      );
    try {
      await put(records);
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== "NOT_FOUND") throw error;
      const there = await recordsOf(this.#db, generation, records);
      if (there.length === records.length) throw error;
      await this.#upsert(table, generation, there);
    }
  }
}

/** Phase 1. */
async function begin(
  tx: SqlExecutor,
  generation: EmbeddingGeneration,
  rows: readonly EmbeddedChunk[],
): Promise<NewRecord[]> {
  await requireLiving(tx, generation);
  const records = await recordsOf(tx, generation, rows);
  await insertPending(tx, generation, records);
  return records;
}

/** Phase 3. */
async function finish(
  tx: SqlExecutor,
  generation: EmbeddingGeneration,
  records: readonly NewRecord[],
): Promise<Set<string>> {
  const committed = await commitPending(tx, records);
  if (committed.size > 0) {
    await serveFirst(tx, generation);
    await bumpEmbeddingRevision(tx);
  }
  return committed;
}

function vectorRecord({ modelVersion }: EmbeddingGeneration, record: NewRecord): NewRecord & { modelVersion: string } {
  return { ...record, modelVersion };
}

function tombstonesAmong(tx: SqlExecutor, records: readonly NewRecord[]): Promise<OldRecord[]> {
  return tx.all<OldRecord>(
    `SELECT ${OLD_RECORD} FROM json_each($1) wanted CROSS JOIN embedding_records r ON r.embedding_id = wanted.value
     WHERE r.status = 'tombstone'`,
    [JSON.stringify(records.map(({ embeddingId }) => embeddingId))],
  );
}
