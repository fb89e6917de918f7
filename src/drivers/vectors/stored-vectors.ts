import type { SqlExecutor } from "../../contracts/sql.ts";
import type { NearChunk, VectorHit } from "../../contracts/vectors.ts";
import { decodeVector } from "../../formats/stored-vector.ts";
import type { KnownTable } from "./vector-tables.ts";

/** How many vectors a table has, or one generation of it. */
export async function countVectors(db: SqlExecutor, table: KnownTable, modelVersion?: string): Promise<number> {
  const row = await db.get<{ n: number }>(
    modelVersion === undefined
      ? `SELECT count(*) AS n FROM "${table.tableName}"`
      : `SELECT count(*) AS n FROM "${table.tableName}" WHERE generation_key =
           (SELECT generation_key FROM vector_generations WHERE table_key = $1 AND model_version = $2)`,
    modelVersion === undefined ? [] : [table.tableKey, modelVersion],
  );
  return row?.n ?? 0;
}

/** Which of the embeddings a table has. */
export async function existing(
  db: SqlExecutor,
  table: KnownTable,
  embeddingIds: readonly string[],
): Promise<Set<string>> {
  const rows = await db.all<{ id: string }>(
    `SELECT embedding_id AS id FROM "${table.tableName}" WHERE embedding_id IN (SELECT value FROM json_each($1))`,
    [JSON.stringify(embeddingIds)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The vectors of those of the embeddings that a table has. */
export async function vectorsById(
  db: SqlExecutor,
  table: KnownTable,
  embeddingIds: readonly string[],
): Promise<Map<string, Float32Array>> {
  const rows = await db.all<{ id: string; vector: Uint8Array }>(
    `SELECT embedding_id AS id, vector FROM "${table.tableName}" WHERE embedding_id IN (SELECT value FROM json_each($1))`,
    [JSON.stringify(embeddingIds)],
  );
  return new Map(rows.map(({ id, vector }) => [id, decodeVector(table.encoding, vector)]));
}

/** The hits of several answers with the ids of their embeddings, nearest first; ties by chunk id. */
export async function namedHits(
  db: SqlExecutor,
  table: KnownTable,
  modelVersion: string,
  answers: readonly (readonly NearChunk[])[],
): Promise<VectorHit[][]> {
  const keys = [...new Set(answers.flatMap((hits) => hits.map(({ chunkKey }) => chunkKey)))];
  const rows = await db.all<{ key: number; chunkId: string; embeddingId: string }>(
    `SELECT v.chunk_key AS key, v.chunk_id AS chunkId, v.embedding_id AS embeddingId
     FROM json_each($1) j CROSS JOIN "${table.tableName}" v ON v.chunk_key = j.value
       AND v.generation_key = (SELECT generation_key FROM vector_generations WHERE table_key = $2 AND model_version = $3)`,
    [JSON.stringify(keys), table.tableKey, modelVersion],
  );
  const byKey = new Map(rows.map((row) => [row.key, row]));
  return answers.map((hits) =>
    hits
      .flatMap(({ chunkKey, score }) => {
        const row = byKey.get(chunkKey);
        return row === undefined ? [] : [{ chunkId: row.chunkId, embeddingId: row.embeddingId, score }];
      })
      .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1)),
  );
}
