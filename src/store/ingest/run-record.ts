import type { SqlExecutor } from "../../contracts/sql.ts";
import type { IngestReport } from "../../contracts/store.ts";

export type RunStatus = "running" | "completed" | "cancelled" | "failed";

/** Most failures kept in the run's row; the report has them all. */
const MAX_KEPT_FAILURES = 1000;

/** The row of a run in `ingest_runs`: written with every group of documents, in their transaction, so that it always
 *  says what is in. */
export class RunRecord {
  readonly #runId: string;
  readonly #options: string;
  readonly #startedAt = Date.now();
  readonly #live: ReadonlySet<string>;
  #written = false;

  /** @param options What the run was asked to do, as JSON values.
   *  @param live Ids of the runs that are going on in this process. */
  constructor(runId: string, options: object, live: ReadonlySet<string>) {
    this.#runId = runId;
    this.#live = live;
    this.#options = JSON.stringify(options);
  }

  /** Writes what the run has done so far. */
  async write(db: SqlExecutor, report: IngestReport, status: RunStatus, error: string | null): Promise<void> {
    if (!this.#written) await closeInterrupted(db, this.#live);
    this.#written = true;
    await db.run(
      `INSERT INTO ingest_runs (run_id, status, options, added, updated, skipped, removed, failures, bytes, chunks,
         error, started_at, finished_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, added = excluded.added, updated = excluded.updated,
         skipped = excluded.skipped, removed = excluded.removed, failures = excluded.failures, bytes = excluded.bytes,
         chunks = excluded.chunks, error = excluded.error, finished_at = excluded.finished_at`,
      [
        this.#runId,
        status,
        this.#options,
        report.added,
        report.updated,
        report.skipped,
        report.removed,
        JSON.stringify(report.failures.slice(0, MAX_KEPT_FAILURES)),
        report.bytes,
        report.chunks,
        error,
        this.#startedAt,
        status === "running" ? null : Date.now(),
      ],
    );
  }
}

/** A run that was still going when its process ended did not complete: the next run says so in its row. A run of
 *  another process that is alive after all puts its row right with its next commit. */
async function closeInterrupted(db: SqlExecutor, live: ReadonlySet<string>): Promise<void> {
  await db.run(
    `UPDATE ingest_runs SET status = 'failed', error = 'interrupted: its process ended', finished_at = $1
     WHERE status = 'running' AND run_id NOT IN (SELECT value FROM json_each($2))`,
    [Date.now(), JSON.stringify([...live])],
  );
}
