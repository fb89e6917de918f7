import { checkTableSpec } from "../../contracts/check-vectors.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorMetric, VectorTable, VectorTableSpec } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { storedVectorBytes, type VectorEncoding } from "../../formats/stored-vector.ts";
import { freeTableName } from "./table-name.ts";

/** What the id of an index is made from (contract: kind `index`). */
export interface VectorIndexIdentity {
  collection: string;
  indexKind: string;
  indexVersion: string;
  indexParamsHash: string;
  embeddingModel: string;
  dimensions: number;
}

/** A table with its key in `vector_tables`. */
export interface KnownTable extends VectorTable {
  tableKey: number;
  /** How its rows hold vectors. */
  encoding: VectorEncoding;
}

/** A generation with its key in `vector_generations`. */
export interface KnownGeneration {
  generationKey: number;
  modelVersion: string;
  /** Changes up to here are no longer in the log. */
  logStart: number;
}

interface TableRow {
  table_key: number;
  index_id: string;
  table_name: string;
  model_id: string;
  dimensions: number;
  metric: VectorMetric;
  encoding: VectorEncoding;
}

/** The register of vector tables, and the tables themselves. */
export class VectorTables {
  readonly #db: SqlDatabase;
  readonly #idOf: (identity: VectorIndexIdentity) => string;
  readonly #encoding: VectorEncoding;
  /** Tables that are committed: they never change and never go. */
  readonly #known = new Map<string, KnownTable>();

  /** @param encoding How tables that are made from now on hold vectors. */
  constructor(db: SqlDatabase, idOf: (identity: VectorIndexIdentity) => string, encoding: VectorEncoding) {
    this.#db = db;
    this.#idOf = idOf;
    this.#encoding = encoding;
  }

  /** @param executor The transaction that the table is to be part of, where it is made in one. */
  async ensure(spec: VectorTableSpec, executor: SqlExecutor = this.#db): Promise<KnownTable> {
    const { modelId, dimensions, metric } = checkTableSpec({ capability: "vectors", operation: "ensureTable" }, spec);
    const there = await this.#read("model_id = $1 AND dimensions = $2", [modelId, dimensions], executor);
    const [table] = there.length > 0 ? there : [await this.#create({ modelId, dimensions, metric }, executor)];
    if (table!.metric === metric) return table!;
    throw new StorageError(
      "CONFLICT",
      `the vectors of "${modelId}" with ${dimensions} dimensions are compared by ${table!.metric}, not by ${metric}`,
      { capability: "vectors", operation: "ensureTable" },
    );
  }

  async all(): Promise<KnownTable[]> {
    return this.#read("1", []);
  }

  /** @param executor The transaction that runs, where one does: the database itself would wait for its end.
   *  @throws StorageError NOT_FOUND */
  async get(indexId: string, operation: string, executor: SqlExecutor = this.#db): Promise<KnownTable> {
    const known = this.#known.get(indexId) ?? (await this.#read("index_id = $1", [indexId], executor))[0];
    if (known !== undefined) return known;
    throw new StorageError("NOT_FOUND", `there is no vector table with the index id "${indexId}"`, {
      capability: "vectors",
      operation,
    });
  }

  async generations(table: KnownTable): Promise<KnownGeneration[]> {
    return this.#db.all<KnownGeneration>(
      `SELECT generation_key AS generationKey, model_version AS modelVersion, log_start AS logStart
       FROM vector_generations WHERE table_key = $1 ORDER BY generation_key`,
      [table.tableKey],
    );
  }

  async #read(condition: string, params: (string | number)[], executor: SqlExecutor = this.#db): Promise<KnownTable[]> {
    const rows = await executor.all<TableRow>(
      `SELECT table_key, index_id, table_name, model_id, dimensions, metric, encoding FROM vector_tables
       WHERE ${condition} ORDER BY table_name`,
      params,
    );
    return rows.map((row) => {
      const table: KnownTable = {
        tableKey: row.table_key,
        indexId: row.index_id,
        tableName: row.table_name,
        modelId: row.model_id,
        dimensions: row.dimensions,
        metric: row.metric,
        encoding: row.encoding,
      };
      // One that a transaction made may go with it.
      if (executor === this.#db) this.#known.set(table.indexId, table);
      return table;
    });
  }

  async #create(spec: Required<VectorTableSpec>, executor: SqlExecutor): Promise<KnownTable> {
    const indexId = this.#idOf({
      collection: "default",
      indexKind: "hnsw",
      indexVersion: "1",
      indexParamsHash: spec.metric,
      embeddingModel: spec.modelId,
      dimensions: spec.dimensions,
    });
    await executor.transaction(async (tx) => {
      const taken = await tx.get("SELECT 1 FROM vector_tables WHERE model_id = $1 AND dimensions = $2", [
        spec.modelId,
        spec.dimensions,
      ]);
      if (taken !== undefined) return;
      const tableName = await freeTableName(spec, async (name) => {
        // A table that lost its row in the register is in the way, too.
        const sql =
          "SELECT 1 FROM vector_tables WHERE table_name = $1 UNION ALL SELECT 1 FROM sqlite_schema WHERE name = $1 LIMIT 1";
        return (await tx.get(sql, [name])) !== undefined;
      });
      await tx.run(
        `INSERT INTO vector_tables (index_id, table_name, model_id, dimensions, metric, encoding, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [indexId, tableName, spec.modelId, spec.dimensions, spec.metric, this.#encoding, Date.now()],
      );
      for (const statement of tableStatements(tableName, spec, this.#encoding)) await tx.run(statement);
    });
    return (await this.#read("model_id = $1 AND dimensions = $2", [spec.modelId, spec.dimensions], executor))[0]!;
  }
}

/**
 * A table of vectors and its triggers. A vector belongs to the index while its embedding record is committed: `vector_changes` names
 * every chunk for which that, or the vector, changed, and a record that becomes a tombstone takes its vector with it.
 */
function tableStatements(
  table: string,
  { modelId, dimensions }: Required<VectorTableSpec>,
  encoding: VectorEncoding,
): string[] {
  const ofModel = (row: string): string =>
    `${row}.model_id = '${modelId.replaceAll("'", "''")}' AND ${row}.dimensions = ${dimensions}`;
  const log = (row: string): string =>
    `INSERT INTO vector_changes (generation_key, chunk_key)
       SELECT generation_key, chunk_key FROM "${table}" WHERE embedding_id = ${row}.embedding_id;`;
  return [
    `CREATE TABLE "${table}" (
       vector_key      INTEGER PRIMARY KEY AUTOINCREMENT,
       embedding_id    TEXT NOT NULL UNIQUE,
       chunk_key       INTEGER NOT NULL,
       generation_key  INTEGER NOT NULL,
       chunk_id        TEXT NOT NULL,
       vector          BLOB NOT NULL CHECK (length(vector) = ${storedVectorBytes(encoding, dimensions)}),
       UNIQUE (chunk_key, generation_key)
     )`,
    `CREATE TRIGGER "${table}_ai" AFTER INSERT ON "${table}" WHEN EXISTS (
       SELECT 1 FROM embedding_records r WHERE r.embedding_id = new.embedding_id AND r.status = 'committed'
     ) BEGIN
       INSERT INTO vector_changes (generation_key, chunk_key) VALUES (new.generation_key, new.chunk_key);
     END`,
    `CREATE TRIGGER "${table}_ad" AFTER DELETE ON "${table}" BEGIN
       INSERT INTO vector_changes (generation_key, chunk_key) VALUES (old.generation_key, old.chunk_key);
     END`,
    `CREATE TRIGGER "${table}_record_ai" AFTER INSERT ON embedding_records
     WHEN new.status = 'committed' AND ${ofModel("new")} BEGIN ${log("new")} END`,
    `CREATE TRIGGER "${table}_record_au" AFTER UPDATE OF status ON embedding_records
     WHEN (new.status = 'committed') <> (old.status = 'committed') AND ${ofModel("new")} BEGIN ${log("new")} END`,
    `CREATE TRIGGER "${table}_record_ad" AFTER DELETE ON embedding_records
     WHEN old.status = 'committed' AND ${ofModel("old")} BEGIN ${log("old")} END`,
    `CREATE TRIGGER "${table}_tombstone" AFTER UPDATE OF status ON embedding_records
     WHEN new.status = 'tombstone' AND ${ofModel("new")} BEGIN
       DELETE FROM "${table}" WHERE embedding_id = new.embedding_id;
     END`,
  ];
}
