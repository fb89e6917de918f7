import type { SqlExecutor } from "../../contracts/sql.ts";

/** Jobs of a kind that are kept, apart from those that run. */
export const KEPT_JOBS = 1000;

/** Jobs that are made before older ones are looked for. */
export const PRUNE_EVERY = 64;

/** Deletes the oldest jobs of a kind, unless they run. */
export async function pruneJobs(db: SqlExecutor, kind: string): Promise<void> {
  await db.run(
    `DELETE FROM jobs WHERE kind = $1 AND status <> 'running' AND sequence < (
       SELECT sequence FROM jobs WHERE kind = $1 AND status <> 'running' ORDER BY sequence DESC LIMIT 1 OFFSET $2)`,
    [kind, KEPT_JOBS - 1],
  );
}

/** Deletes the oldest jobs of every kind of which there are too many. */
export async function pruneAllJobs(db: SqlExecutor): Promise<void> {
  const kinds = await db.all<{ kind: string }>("SELECT kind FROM jobs GROUP BY kind HAVING count(*) > $1", [KEPT_JOBS]);
  for (const { kind } of kinds) await pruneJobs(db, kind);
}
