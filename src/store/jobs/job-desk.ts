import type { Job, JobError, JobStatus, StoreJobKind } from "../../contracts/jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { timeOrderedId } from "../chat/time-ordered-id.ts";
import { interruptJobs } from "./interrupt-jobs.ts";
import { jobConflict, requireJob } from "./job-rows.ts";
import { PRUNE_EVERY, pruneJobs } from "./prune-jobs.ts";
import { type JobIdentity, StoreJob } from "./store-job.ts";

/** The jobs that the store works on: where work begins and ends its job, and where a job is asked to end. */
export class JobDesk {
  readonly #db: SqlExecutor;
  readonly #running = new Map<string, StoreJob>();
  #made = 0;
  #closing = false;

  /** @param db A migrated database. */
  constructor(db: SqlExecutor) {
    this.#db = db;
  }

  /** Makes a job, whose row is written with the first commit of its work, or half a second later.
   *  @param payload JSON values. */
  begin(kind: StoreJobKind, payload: object): StoreJob {
    const now = Date.now();
    return this.#start({
      id: timeOrderedId(now),
      kind,
      payload: JSON.stringify(payload),
      attempt: 1,
      createdAt: now,
    });
  }

  /** Begins a job again that does not run.
   *  @throws StorageError NOT_FOUND, CONFLICT */
  async reopen(id: string): Promise<StoreJob> {
    return this.#startAgain(await this.restart(id));
  }

  /** Begins the newest job again that was interrupted at the same work; `undefined` where there is none. */
  async takeOver(kind: StoreJobKind, payload: object): Promise<StoreJob | undefined> {
    const params = [kind, JSON.stringify(payload)];
    const find = `SELECT job_id AS id FROM jobs WHERE status = 'interrupted' AND finished_at IS NULL AND kind = $1 AND payload = $2
      ORDER BY sequence DESC LIMIT 1`;
    if ((await this.#db.get(find, params)) === undefined) return undefined;
    const job = await this.#db.transaction(async (tx) => {
      const found = await tx.get<{ id: string }>(find, params);
      return found === undefined ? undefined : restartJob(tx, found.id);
    });
    return job === undefined ? undefined : this.#startAgain(job);
  }

  /** Makes a job run again that does not. @returns it, as it is then.
   *  @throws StorageError NOT_FOUND, CONFLICT */
  async restart(id: string): Promise<Job> {
    return this.#db.transaction((tx) => restartJob(tx, id));
  }

  /** Whether the store works on the job now. */
  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Ends the work of a job, where the store works on it. */
  cancel(id: string): void {
    this.#running.get(id)?.cancel();
  }

  /** How a job ends whose work failed with this. */
  outcomeOf(thrown: unknown): { status: Exclude<JobStatus, "running">; error: JobError } {
    const code = thrown instanceof StorageError ? thrown.code : null;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const error = { code, message };
    if (code === "CLOSED" || code === "OWNER_LOST") return { status: "interrupted", error };
    if (code === "ABORTED") return { status: this.#closing ? "interrupted" : "cancelled", error };
    return { status: "failed", error };
  }

  /** Ends a job whose work has ended, in a commit of its own. @param thrown What ended it early. */
  async settle(job: StoreJob, thrown?: { error: unknown }): Promise<void> {
    try {
      if (thrown === undefined) await job.end(this.#db, "completed", null);
      else {
        const { status, error } = this.outcomeOf(thrown.error);
        await job.end(this.#db, status, error);
      }
    } finally {
      await job.leave();
    }
  }

  /** As {@link settle} after a failure, which counts: what keeps the row from being written is met by the next opening. */
  async fail(job: StoreJob, error: unknown): Promise<void> {
    await this.settle(job, { error }).catch(ofStorage);
  }

  /** Called for every job that is made: older ones go when it is time. */
  async made(kind: string): Promise<void> {
    if (++this.#made % PRUNE_EVERY === 0) await pruneJobs(this.#db, kind);
  }

  /** From now on, work that is aborted was interrupted. */
  beginClosing(): void {
    this.#closing = true;
  }

  /** Marks what still runs, when all work of the store has ended: jobs of callers. */
  async close(): Promise<void> {
    await interruptJobs(this.#db, "the store was closed before it was done").catch(ofStorage);
  }

  #startAgain({ id, kind, payload, attempt, createdAt }: Job): StoreJob {
    return this.#start({ id, kind: kind as StoreJobKind, payload: JSON.stringify(payload), attempt, createdAt });
  }

  #start(identity: JobIdentity): StoreJob {
    const { id, kind } = identity;
    const job = new StoreJob(identity, this.#db, () => this.#running.delete(id));
    this.#running.set(id, job);
    void this.made(kind).catch(ofStorage);
    return job;
  }
}

/** @throws StorageError NOT_FOUND, CONFLICT */
async function restartJob(tx: SqlExecutor, id: string): Promise<Job> {
  requireResumable(await requireJob(tx, id, "resume"));
  await tx.run(
    `UPDATE jobs SET status = 'running', attempt = attempt + 1, error = NULL, error_code = NULL, cancel_requested_at = NULL,
       finished_at = NULL, updated_at = $2 WHERE job_id = $1`,
    [id, Date.now()],
  );
  return requireJob(tx, id, "resume");
}

function requireResumable(job: Job): void {
  if (job.status === "running") throw jobConflict("resume", job, "there is nothing to resume");
  if (job.status === "completed") throw jobConflict("resume", job, "what it was to do is done");
}

/** What the store refuses to write about a job is of less account than the work itself. */
function ofStorage(error: unknown): void {
  if (!(error instanceof StorageError)) throw error;
}
