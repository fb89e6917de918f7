import type { EvalQuery, JudgedBy } from "../../contracts/evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";

const COLUMNS: Readonly<Record<JudgedBy, string>> = {
  path: "documents WHERE workspace_path",
  document: "documents WHERE document_id",
  chunk: "chunks WHERE chunk_id",
};

/** Keys that one statement looks up. */
const BATCH = 10_000;

/** Counts what is relevant to some query and is not in the store: nothing can find it, and a suite that is judged by other paths than the
 *  store has would score 0 without a word. */
export async function countMissing(db: SqlExecutor, judged: JudgedBy, queries: readonly EvalQuery[]): Promise<number> {
  const relevant = new Set<string>();
  for (const { judgements } of queries) {
    for (const [key, grade] of Object.entries(judgements)) if (grade >= 1) relevant.add(key);
  }
  const keys = [...relevant];
  let missing = 0;
  for (let from = 0; from < keys.length; from += BATCH) {
    const row = await db.get<{ n: number }>(
      `SELECT count(*) AS n FROM json_each($1) wanted WHERE NOT EXISTS (SELECT 1 FROM ${COLUMNS[judged]} = wanted.value)`,
      [JSON.stringify(keys.slice(from, from + BATCH))],
    );
    missing += row?.n ?? 0;
  }
  return missing;
}
