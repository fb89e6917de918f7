import type { InterruptedJob } from "../../contracts/jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { onceMoreOnFull, unlessFull } from "../upkeep/on-full.ts";
import { pruneAllJobs } from "./prune-jobs.ts";

/** Marks every job that runs as interrupted, and as cancelled what was asked to end: nobody goes on with it. Nobody else writes to the store,
 *  so nobody works on them. Writes nothing where none runs.
 *  @param why For people.
 *  @returns those that were interrupted, oldest first. */
export async function interruptJobs(db: SqlExecutor, why: string): Promise<InterruptedJob[]> {
  if (
    (await db.get("SELECT 1 AS found FROM jobs WHERE status = 'running' AND finished_at IS NULL LIMIT 1")) === undefined
  ) {
    return [];
  }
  const now = Date.now();
  await db.run(
    `UPDATE jobs SET status = 'cancelled', error = 'the job was cancelled', error_code = 'ABORTED', updated_at = $1, finished_at = $1
     WHERE status = 'running' AND finished_at IS NULL AND cancel_requested_at IS NOT NULL`,
    [now],
  );
  const rows = await db.all<InterruptedJob & { sequence: number }>(
    `UPDATE jobs SET status = 'interrupted', error = $1, error_code = 'OWNER_LOST', updated_at = $2
     WHERE status = 'running' AND finished_at IS NULL RETURNING job_id AS id, kind, sequence`,
    [why, now],
  );
  return rows.sort((a, b) => a.sequence - b.sequence).map(({ id, kind }) => ({ id, kind }));
}

/** What a store does about its jobs when it opens for writing. On a full disk they stay as they are, for a later opening to mark: what is in the
 *  store can be read. @returns the jobs that it found running. */
export async function openJobs(db: SqlExecutor): Promise<InterruptedJob[]> {
  const interrupted = await unlessFull(
    () => onceMoreOnFull(() => interruptJobs(db, "whoever worked on it ended before it was done")),
    () =>
      db.all<InterruptedJob>(
        `SELECT job_id AS id, kind FROM jobs WHERE status = 'running' AND finished_at IS NULL AND cancel_requested_at IS NULL
         ORDER BY sequence`,
      ),
  );
  await unlessFull(
    () => pruneAllJobs(db),
    async () => {},
  );
  return interrupted;
}
