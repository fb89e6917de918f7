import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { checkTableSpec } from "../../contracts/check-vectors.ts";
import type { VectorMetric, VectorStore } from "../../contracts/vectors.ts";
import { VECTOR_ENCODINGS, type VectorEncoding } from "../../formats/stored-vector.ts";
import { TurnTaker } from "../../turns.ts";
import { archiveError, throwIfAborted } from "./archive-error.ts";
import { requireTable } from "./archive-tables.ts";

/**
 * Vectors in the database of an archive. A vector engine within the store's database has them there anyway, in tables that
 * `vector_tables` names. Those of an engine apart are put into `carried_vectors`, so that an archive is read in one way, whichever
 * engine wrote it.
 */

/** Vectors that are read or written together. */
const PAGE = 500;

/** A model whose vectors are in an archive's database. */
export interface CarriedModel {
  modelId: string;
  dimensions: number;
  metric: VectorMetric;
  /** How the table holds them. */
  encoding: VectorEncoding;
  /** Table with the columns `vector_key`, `embedding_id` and `vector`. */
  table: string;
}

/** A committed embedding with its vector as its table holds it. */
export interface CarriedVector {
  key: number;
  embeddingId: string;
  chunkId: string;
  documentId: string;
  modelVersion: string;
  vector: Uint8Array;
}

/** Puts the vectors of an engine that is apart into the copy of the database. Embeddings whose vector went meanwhile are left out. */
export async function writeCarriedVectors(copy: SqlDatabase, vectors: VectorStore, signal: AbortSignal): Promise<void> {
  await copy.exec(
    `CREATE TABLE carried_models (model_id TEXT NOT NULL, dimensions INTEGER NOT NULL, metric TEXT NOT NULL,
       PRIMARY KEY (model_id, dimensions)) WITHOUT ROWID;
     CREATE TABLE carried_vectors (vector_key INTEGER PRIMARY KEY, embedding_id TEXT NOT NULL UNIQUE, vector BLOB NOT NULL);`,
  );
  const turns = new TurnTaker();
  for (const { indexId, modelId, dimensions, metric } of await vectors.tables()) {
    await copy.run("INSERT INTO carried_models (model_id, dimensions, metric) VALUES ($1, $2, $3)", [
      modelId,
      dimensions,
      metric,
    ]);
    for (let after = ""; ;) {
      throwIfAborted(signal, "export");
      const records = await copy.all<{ id: string }>(
        `SELECT embedding_id AS id FROM embedding_records WHERE embedding_id > $1 AND status NOT IN ('pending', 'tombstone')
           AND model_id = $2 AND dimensions = $3 ORDER BY embedding_id LIMIT ${PAGE}`,
        [after, modelId, dimensions],
      );
      const last = records.at(-1);
      if (last === undefined) break;
      const ids = records.map(({ id }) => id);
      const found = await vectors.vectorsOf(indexId, ids);
      await copy.runMany(
        "INSERT INTO carried_vectors (embedding_id, vector) VALUES ($1, $2)",
        ids.flatMap((id, at) => {
          const vector = found[at];
          return vector === undefined
            ? []
            : [[id, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)]];
        }),
      );
      after = last.id;
      await turns.breathe();
    }
  }
}

/** The models with vectors in the attached image. */
export async function carriedModels(db: SqlExecutor): Promise<CarriedModel[]> {
  const apart = await db.get(
    "SELECT 1 AS found FROM image.sqlite_schema WHERE type = 'table' AND name = 'carried_vectors'",
  );
  await requireTable(db, apart === undefined ? "vector_tables" : "carried_models", [
    "model_id",
    "dimensions",
    "metric",
    ...(apart === undefined ? ["encoding"] : []),
  ]);
  const models = await db.all<CarriedModel>(
    apart === undefined
      ? 'SELECT model_id AS "modelId", dimensions, metric, encoding, table_name AS "table" FROM image.vector_tables ORDER BY table_key'
      : `SELECT model_id AS "modelId", dimensions, metric, 'f32' AS encoding, 'carried_vectors' AS "table" FROM image.carried_models`,
  );
  for (const { table, encoding, ...spec } of models) {
    if (!/^(?:chunk_embeddings_[a-z0-9_]+|carried_vectors)$/u.test(table)) {
      const message = `the archive names a table of vectors that can be none: ${JSON.stringify(table)}`;
      throw archiveError("CORRUPT", "import", message);
    }
    if (!VECTOR_ENCODINGS.includes(encoding)) {
      const message = `the archive names an encoding of vectors that is none: ${JSON.stringify(encoding)}`;
      throw archiveError("CORRUPT", "import", message);
    }
    checkTableSpec({ capability: "vectors", operation: "import" }, spec);
    await requireTable(db, table, ["vector_key", "embedding_id", "vector"]);
  }
  return models;
}

/** Returns the vectors of a model that follow after a key: those of committed embeddings, by their keys. */
export function readCarriedVectors(db: SqlExecutor, model: CarriedModel, after: number): Promise<CarriedVector[]> {
  return db.all<CarriedVector>(
    `SELECT v.vector_key AS key, v.embedding_id AS "embeddingId", r.chunk_id AS "chunkId", r.document_id AS "documentId",
       r.model_version AS "modelVersion", v.vector
     FROM image."${model.table}" v CROSS JOIN image.embedding_records r ON r.embedding_id = v.embedding_id
     WHERE v.vector_key > $1 AND r.status NOT IN ('pending', 'tombstone') AND r.model_id = $2 AND r.dimensions = $3
     ORDER BY v.vector_key LIMIT ${PAGE}`,
    [after, model.modelId, model.dimensions],
  );
}
