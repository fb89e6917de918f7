import type { SqlDatabase } from "../../contracts/sql.ts";
import { TurnTaker } from "../../turns.ts";
import { indexIds, withoutVector } from "./eraser.ts";
import { committedAfter, type CommittedRecord, unfinishedChunks } from "./sweep.ts";
import type { AnyVectorStore } from "./vector-side.ts";

/** Most problems of one kind that are named. */
const NAMED = 20;

/** SQL that finds records that stand for nothing: deleting a chunk makes tombstones of its records, whatever they were. */
export const RECORD_PROBLEMS = `
  SELECT 'embedding ' || r.embedding_id || ' is ' || r.status || ', and its chunk is gone' AS problem FROM embedding_records r
  WHERE r.status IN ('pending', 'committed') AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.chunk_id = r.chunk_id)`;

/** Says what waits for the next run or sweep: no damage. Empty when nothing does. */
export async function unfinishedRecords(db: SqlDatabase): Promise<string> {
  const rows = await db.all<{ status: string; n: number }>(
    `SELECT status, count(*) AS n FROM embedding_records WHERE status IN ('pending', 'tombstone') GROUP BY status`,
  );
  return rows.map(({ status, n }) => `${n} ${status}`).join(", ");
}

/** Finds committed records without a vector, serving models without a table, and vectors without a record. */
export async function vectorProblems(db: SqlDatabase, vectors: AnyVectorStore): Promise<string[]> {
  const tables = await indexIds(vectors);
  const problems = await modelsWithoutTable(db, vectors);
  const turns = new TurnTaker();
  for (let after: string | undefined = ""; after !== undefined && problems.length < NAMED;) {
    await turns.breathe();
    const page = await committedAfter(db, after);
    for (const { embeddingId, chunkId } of await unchanged(db, await withoutVector(vectors, tables, page))) {
      problems.push(`embedding ${embeddingId} of chunk ${chunkId} has no vector`);
    }
    after = page.at(-1)?.embeddingId;
  }
  for (const { indexId, tableName } of await vectors.tables()) {
    const orphans = await countOrphans(db, vectors, indexId);
    if (orphans > 0) problems.push(`${orphans} vectors in ${tableName} have no record; a sweep deletes them`);
  }
  return problems.slice(0, NAMED);
}

/** Returns those of the records that nobody touched since they were read. Of the others a vector that is not there means nothing: it
 *  was looked for after the record was read, and the chunk may have gone in between. */
async function unchanged(db: SqlDatabase, records: readonly CommittedRecord[]): Promise<CommittedRecord[]> {
  if (records.length === 0) return [];
  const rows = await db.all<{ id: string; updatedAt: number }>(
    `SELECT r.embedding_id AS id, r.updated_at AS "updatedAt" FROM embedding_records r
     WHERE r.embedding_id IN (SELECT value FROM json_each($1)) AND r.status NOT IN ('pending', 'tombstone')`,
    [JSON.stringify(records.map(({ embeddingId }) => embeddingId))],
  );
  const now = new Map(rows.map(({ id, updatedAt }) => [id, updatedAt]));
  return records.filter(({ embeddingId, updatedAt }) => now.get(embeddingId) === updatedAt);
}

/** Counts vectors without a record. What is being deleted or written looks like them for a moment, so what is found is looked for
 *  again. */
async function countOrphans(db: SqlDatabase, vectors: AnyVectorStore, indexId: string): Promise<number> {
  const look = async (): Promise<number> => {
    const allowlist = await unfinishedChunks(db);
    return (await vectors.orphanSweep(indexId, { dryRun: true, allowlist })).orphans;
  };
  const first = await look();
  return first === 0 ? 0 : Math.min(first, await look());
}

async function modelsWithoutTable(db: SqlDatabase, vectors: AnyVectorStore): Promise<string[]> {
  const models = await db.all<{ id: string; dimensions: number; version: string }>(
    `SELECT m.model_id AS id, m.dimensions, m.serving_version AS version FROM embedding_models m
     WHERE EXISTS (SELECT 1 FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = m.model_id
       AND r.model_version = m.serving_version AND r.dimensions = m.dimensions)`,
  );
  const tables = await vectors.tables();
  const missing = models.filter(
    ({ id, dimensions }) => !tables.some((table) => table.modelId === id && table.dimensions === dimensions),
  );
  return missing.map(({ id, dimensions, version }) => `${id} (${dimensions}) serves version ${version} from no table`);
}
