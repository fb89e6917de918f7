import type { ChooseRecords } from "./eraser.ts";
import { OLD_RECORD, type OldRecord } from "./records.ts";
import type { Tidy } from "./tidy.ts";
import type { AnyVectorStore } from "./vector-side.ts";

/** Deletes records that stand for nothing: their chunk is gone without a trace, or they are committed and their model has no table of
 *  vectors.
 *  @returns how many went. */
export async function eraseBaseless(
  tidy: Tidy,
  store: AnyVectorStore,
  signal: AbortSignal | undefined,
): Promise<number> {
  const tables = (await store.tables()).map(({ modelId, dimensions }) => [modelId, dimensions]);
  const chunkless = await tidy.erase(chooseChunkless, Number.POSITIVE_INFINITY, signal);
  const tableless = await tidy.erase(chooseTableless(JSON.stringify(tables)), Number.POSITIVE_INFINITY, signal);
  return chunkless + tableless;
}

const chooseChunkless: ChooseRecords = (tx, limit) =>
  tx.all<OldRecord>(
    `SELECT ${OLD_RECORD} FROM embedding_records r WHERE r.status IN ('pending', 'committed')
       AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.chunk_id = r.chunk_id) LIMIT $1`,
    [limit],
  );

/** @param tables Models with their dimensions, as a JSON list of pairs. */
function chooseTableless(tables: string): ChooseRecords {
  return (tx, limit) =>
    tx.all<OldRecord>(
      `SELECT ${OLD_RECORD} FROM embedding_records r WHERE r.status = 'committed'
         AND NOT EXISTS (SELECT 1 FROM json_each($1) t WHERE t.value ->> 0 = r.model_id AND t.value ->> 1 = r.dimensions)
       LIMIT $2`,
      [tables, limit],
    );
}
