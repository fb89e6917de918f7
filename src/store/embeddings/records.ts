import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { embeddingId } from "../ids.ts";
import { keyOf } from "./generation.ts";

/** An embedding that is to be written. */
export interface NewRecord {
  embeddingId: string;
  chunkId: string;
  documentId: string;
  vector: Float32Array;
}

/** A record that is to go. */
export interface OldRecord extends EmbeddingGeneration {
  embeddingId: string;
  chunkId: string;
}

/** What an {@link OldRecord} selects from `embedding_records r`. */
export const OLD_RECORD = `r.embedding_id AS "embeddingId", r.chunk_id AS "chunkId", r.model_id AS "modelId",
  r.model_version AS "modelVersion", r.dimensions`;

/** Returns the records of those vectors whose chunk is in the store, and is the one whose text was embedded where that is said:
 *  a chunk keeps its key as long as its text, and no other gets it. */
export async function recordsOf(
  tx: SqlExecutor,
  generation: EmbeddingGeneration,
  rows: readonly { chunkId: string; vector: Float32Array; chunkKey?: number }[],
): Promise<NewRecord[]> {
  const found = await tx.all<{ chunkId: string; chunkKey: number; documentId: string }>(
    `SELECT c.chunk_id AS "chunkId", c.chunk_key AS "chunkKey", d.document_id AS "documentId" FROM json_each($1) wanted CROSS JOIN chunks c ON c.chunk_id = wanted.value
     JOIN documents d ON d.document_key = c.document_key`,
    [JSON.stringify(rows.map(({ chunkId }) => chunkId))],
  );
  const chunks = new Map(found.map((row) => [row.chunkId, row]));
  return rows.flatMap(({ chunkId, vector, chunkKey }) => {
    const chunk = chunks.get(chunkId);
    if (chunk === undefined || (chunkKey ?? chunk.chunkKey) !== chunk.chunkKey) return [];
    return [{ embeddingId: embeddingId({ chunkId, ...generation }), chunkId, documentId: chunk.documentId, vector }];
  });
}

// Statements about given ids name no status by equality: the planner would go through all records of that status.

/** Phase 1: the records are there, invisible. One that is committed stays so: its embedding is seen until its vector is replaced. */
export async function insertPending(
  tx: SqlExecutor,
  generation: EmbeddingGeneration,
  records: readonly NewRecord[],
): Promise<void> {
  const rows = records.map(({ embeddingId, chunkId, documentId }) => [embeddingId, chunkId, documentId]);
  await tx.run(
    `INSERT INTO embedding_records (embedding_id, chunk_id, document_id, model_id, model_version, dimensions,
                                    created_at, updated_at, status)
     SELECT value ->> 0, value ->> 1, value ->> 2, $1, $2, $3, $4, $4, 'pending' FROM json_each($5) WHERE 1
     ON CONFLICT (embedding_id) DO UPDATE SET status = 'pending', document_id = excluded.document_id,
       updated_at = excluded.updated_at
     WHERE embedding_records.status <> 'committed'`,
    [...keyOf(generation), Date.now(), JSON.stringify(rows)],
  );
}

/** Phase 3: what is pending is committed. A record that became a tombstone meanwhile stays one.
 *  @returns ids of the chunks whose embedding is committed now. */
export async function commitPending(tx: SqlExecutor, records: readonly NewRecord[]): Promise<Set<string>> {
  const ids = JSON.stringify(records.map(({ embeddingId }) => embeddingId));
  await tx.run(
    `UPDATE embedding_records SET status = 'committed', updated_at = $1
     WHERE embedding_id IN (SELECT value FROM json_each($2)) AND status NOT IN ('committed', 'tombstone')`,
    [Date.now(), ids],
  );
  const rows = await tx.all<{ chunk_id: string }>(
    `SELECT r.chunk_id FROM json_each($1) wanted CROSS JOIN embedding_records r ON r.embedding_id = wanted.value
     WHERE r.status = 'committed'`,
    [ids],
  );
  return new Set(rows.map((row) => row.chunk_id));
}

/** Makes records tombstones: they are invisible from the commit on. */
export async function buryRecords(tx: SqlExecutor, records: readonly OldRecord[]): Promise<void> {
  await tx.run(
    `UPDATE embedding_records SET status = 'tombstone', updated_at = $1
     WHERE embedding_id IN (SELECT value FROM json_each($2)) AND status <> 'tombstone'`,
    [Date.now(), idsOf(records)],
  );
}

/** Drops those of the records that are tombstones. */
export async function dropBuried(tx: SqlExecutor, records: readonly OldRecord[]): Promise<void> {
  await tx.run(
    `DELETE FROM embedding_records
     WHERE embedding_id IN (SELECT value FROM json_each($1)) AND status NOT IN ('pending', 'committed')`,
    [idsOf(records)],
  );
}

function idsOf(records: readonly OldRecord[]): string {
  return JSON.stringify(records.map(({ embeddingId }) => embeddingId));
}
