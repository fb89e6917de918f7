import type { SqlTransaction } from "../../contracts/sql.ts";
import { GREATEST_KEY, isPlainTable } from "./archive-values.ts";
import { MAX_CHUNK_KEY } from "../documents/chunk-rows.ts";
import { beginTextIndexEpoch } from "../search/text-index.ts";

/** Counters that only ever rise. What another state of the store was known by never comes again, here and in the archive's store. */
const COUNTERS = [
  ["corpus_revision", GREATEST_KEY],
  ["last_chunk_key", MAX_CHUNK_KEY],
  ["text_index_epoch", GREATEST_KEY],
] as const;

/** Sets the counters to at least what the attached image has, where that is a number that can be counted on from, and the corpus
 *  revision above both. */
export async function mergeCounters(tx: SqlTransaction): Promise<void> {
  for (const [key, greatest] of COUNTERS) {
    await tx.run(
      `INSERT INTO main.kv (key, value) SELECT key, value FROM image.kv WHERE key = $1 AND value <> '' AND value NOT GLOB '*[^0-9]*'
         AND CAST(value AS INTEGER) <= ${greatest}
       ON CONFLICT (key) DO UPDATE SET value = CAST(max(CAST(kv.value AS INTEGER), CAST(excluded.value AS INTEGER)) AS TEXT)`,
      [key],
    );
  }
  await changeCorpus(tx);
}

/** A text index without a copy of the text. */
interface TextIndex {
  name: string;
  /** Table whose rows it is of. */
  rows: string;
  /** Where the version of its terms stands. */
  terms: string;
  /** Numbers in its record of averages: rows, and the tokens of each column. */
  averages: number;
}

const TEXT_INDEXES: readonly TextIndex[] = [
  { name: "chunks_fts", rows: "chunks", terms: "terms_version", averages: 4 },
  { name: "chat_turns_fts", rows: "chat_turns", terms: "chat_terms_version", averages: 3 },
];

/** Gives the text indexes, which the triggers filled, the averages of the image's. FTS5 takes rows out of an index without a copy of the text
 *  without taking them off its averages: an index made anew has others, and the scores would be others than in the archive's store. */
export async function keepAverages(tx: SqlTransaction): Promise<void> {
  for (const index of TEXT_INDEXES) await keepAveragesOf(tx, index);
}

async function keepAveragesOf(tx: SqlTransaction, { name, rows, terms, averages }: TextIndex): Promise<void> {
  for (const table of [`${name}_docsize`, `${name}_data`]) {
    if (!(await isPlainTable(tx, "image", table))) return;
  }
  const same = await tx.get<{ same: number }>(
    `SELECT (SELECT value FROM image.kv WHERE key = '${terms}') IS (SELECT value FROM main.kv WHERE key = '${terms}')
       AND (SELECT count(*) FROM image.${rows}) = (SELECT count(*) FROM image.${name}_docsize) AS same`,
  );
  if (same?.same !== 1) return;
  const found = await tx.get<{ block: unknown; count: number }>(
    `SELECT block, (SELECT count(*) FROM image.${rows}) AS count FROM image.${name}_data WHERE id = 1`,
  );
  if (!isAverages(found?.block, averages) || rowsIn(found.block) < found.count) return;
  // Opening the savepoint makes FTS5 write its own, and no more when the transaction ends.
  const { block } = found;
  await tx.transaction((inner) => inner.run(`UPDATE main.${name}_data SET block = $1 WHERE id = 1`, [block]));
}

const LONGEST_VARINT = 9;

/** Whether the bytes are a record of averages: as many of SQLite's variable-length integers as there are numbers, each ended by a byte
 *  below 0x80. */
function isAverages(block: unknown, numbers: number): block is Uint8Array {
  if (!(block instanceof Uint8Array) || block.byteLength > numbers * LONGEST_VARINT) return false;
  return block.filter((byte) => byte < 0x80).byteLength === numbers && (block.at(-1) ?? 0x80) < 0x80;
}

/** The first of its numbers: rows of the index, those that were deleted among them. */
function rowsIn(block: Uint8Array): number {
  let rows = 0;
  for (const byte of block) {
    rows = 128 * rows + (byte & 0x7f);
    if (byte < 0x80) break;
  }
  return rows;
}

/** Says that the searchable content is another one, with chunk keys that may have stood for other chunks before. */
export async function changeCorpus(tx: SqlTransaction): Promise<void> {
  await tx.run("UPDATE kv SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'corpus_revision'");
  await beginTextIndexEpoch(tx);
}
