import { checkVectorRecords, MAX_VECTOR_BATCH, requireModelVersion } from "../../contracts/check-vectors.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { requireId, requireList } from "../../contracts/validate.ts";
import type { VectorRecord, VectorTable, VectorTableSpec, VectorTableWriter } from "../../contracts/vectors.ts";
import { encodeVector } from "../../formats/stored-vector.ts";
import { publicTable } from "./public-table.ts";
import { chunkKeys, lastOfEach } from "./vector-batch.ts";
import type { KnownTable, VectorTables } from "./vector-tables.ts";

/** Writes rows of vector tables through one executor. */
export class VectorRowWriter implements VectorTableWriter {
  readonly #tables: VectorTables;
  readonly #executor: SqlExecutor;
  readonly #onWrite: (table: KnownTable, modelVersions: ReadonlySet<string>) => void;

  /** @param onWrite Told of what was written; it may not be committed yet. */
  constructor(
    tables: VectorTables,
    executor: SqlExecutor,
    onWrite: (table: KnownTable, modelVersions: ReadonlySet<string>) => void,
  ) {
    this.#tables = tables;
    this.#executor = executor;
    this.#onWrite = onWrite;
  }

  async ensureTable(spec: VectorTableSpec): Promise<VectorTable> {
    return publicTable(await this.#tables.ensure(spec, this.#executor));
  }

  async upsert(indexId: string, records: readonly VectorRecord[]): Promise<void> {
    const table = await this.#tables.get(indexId, "upsert", this.#executor);
    const checked = lastOfEach(checkVectorRecords({ capability: "vectors", operation: "upsert" }, records, table));
    if (checked.length === 0) return;
    await this.#executor.transaction(async (tx) => {
      const chunks = await chunkKeys(tx, checked);
      const generations = await generationKeys(tx, table, checked);
      const rows = checked.map((record) => [
        record.embeddingId,
        chunks.get(record.chunkId) as number,
        generations.get(record.modelVersion) as number,
        encodeVector(table.encoding, record.vector),
        record.chunkId,
      ]);
      // What is there and equal stays: writing it again changes nothing.
      await tx.runMany(
        `DELETE FROM "${table.tableName}" WHERE (chunk_key = $2 AND generation_key = $3 AND (embedding_id <> $1 OR vector <> $4))
           OR (embedding_id = $1 AND (chunk_key <> $2 OR generation_key <> $3))`,
        rows.map((row) => row.slice(0, 4)),
      );
      await tx.runMany(
        `INSERT INTO "${table.tableName}" (embedding_id, chunk_key, generation_key, vector, chunk_id)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (embedding_id) DO NOTHING`,
        rows,
      );
    });
    this.#onWrite(table, new Set(checked.map(({ modelVersion }) => modelVersion)));
  }

  async deleteByChunkIds(indexId: string, chunkIds: readonly string[], modelVersion?: string): Promise<number> {
    const site = { capability: "vectors", operation: "deleteByChunkIds" } as const;
    const table = await this.#tables.get(indexId, site.operation, this.#executor);
    const ids = requireList(site, "chunkIds", chunkIds, 0, MAX_VECTOR_BATCH).map((id, i) =>
      requireId(site, `chunkIds[${i}]`, id),
    );
    const params = [JSON.stringify(ids)];
    // By the narrow indexes of other tables: the rows here are as wide as their vectors.
    const chosen = `(chunk_key IN (SELECT c.chunk_key FROM chunks c WHERE c.chunk_id IN (SELECT value FROM json_each($1)))
      OR embedding_id IN (SELECT r.embedding_id FROM embedding_records r WHERE r.chunk_id IN (SELECT value FROM json_each($1))))`;
    if (modelVersion === undefined) {
      return (await this.#executor.run(`DELETE FROM "${table.tableName}" WHERE ${chosen}`, params)).changes;
    }
    const { changes } = await this.#executor.run(
      `DELETE FROM "${table.tableName}" WHERE ${chosen} AND generation_key =
         (SELECT generation_key FROM vector_generations WHERE table_key = $2 AND model_version = $3)`,
      [...params, table.tableKey, requireModelVersion(site, "modelVersion", modelVersion)],
    );
    return changes;
  }

  async deleteGeneration(indexId: string, modelVersion: string): Promise<number> {
    const site = { capability: "vectors", operation: "deleteGeneration" } as const;
    const table = await this.#tables.get(indexId, site.operation, this.#executor);
    requireModelVersion(site, "modelVersion", modelVersion);
    const deleted = await this.#executor.transaction(async (tx) => {
      const generation = await tx.get<{ key: number }>(
        "SELECT generation_key AS key FROM vector_generations WHERE table_key = $1 AND model_version = $2",
        [table.tableKey, modelVersion],
      );
      if (generation === undefined) return 0;
      const { changes } = await tx.run(`DELETE FROM "${table.tableName}" WHERE generation_key = $1`, [generation.key]);
      await tx.run("DELETE FROM vector_changes WHERE generation_key = $1", [generation.key]);
      await tx.run("DELETE FROM vector_generations WHERE generation_key = $1", [generation.key]);
      return changes;
    });
    this.#onWrite(table, new Set([modelVersion]));
    return deleted;
  }
}

/** Key of each model version's generation, made where there is none. */
async function generationKeys(
  tx: SqlExecutor,
  table: KnownTable,
  records: readonly VectorRecord[],
): Promise<Map<string, number>> {
  const keys = new Map<string, number>();
  for (const version of new Set(records.map(({ modelVersion }) => modelVersion))) {
    await tx.run(
      `INSERT INTO vector_generations (table_key, model_version, created_at) VALUES ($1, $2, $3)
       ON CONFLICT (table_key, model_version) DO NOTHING`,
      [table.tableKey, version, Date.now()],
    );
    const row = await tx.get<{ key: number }>(
      "SELECT generation_key AS key FROM vector_generations WHERE table_key = $1 AND model_version = $2",
      [table.tableKey, version],
    );
    keys.set(version, (row as { key: number }).key);
  }
  return keys;
}
