import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { embeddingText } from "./embedding-text.ts";
import { keyOf } from "./generation.ts";

/** Chunks that one statement looks at: two index probes each, so it is short however many chunks have their embedding. */
const WINDOW = 2000;

export interface EmbeddingCounts {
  chunks: number;
  /** Chunks with a committed embedding. */
  committed: number;
}

/** Counts, from indexes alone: a few milliseconds for a hundred thousand chunks, and nothing is missing when both are equal. */
export async function countEmbedded(db: SqlExecutor, generation: EmbeddingGeneration): Promise<EmbeddingCounts> {
  const row = await db.get<{ chunks: number; committed: number }>(
    `SELECT (SELECT count(*) FROM chunks) AS chunks,
            (SELECT count(*) FROM embedding_records r WHERE r.status = 'committed' AND r.model_id = $1
               AND r.model_version = $2 AND r.dimensions = $3) AS committed`,
    keyOf(generation),
  );
  return { chunks: row?.chunks ?? 0, committed: row?.committed ?? 0 };
}

/** A chunk without a committed embedding. */
export interface MissingChunk {
  chunkId: string;
  chunkKey: number;
  /** Bytes of its text. */
  bytes: number;
}

export interface MissingPage {
  rows: MissingChunk[];
  /** Chunk key up to which it looked; null when it came to the end. */
  through: number | null;
}

/** Looks at the next chunks by chunk key, and returns those that have no committed embedding of the generation. */
export async function missingAfter(
  db: SqlExecutor,
  generation: EmbeddingGeneration,
  after: number,
): Promise<MissingPage> {
  const end = await db.get<{ last: number | null }>(
    "SELECT max(chunk_key) AS last FROM (SELECT chunk_key FROM chunks WHERE chunk_key > $1 ORDER BY chunk_key LIMIT $2)",
    [after, WINDOW],
  );
  if (end === undefined || end.last === null) return { rows: [], through: null };
  const rows = await db.all<{ chunkId: string; chunkKey: number; bytes: number }>(
    `SELECT c.chunk_id AS "chunkId", c.chunk_key AS "chunkKey", octet_length(c.text) AS bytes FROM chunks c
     WHERE c.chunk_key > $4 AND c.chunk_key <= $5 AND NOT EXISTS (
       SELECT 1 FROM embedding_records r WHERE r.chunk_id = c.chunk_id AND r.model_id = $1 AND r.model_version = $2
         AND r.dimensions = $3 AND r.status = 'committed')
     ORDER BY c.chunk_key`,
    [...keyOf(generation), after, end.last],
  );
  return { rows, through: end.last };
}

/** Returns at most `count` chunks from all over the store, the first and the last among them, by chunk key. */
export async function chunksAllOver(db: SqlExecutor, count: number): Promise<MissingChunk[]> {
  return db.all<MissingChunk>(
    `WITH RECURSIVE ends (low, high) AS (SELECT (SELECT min(chunk_key) FROM chunks), (SELECT max(chunk_key) FROM chunks)),
       step (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n < $1 - 1)
     SELECT DISTINCT c.chunk_id AS "chunkId", c.chunk_key AS "chunkKey", octet_length(c.text) AS bytes
     FROM ends CROSS JOIN step CROSS JOIN chunks c ON c.chunk_key =
       (SELECT min(chunk_key) FROM chunks WHERE chunk_key >= ends.low + (ends.high - ends.low) * step.n / ($1 - 1))
     ORDER BY c.chunk_key`,
    [count],
  );
}

/** Whether there is a chunk after `after`. Keys only grow: it came since `after` was the last. */
export async function isAnyAfter(db: SqlExecutor, after: number): Promise<boolean> {
  return (await db.get("SELECT 1 FROM chunks WHERE chunk_key > $1 LIMIT 1", [after])) !== undefined;
}

/** Whether a chunk has no committed embedding that is not among those with the given keys. Counted, from indexes: those of the given
 *  that are there and missing are all that are missing, or fewer. */
export async function isAnyMissingBut(
  tx: SqlExecutor,
  generation: EmbeddingGeneration,
  keys: ReadonlySet<number>,
): Promise<boolean> {
  const { chunks, committed } = await countEmbedded(tx, generation);
  const row = await tx.get<{ n: number }>(
    `SELECT count(*) AS n FROM json_each($4) given CROSS JOIN chunks c ON c.chunk_key = given.value WHERE NOT EXISTS (
       SELECT 1 FROM embedding_records r WHERE r.chunk_id = c.chunk_id AND r.model_id = $1 AND r.model_version = $2
         AND r.dimensions = $3 AND r.status = 'committed')`,
    [...keyOf(generation), JSON.stringify([...keys])],
  );
  return chunks - committed > (row?.n ?? 0);
}

/** Whether any of the chunks is in the store. */
export async function isAnyThere(db: SqlExecutor, chunks: readonly { chunkId: string }[]): Promise<boolean> {
  const row = await db.get(
    "SELECT 1 FROM json_each($1) wanted CROSS JOIN chunks c ON c.chunk_id = wanted.value LIMIT 1",
    [JSON.stringify(chunks.map(({ chunkId }) => chunkId))],
  );
  return row !== undefined;
}

/** A chunk and what is embedded of it. */
export interface ChunkText {
  chunkId: string;
  chunkKey: number;
  text: string;
}

/** Returns the texts to embed, of the chunks that are still there. */
export async function textsOf(db: SqlExecutor, chunks: readonly MissingChunk[]): Promise<ChunkText[]> {
  const rows = await db.all<{ chunk_id: string; chunk_key: number; heading_path: string; text: string }>(
    `SELECT c.chunk_id, c.chunk_key, c.heading_path, c.text FROM json_each($1) wanted CROSS JOIN chunks c ON c.chunk_id = wanted.value
     ORDER BY wanted.key`,
    [JSON.stringify(chunks.map(({ chunkId }) => chunkId))],
  );
  return rows.map((row) => ({
    chunkId: row.chunk_id,
    chunkKey: row.chunk_key,
    text: embeddingText(JSON.parse(row.heading_path) as string[], row.text),
  }));
}
