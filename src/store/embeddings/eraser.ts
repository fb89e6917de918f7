import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorStore, VectorWriter } from "../../contracts/vectors.ts";
import { buryRecords, dropBuried, OLD_RECORD, type OldRecord } from "./records.ts";
import type { VectorSide } from "./vector-side.ts";

/** Most records of one batch: their vectors are deleted in one transaction, for which a search waits. */
const BATCH = 200;

/** Chooses the records of one batch, at most `limit`, inside the transaction that makes them tombstones. */
export type ChooseRecords = (tx: SqlExecutor, limit: number) => Promise<OldRecord[]>;

/** Deletes embeddings, the other way round than they are written: tombstone, vector, record. In one transaction where the
 *  vectors are in the store's database; else a crash leaves a tombstone, and the next sweep goes on from there. */
export class RecordEraser {
  readonly #db: SqlDatabase;
  readonly #vectors: VectorSide;

  constructor(db: SqlDatabase, vectors: VectorSide) {
    this.#db = db;
    this.#vectors = vectors;
  }

  /** Deletes one batch. @returns how many records it had; 0 when there was nothing to delete. */
  erase(choose: ChooseRecords, limit: number = BATCH): Promise<number> {
    return this.#vectors.exclusively(() => this.eraseNow(choose, limit));
  }

  /** Deletes one batch, inside a turn that the caller has. */
  async eraseNow(choose: ChooseRecords, limit: number = BATCH): Promise<number> {
    const { maxBatch } = await this.#vectors.capabilities();
    const over = await this.#vectors.writerOver();
    const most = Math.min(limit, BATCH, maxBatch);
    const tables = await this.#knownTables();
    const bury = async (tx: SqlExecutor): Promise<OldRecord[]> => {
      const records = await choose(tx, most);
      await buryRecords(tx, records);
      return records;
    };
    if (over !== undefined) {
      return this.#db.transaction(async (tx) => {
        const records = await bury(tx);
        await deleteVectors(over(tx), tables, records);
        await dropBuried(tx, records);
        return records.length;
      });
    }
    const records = await this.#db.transaction(bury);
    await deleteVectors(this.#vectors.store, tables, records);
    await dropBuried(this.#db, records);
    await this.#dropRevived(tables, records);
    return records.length;
  }

  /** Another process may have begun to write one of the embeddings anew while its vector was deleted here. A record whose vector
   *  went with the old one goes too, and its chunk is missing again. */
  async #dropRevived(tables: ReadonlyMap<string, string>, records: readonly OldRecord[]): Promise<void> {
    const ids = records.map(({ embeddingId }) => embeddingId);
    const revived = await this.#db.all<OldRecord>(
      `SELECT ${OLD_RECORD} FROM embedding_records r
       WHERE r.embedding_id IN (SELECT value FROM json_each($1)) AND r.status <> 'tombstone'`,
      [JSON.stringify(ids)],
    );
    const lost = await withoutVector(this.#vectors.store, tables, revived);
    await this.#db.runMany(
      "DELETE FROM embedding_records WHERE embedding_id = $1",
      lost.map(({ embeddingId }) => [embeddingId]),
    );
  }

  /** Read before the transaction: inside it the store may not be asked. */
  #knownTables(): Promise<Map<string, string>> {
    return indexIds(this.#vectors.store);
  }
}

/** Returns the index ids of a store's tables by model and dimensions. */
export async function indexIds(store: VectorStore): Promise<Map<string, string>> {
  const tables = await store.tables();
  return new Map(tables.map((table) => [tableKey(table), table.indexId]));
}

/** Returns those of the records whose vector is not in its table; where there is no such table nothing is known of it. */
export async function withoutVector<T extends OldRecord>(
  store: VectorStore,
  tables: ReadonlyMap<string, string>,
  records: readonly T[],
): Promise<T[]> {
  const lost: T[] = [];
  for (const [key, group] of groupBy(records, tableKey)) {
    const indexId = tables.get(key);
    if (indexId === undefined) continue;
    const exists = await store.batchExists(
      indexId,
      group.map(({ embeddingId }) => embeddingId),
    );
    lost.push(...group.filter((_, at) => exists[at] === false));
  }
  return lost;
}

/** A model whose table is not there has no vectors. */
async function deleteVectors(
  writer: VectorWriter,
  tables: ReadonlyMap<string, string>,
  records: readonly OldRecord[],
): Promise<void> {
  const generation = (record: OldRecord): string => JSON.stringify([tableKey(record), record.modelVersion]);
  for (const group of groupBy(records, generation).values()) {
    const [first] = group;
    const indexId = first === undefined ? undefined : tables.get(tableKey(first));
    if (first === undefined || indexId === undefined) continue;
    await writer.deleteByChunkIds(
      indexId,
      group.map(({ chunkId }) => chunkId),
      first.modelVersion,
    );
  }
}

function tableKey({ modelId, dimensions }: { modelId: string; dimensions: number }): string {
  return JSON.stringify([modelId, dimensions]);
}

function groupBy<T extends OldRecord>(records: readonly T[], keyOf: (record: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const key = keyOf(record);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return groups;
}
