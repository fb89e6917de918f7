import type { SqlExecutor } from "../../contracts/sql.ts";

/** Completed runs that do not have a result for each of their queries, or no aggregates. */
const NOT_WHOLE = `status = 'completed' AND (metrics IS NULL OR query_count <>
  (SELECT count(*) FROM eval_query_results q WHERE q.eval_run_id = eval_runs.eval_run_id))`;

const OTHER_COUNT = "query_count <> json_array_length(queries)";

/** Finds completed runs without all of their results, and suites that do not have as many queries as they say. */
export const EVALUATION_PROBLEMS: string = `SELECT 'evaluation run ' || eval_run_id || ' is completed without all of its results' AS problem
  FROM eval_runs WHERE ${NOT_WHOLE}
  UNION ALL
  SELECT 'evaluation suite ' || name || ' does not have its ' || query_count || ' queries' FROM eval_suites WHERE ${OTHER_COUNT}`;

/** Says of runs without all of their results that they were interrupted. @returns how many there were. */
export async function interruptBrokenRuns(db: SqlExecutor): Promise<number> {
  const { changes } = await db.run(
    `UPDATE eval_runs SET status = 'interrupted', error = 'results were lost' WHERE ${NOT_WHOLE}`,
  );
  return changes;
}
