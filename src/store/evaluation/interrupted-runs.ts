import type { SqlExecutor } from "../../contracts/sql.ts";

/** A run that was going on when its process ended did not complete: says so of every run but those that are going on here. Only for who
 *  alone writes the store. Writes nothing where none was. */
export async function markInterrupted(db: SqlExecutor, live: ReadonlySet<string>): Promise<void> {
  const ended = "status = 'running' AND eval_run_id NOT IN (SELECT value FROM json_each($1))";
  const ids = JSON.stringify([...live]);
  if ((await db.get(`SELECT 1 AS found FROM eval_runs WHERE ${ended} LIMIT 1`, [ids])) === undefined) return;
  await db.run(
    `UPDATE eval_runs SET status = 'interrupted', error = 'its process ended', finished_at = $2 WHERE ${ended}`,
    [ids, Date.now()],
  );
}
