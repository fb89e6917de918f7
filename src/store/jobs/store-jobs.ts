import {
  checkJobEnd,
  checkResumeOptions,
  isStoreJobKind,
  requireJobJson,
  requireJobKind,
} from "../../contracts/check-jobs.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { Job, JobEnd, JobFilter, JobResumeOptions, Jobs, StoreJobKind } from "../../contracts/jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, refusal, requireLookupId } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { timeOrderedId } from "../chat/time-ordered-id.ts";
import { JobDesk } from "./job-desk.ts";
import { jobConflict, NEXT_SEQUENCE, readJob, requireJob } from "./job-rows.ts";
import { listJobs } from "./list-jobs.ts";

/** Does the work of a job again, by its kind. Resolves when it has ended. */
export type ResumableWork = Record<StoreJobKind, (job: Job, options: JobResumeOptions) => Promise<unknown>>;

/** The jobs of a store, in its database. */
export class StoreJobs implements Jobs {
  readonly #db: SqlExecutor;
  readonly #desk: JobDesk;
  readonly #work: ResumableWork | undefined;

  /** @param db A migrated database; the caller closes it.
   *  @param desk Jobs that the store works on.
   *  @param work What resuming them does. */
  constructor(db: SqlExecutor, desk: JobDesk = new JobDesk(db), work?: ResumableWork) {
    this.#db = db;
    this.#desk = desk;
    this.#work = work;
  }

  async create(kind: string, payload: Record<string, unknown> = {}): Promise<Job> {
    const site = at("create");
    const params = [requireJobKind(site, kind), requireJobJson(site, "payload", payload)] as const;
    const now = Date.now();
    const id = timeOrderedId(now);
    await this.#db.run(
      `INSERT INTO jobs (job_id, kind, status, payload, sequence, created_at, updated_at)
       VALUES ($1, $2, 'running', $3, ${NEXT_SEQUENCE}, $4, $4)`,
      [id, ...params, now],
    );
    await this.#desk.made(kind);
    return {
      id,
      kind,
      status: "running",
      payload: JSON.parse(params[1]) as Record<string, unknown>,
      progress: null,
      error: null,
      attempt: 1,
      cancelRequestedAt: null,
      createdAt: now,
      updatedAt: now,
      finishedAt: null,
    };
  }

  async updateProgress(id: string, progress: Record<string, unknown>): Promise<Job> {
    const site = at("updateProgress");
    const params = [requireLookupId(site, "id", id), requireJobJson(site, "progress", progress), Date.now()];
    return this.#change(id, "updateProgress", async (tx, job) => {
      requireOwn(job, "updateProgress");
      await tx.run("UPDATE jobs SET progress = $2, updated_at = $3 WHERE job_id = $1", params);
    });
  }

  async finish(id: string, status: JobEnd, error?: string): Promise<Job> {
    const site = at("finish");
    requireLookupId(site, "id", id);
    const end = checkJobEnd(site, status, error);
    return this.#change(id, "finish", async (tx, job) => {
      requireOwn(job, "finish");
      await tx.run(
        "UPDATE jobs SET status = $2, error = $3, error_code = NULL, updated_at = $4, finished_at = $4 WHERE job_id = $1",
        [id, end.status, end.error, Date.now()],
      );
    });
  }

  async get(id: string): Promise<Job | undefined> {
    return readJob(this.#db, requireLookupId(at("get"), "id", id));
  }

  async list(filter?: JobFilter, page?: PageRequest): Promise<Page<Job>> {
    return listJobs(this.#db, filter, page);
  }

  async cancel(id: string): Promise<Job> {
    requireLookupId(at("cancel"), "id", id);
    const asked = await this.#change(id, "cancel", async (tx, job) => {
      const { status, kind, cancelRequestedAt } = job;
      if (status === "cancelled") return;
      if (status === "completed" || status === "failed") throw jobConflict("cancel", job, "it has ended");
      const now = Date.now();
      // A job of the store that nobody works on could not write how it ended.
      const ends = status === "interrupted" || (isStoreJobKind(kind) && !this.#desk.has(id));
      await tx.run(
        ends
          ? "UPDATE jobs SET status = 'cancelled', cancel_requested_at = $2, updated_at = $3, finished_at = $3 WHERE job_id = $1"
          : "UPDATE jobs SET cancel_requested_at = $2, updated_at = $3 WHERE job_id = $1",
        [id, cancelRequestedAt ?? now, now],
      );
    });
    this.#desk.cancel(id);
    return asked;
  }

  async resume(id: string, options?: JobResumeOptions): Promise<Job> {
    const site = at("resume");
    requireLookupId(site, "id", id);
    const checked = checkResumeOptions(site, options);
    const job = await requireJob(this.#db, id, "resume");
    requireSource(site, job, checked);
    if (!isStoreJobKind(job.kind)) return this.#desk.restart(id);
    if (this.#work === undefined) {
      throw new StorageError("UNSUPPORTED", `nothing here does the work of jobs of the kind "${job.kind}"`, site);
    }
    await this.#work[job.kind](job, checked);
    return requireJob(this.#db, id, "resume");
  }

  async delete(id: string): Promise<boolean> {
    requireLookupId(at("delete"), "id", id);
    return this.#db.transaction(async (tx) => {
      const job = await readJob(tx, id);
      if (job === undefined) return false;
      if (job.status === "running") throw jobConflict("delete", job, "cancel it first");
      const { changes } = await tx.run("DELETE FROM jobs WHERE job_id = $1", [id]);
      return changes > 0;
    });
  }

  /** Changes a job in one transaction with the look at it. @returns it, as it is then. */
  async #change(id: string, operation: string, change: (tx: SqlExecutor, job: Job) => Promise<void>): Promise<Job> {
    return this.#db.transaction(async (tx) => {
      await change(tx, await requireJob(tx, id, operation));
      return requireJob(tx, id, operation);
    });
  }
}

/** @throws StorageError CONFLICT the job is not one of the caller's that runs */
function requireOwn(job: Job, operation: string): void {
  if (job.status !== "running") {
    throw jobConflict(operation, job, job.status === "interrupted" ? "resume it first" : "it has ended");
  }
  if (isStoreJobKind(job.kind)) throw jobConflict(operation, job, "the store runs it, and says itself how far it is");
}

/** An ingest needs its files again, and nothing else takes any. */
function requireSource(site: CallSite, { kind }: Job, { source }: JobResumeOptions): void {
  if (kind === "ingest" && source === undefined) {
    throw refusal(site, "options.source is missing: an ingest is resumed with its files, all of them");
  }
  if (kind !== "ingest" && source !== undefined) {
    throw refusal(site, `options.source is given, and a job of the kind "${kind}" takes none`);
  }
}

function at(operation: string): CallSite {
  return { capability: "jobs", operation };
}
