import type { SqlExecutor } from "../../contracts/sql.ts";
import type { VectorRecord } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";

/** The records without those that a later one of the batch replaces: by its id, or at its chunk and version. */
export function lastOfEach(records: readonly VectorRecord[]): VectorRecord[] {
  const byPlace = new Map<string, VectorRecord>();
  const byId = new Map<string, VectorRecord>();
  for (const record of records) {
    const place = `${record.chunkId} ${record.modelVersion}`;
    const moved = byId.get(record.embeddingId);
    if (moved !== undefined) byPlace.delete(`${moved.chunkId} ${moved.modelVersion}`);
    const replaced = byPlace.get(place);
    if (replaced !== undefined) byId.delete(replaced.embeddingId);
    byPlace.set(place, record);
    byId.set(record.embeddingId, record);
  }
  return [...byId.values()];
}

/** Key of each chunk.
 *  @throws StorageError NOT_FOUND */
export async function chunkKeys(tx: SqlExecutor, records: readonly VectorRecord[]): Promise<Map<string, number>> {
  const rows = await tx.all<{ id: string; key: number }>(
    "SELECT chunk_id AS id, chunk_key AS key FROM chunks WHERE chunk_id IN (SELECT value FROM json_each($1))",
    [JSON.stringify(records.map(({ chunkId }) => chunkId))],
  );
  const keys = new Map(rows.map(({ id, key }) => [id, key]));
  for (const { chunkId } of records) {
    if (keys.has(chunkId)) continue;
    throw new StorageError("NOT_FOUND", `there is no chunk "${chunkId}" for the vector`, {
      capability: "vectors",
      operation: "upsert",
    });
  }
  return keys;
}
