import type { SqlDatabase } from "../../contracts/sql.ts";

/** Returns the chunks of those of the embeddings that are committed, by embedding: only they may be hits. */
export async function visibleAmong(
  db: SqlDatabase,
  modelVersion: string,
  embeddingIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db.all<{ id: string; chunkId: string }>(
    `SELECT r.embedding_id AS id, r.chunk_id AS "chunkId"
     FROM json_each($1) wanted CROSS JOIN embedding_records r ON r.embedding_id = wanted.value
     WHERE r.status = 'committed' AND r.model_version = $2`,
    [JSON.stringify(embeddingIds), modelVersion],
  );
  return new Map(rows.map(({ id, chunkId }) => [id, chunkId]));
}

/** Returns the keys of all chunks whose embedding is committed, ascending. */
export async function visibleKeys(
  db: SqlDatabase,
  { modelId, dimensions }: { modelId: string; dimensions: number },
  modelVersion: string,
): Promise<Uint32Array> {
  // One text instead of a row each: there may be many.
  const row = await db.get<{ keys: string }>(
    `SELECT json_group_array(c.chunk_key) AS keys FROM embedding_records r JOIN chunks c ON c.chunk_id = r.chunk_id
     WHERE r.status = 'committed' AND r.model_id = $1 AND r.model_version = $2 AND r.dimensions = $3`,
    [modelId, modelVersion, dimensions],
  );
  return Uint32Array.from(JSON.parse(row?.keys ?? "[]") as number[]).sort();
}

/** Returns the keys that are in both lists, ascending as they are. */
export function keysInBoth(some: Uint32Array, others: Uint32Array): Uint32Array {
  const both = new Uint32Array(Math.min(some.length, others.length));
  let count = 0;
  for (let a = 0, b = 0; a < some.length && b < others.length;) {
    const x = some[a] as number;
    const y = others[b] as number;
    if (x === y) both[count++] = x;
    if (x <= y) a++;
    if (y <= x) b++;
  }
  return both.subarray(0, count);
}

/** Whether an ascending list has a key. */
export function hasKey(keys: Uint32Array, key: number): boolean {
  let low = 0;
  for (let high = keys.length; low < high;) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key;
}
