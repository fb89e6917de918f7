import type { Job, JobEnd, JobStatus } from "../../src/contracts/jobs.ts";

export interface ModelJob {
  id: string;
  kind: string;
  status: JobStatus;
  done: number | null;
  error: string | null;
  attempt: number;
  asked: boolean;
  over: boolean;
}

type Refusal = "CONFLICT" | undefined;

/** Jobs of callers as a list, the newest first, to hold the real ones against. What refuses returns the code of the error. */
export class JobModel {
  jobs: ModelJob[] = [];

  /** What the model knows of a job. */
  static of(job: Job): ModelJob {
    const { id, kind, status, progress, error, attempt, cancelRequestedAt, finishedAt } = job;
    const done = progress === null ? null : (progress["done"] as number);
    const message = error?.message ?? null;
    return {
      id,
      kind,
      status,
      done,
      error: message,
      attempt,
      asked: cancelRequestedAt !== null,
      over: finishedAt !== null,
    };
  }

  create(id: string, kind: string): void {
    this.jobs.unshift({ id, kind, status: "running", done: null, error: null, attempt: 1, asked: false, over: false });
  }

  /** The job at a place of the list; undefined where there is none. */
  at(place: number): ModelJob | undefined {
    return this.jobs.length === 0 ? undefined : this.jobs[place % this.jobs.length];
  }

  progress(id: string, done: number): Refusal {
    return this.#when(id, ["running"], (job) => Object.assign(job, { done }));
  }

  finish(id: string, status: JobEnd, error: string | undefined): Refusal {
    return this.#when(id, ["running"], (job) => Object.assign(job, { status, error: error ?? null, over: true }));
  }

  cancel(id: string): Refusal {
    return this.#when(id, ["running", "interrupted", "cancelled"], (job) => {
      if (job.status === "cancelled") return;
      job.asked = true;
      if (job.status === "interrupted") Object.assign(job, { status: "cancelled", over: true });
    });
  }

  resume(id: string): Refusal {
    return this.#when(id, ["interrupted", "failed", "cancelled"], (job) => {
      Object.assign(job, { status: "running", error: null, attempt: job.attempt + 1, asked: false, over: false });
    });
  }

  delete(id: string): Refusal {
    return this.#when(id, ["interrupted", "failed", "cancelled", "completed"], (job) => {
      this.jobs = this.jobs.filter((one) => one !== job);
    });
  }

  /** What was asked to end is cancelled. @returns the ids of the others that ran, oldest first. */
  interrupt(): string[] {
    const running = this.jobs.filter(({ status }) => status === "running");
    for (const job of running.filter(({ asked }) => asked)) {
      Object.assign(job, { status: "cancelled", error: "the job was cancelled", over: true });
    }
    const interrupted = running.filter(({ asked }) => !asked);
    for (const job of interrupted) Object.assign(job, { status: "interrupted", error: "gone" });
    return interrupted.map(({ id }) => id).toReversed();
  }

  matching(kind: string | undefined, status: JobStatus | undefined): ModelJob[] {
    return this.jobs.filter(
      (job) => (kind === undefined || job.kind === kind) && (status === undefined || job.status === status),
    );
  }

  #when(id: string, statuses: readonly JobStatus[], change: (job: ModelJob) => void): Refusal {
    const job = this.jobs.find((one) => one.id === id);
    if (job === undefined || !statuses.includes(job.status)) return "CONFLICT";
    change(job);
    return undefined;
  }
}
