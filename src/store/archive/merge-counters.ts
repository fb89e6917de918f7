import type { SqlTransaction } from "../../contracts/sql.ts";
import { beginTextIndexEpoch } from "../search/text-index.ts";

/** Counters that only ever rise. What another state of the store was known by never comes again, here and in the archive's store. */
const COUNTERS = ["corpus_revision", "last_chunk_key", "text_index_epoch"];

/** Sets the counters to at least what the attached image has, and the corpus revision above both. */
export async function mergeCounters(tx: SqlTransaction): Promise<void> {
  for (const key of COUNTERS) {
    await tx.run(
      `INSERT INTO main.kv (key, value) SELECT key, value FROM image.kv WHERE key = $1 AND value <> '' AND value NOT GLOB '*[^0-9]*'
       ON CONFLICT (key) DO UPDATE SET value = CAST(max(CAST(kv.value AS INTEGER), CAST(excluded.value AS INTEGER)) AS TEXT)`,
      [key],
    );
  }
  await changeCorpus(tx);
}

/** Says that the searchable content is another one, with chunk keys that may have stood for other chunks before. */
export async function changeCorpus(tx: SqlTransaction): Promise<void> {
  await tx.run("UPDATE kv SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'corpus_revision'");
  await beginTextIndexEpoch(tx);
}
