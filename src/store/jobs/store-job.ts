import type { JobError, JobStatus, StoreJobKind } from "../../contracts/jobs.ts";
import { wellFormed } from "../../contracts/check-search.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { NEXT_SEQUENCE } from "./job-rows.ts";

/** Shortest time between two writes of progress with commits of the work … */
const WITH_COMMIT_MS = 250;
/** … and by themselves, each of which is a commit of its own. */
const ALONE_MS = 500;
/** Longest message that is kept. */
const MAX_MESSAGE = 4096;

/** One that was asked to end is cancelled, even where the store closes before it has. */
const NOBODY_GOES_ON = "excluded.status = 'interrupted' AND jobs.cancel_requested_at IS NOT NULL";

/** Which job it is. */
export interface JobIdentity {
  id: string;
  kind: StoreJobKind;
  /** JSON text. */
  payload: string;
  attempt: number;
  createdAt: number;
}

/** A job of the store while it runs. Its row is written with the commits of the work where there are any: a job costs no commit of its own
 *  but where the work has had none for half a second. */
export class StoreJob {
  readonly id: string;
  readonly #identity: JobIdentity;
  readonly #db: SqlExecutor;
  readonly #onEnd: () => void;
  readonly #controller = new AbortController();
  readonly #soon: ReturnType<typeof setTimeout>;
  #progress: object | null = null;
  #lastWrite = performance.now();
  #hasRow = false;
  #writing: Promise<void> | undefined;
  #over = false;

  /** @param db Where it writes by itself.
   *  @param onEnd Called once, when nothing works on it any more. */
  constructor(identity: JobIdentity, db: SqlExecutor, onEnd: () => void) {
    this.id = identity.id;
    this.#identity = identity;
    this.#db = db;
    this.#onEnd = onEnd;
    // Work that waits for its source has no commits, and is seen all the same. A timer may come a little early.
    this.#soon = setTimeout(() => this.#writeAlone(), ALONE_MS + 1);
  }

  /** Aborted when the job is cancelled. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(): void {
    const context = { capability: "jobs", operation: "cancel" } as const;
    this.#controller.abort(new StorageError("ABORTED", "the job was cancelled", context));
  }

  /** Notes how far the work is; written when it is due. @param progress JSON values, which do not change any more. */
  note(progress: object): void {
    this.#progress = progress;
    if (performance.now() - this.#lastWrite >= ALONE_MS) this.#writeAlone();
  }

  /** Writes how far the work is within a commit of it: within its first, and from then on when it is due. */
  async write(tx: SqlExecutor): Promise<void> {
    const time = performance.now();
    if (this.#hasRow && time - this.#lastWrite < WITH_COMMIT_MS) return;
    this.#lastWrite = time;
    this.#hasRow = true;
    await this.#upsert(tx, "running", null);
  }

  /** Writes how the work ended; then call {@link leave}. What is still on its way to be written comes too late. */
  async end(tx: SqlExecutor, status: Exclude<JobStatus, "running">, error: JobError | null): Promise<void> {
    this.#over = true;
    await this.#upsert(tx, status, error);
  }

  /** Nothing works on the job any more. Waits for what it was writing. */
  async leave(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#soon);
    this.#onEnd();
    await this.#writing;
  }

  #writeAlone(): void {
    if (this.#over || this.#writing !== undefined) return;
    const time = performance.now();
    if (time - this.#lastWrite < ALONE_MS) return;
    this.#lastWrite = time;
    this.#hasRow = true;
    // What keeps it from being written now is met by the work, too, or by its end.
    this.#writing = this.#upsert(this.#db, "running", null)
      .catch(() => undefined)
      .then(() => {
        this.#writing = undefined;
      });
  }

  /** A job that has ended is not brought back by a write that comes late. */
  async #upsert(db: SqlExecutor, status: JobStatus, error: JobError | null): Promise<void> {
    const { id, kind, payload, attempt, createdAt } = this.#identity;
    const now = Date.now();
    await db.run(
      `INSERT INTO jobs (job_id, kind, status, payload, progress, error, error_code, attempt, sequence, created_at, updated_at, finished_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ${NEXT_SEQUENCE}, $9, $10, $11)
       ON CONFLICT (job_id) DO UPDATE SET status = iif(${NOBODY_GOES_ON}, 'cancelled', excluded.status),
         finished_at = iif(${NOBODY_GOES_ON}, excluded.updated_at, excluded.finished_at), progress = excluded.progress,
         error = excluded.error, error_code = excluded.error_code, updated_at = excluded.updated_at
       WHERE jobs.attempt = excluded.attempt AND (jobs.status = 'running' OR excluded.status <> 'running')`,
      [
        id,
        kind,
        status,
        payload,
        this.#progress === null ? null : JSON.stringify(this.#progress),
        error === null ? null : (wellFormed(error.message.slice(0, MAX_MESSAGE)) as string),
        error?.code ?? null,
        attempt,
        createdAt,
        now,
        status === "running" || status === "interrupted" ? null : now,
      ],
    );
  }
}
