import type { SqlDatabase, SqlExecutor, SqlTransaction } from "../../contracts/sql.ts";
import type { VectorRecord, VectorTableWriter } from "../../contracts/vectors.ts";
import { decodeVector, storedVectorBytes } from "../../formats/stored-vector.ts";
import type { AnyVectorStore, VectorSide } from "../embeddings/vector-side.ts";
import { archiveError } from "./archive-error.ts";
import { unfit, unfitRows } from "./archive-values.ts";
import { type CarriedModel, type CarriedVector, readCarriedVectors } from "./carried-vectors.ts";

/** Carries the vectors of an attached image over into a vector store of either kind. */
export class VectorCarrier {
  readonly vectors: AnyVectorStore;
  readonly #db: SqlDatabase;
  readonly #side: VectorSide;
  readonly #onRows: (rows: number) => Promise<void>;
  #models: readonly CarriedModel[] = [];
  #maxBatch = 1;
  /** Models whose tables are made here. */
  readonly made: { modelId: string; dimensions: number }[] = [];
  /** Vectors that are in, with their records committed. */
  carried = 0;

  /** @param side The store's own. */
  constructor(db: SqlDatabase, side: VectorSide, onRows: (rows: number) => Promise<void>) {
    this.#db = db;
    this.vectors = side.store;
    this.#side = side;
    this.#onRows = onRows;
  }

  async isTransactional(): Promise<boolean> {
    return (await this.#side.writerOver()) !== undefined;
  }

  /** Looks at the tables that are there; those that are not are made when their vectors come, so that nothing is left of an archive
   *  that is refused before.
   *  @throws StorageError CONFLICT a model's vectors are compared by another metric here */
  async prepare(models: readonly CarriedModel[]): Promise<void> {
    this.#maxBatch = (await this.#side.capabilities()).maxBatch;
    this.#models = models;
    const there = await this.vectors.tables();
    for (const { modelId, dimensions, metric } of models) {
      const known = there.some((table) => table.modelId === modelId && table.dimensions === dimensions);
      if (known) await this.vectors.ensureTable({ modelId, dimensions, metric });
      else this.made.push({ modelId, dimensions });
    }
  }

  /** Copies the records as pending ones: each is committed when its vector is in. */
  async copyRecords(tx: SqlTransaction): Promise<void> {
    const isUnfit = await unfitRows(tx, "embedding_records", []);
    if ((await tx.get(`SELECT 1 AS found FROM image.embedding_records WHERE ${isUnfit} LIMIT 1`)) !== undefined) {
      throw unfit("embedding_records");
    }
    const columns = "embedding_id, chunk_id, document_id, model_id, model_version, dimensions, created_at, updated_at";
    const { changes } = await tx.run(
      `INSERT INTO main.embedding_records (${columns}, status)
       SELECT ${columns}, 'pending' FROM image.embedding_records WHERE status <> 'tombstone' ORDER BY embedding_id`,
    );
    await this.#onRows(changes);
  }

  /** Carries all vectors, in the transaction that copies the rest. */
  async carry(tx: SqlTransaction): Promise<void> {
    const over = await this.#side.writerOver();
    if (over === undefined) throw new TypeError("the vector store takes no part in transactions");
    await this.#carryThrough(tx, over(tx), (records) => commitRecords(tx, records));
  }

  /** Lets the store look for its tables anew, when some that were made here are gone. */
  forgetTables(): void {
    this.#side.forgetTables();
  }

  /** Runs work when no sweep and no embedder of the store writes, and lets none write meanwhile. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#side.exclusively(work);
  }

  /** Carries all vectors into a store that commits on its own. To be called within `exclusively`, and the records copied there, too. */
  carryApart(): Promise<void> {
    return this.#carryThrough(this.#db, this.vectors, (records) =>
      this.#db.transaction((tx) => commitRecords(tx, records)),
    );
  }

  async #carryThrough(
    db: SqlExecutor,
    writer: VectorTableWriter,
    commit: (records: readonly VectorRecord[]) => Promise<void>,
  ): Promise<void> {
    for (const model of this.#models) {
      const { modelId, dimensions, metric } = model;
      const table = await writer.ensureTable({ modelId, dimensions, metric });
      for (let after = 0; ;) {
        const page = await readCarriedVectors(db, model, after);
        const last = page.at(-1);
        if (last === undefined) break;
        const records = page.map((row) => recordOf(row, model));
        for (let at = 0; at < records.length; at += this.#maxBatch) {
          const batch = records.slice(at, at + this.#maxBatch);
          await writer.upsert(table.indexId, batch);
          await commit(batch);
          this.carried += batch.length;
        }
        await this.#onRows(page.length);
        after = last.key;
      }
    }
  }
}

async function commitRecords(tx: SqlExecutor, records: readonly VectorRecord[]): Promise<void> {
  await tx.run(
    `UPDATE embedding_records SET status = 'committed' WHERE embedding_id IN (SELECT value FROM json_each($1))`,
    [JSON.stringify(records.map(({ embeddingId }) => embeddingId))],
  );
}

function recordOf(row: CarriedVector, { dimensions, encoding }: CarriedModel): VectorRecord {
  const { embeddingId, chunkId, documentId, modelVersion, vector: bytes } = row;
  if (!(bytes instanceof Uint8Array) || bytes.byteLength !== storedVectorBytes(encoding, dimensions)) {
    throw archiveError(
      "CORRUPT",
      "import",
      `the vector of embedding ${embeddingId} in the archive has not ${dimensions} dimensions`,
    );
  }
  return { embeddingId, chunkId, documentId, modelVersion, vector: decodeVector(encoding, bytes) };
}
