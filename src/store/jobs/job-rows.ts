import type { Job, JobStatus } from "../../contracts/jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";

export interface JobRow {
  job_id: string;
  kind: string;
  status: JobStatus;
  payload: string;
  progress: string | null;
  error: string | null;
  error_code: string | null;
  attempt: number;
  cancel_requested_at: number | null;
  created_at: number;
  updated_at: number;
  finished_at: number | null;
}

export const JOB_COLUMNS =
  "job_id, kind, status, payload, progress, error, error_code, attempt, cancel_requested_at, created_at, updated_at, finished_at";

/** Number of the next job: an order that no clock decides. */
export const NEXT_SEQUENCE = "(SELECT coalesce(max(sequence), 0) + 1 FROM jobs)";

export function toJob(row: JobRow): Job {
  return {
    id: row.job_id,
    kind: row.kind,
    status: row.status,
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    progress: row.progress === null ? null : (JSON.parse(row.progress) as Record<string, unknown>),
    error: row.error === null ? null : { code: row.error_code, message: row.error },
    attempt: row.attempt,
    cancelRequestedAt: row.cancel_requested_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  };
}

export async function readJob(db: SqlExecutor, id: string): Promise<Job | undefined> {
  const row = await db.get<JobRow>(`SELECT ${JOB_COLUMNS} FROM jobs WHERE job_id = $1`, [id]);
  return row === undefined ? undefined : toJob(row);
}

/** @throws StorageError NOT_FOUND */
export async function requireJob(db: SqlExecutor, id: string, operation: string): Promise<Job> {
  const job = await readJob(db, id);
  if (job === undefined) throw new StorageError("NOT_FOUND", `there is no job "${id}"`, at(operation));
  return job;
}

/** Returns the error for a step that a job cannot take from where it is. */
export function jobConflict(operation: string, { id, kind, status }: Job, why: string): StorageError {
  return new StorageError("CONFLICT", `the job "${id}" (${kind}) is ${status}: ${why}`, at(operation));
}

function at(operation: string): { capability: "jobs"; operation: string } {
  return { capability: "jobs", operation };
}
