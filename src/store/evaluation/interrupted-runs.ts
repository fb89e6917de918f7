import type { SqlExecutor } from "../../contracts/sql.ts";

/** A run that was going on when its process ended did not complete: says so of every run but those that are going on here. Only for who
 *  alone writes the store. */
export async function markInterrupted(db: SqlExecutor, live: ReadonlySet<string>): Promise<void> {
  await db.run(
    `UPDATE eval_runs SET status = 'interrupted', error = 'its process ended', finished_at = $1
     WHERE status = 'running' AND eval_run_id NOT IN (SELECT value FROM json_each($2))`,
    [Date.now(), JSON.stringify([...live])],
  );
}
