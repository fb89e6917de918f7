import type { Page, PageRequest } from "./documents.ts";
import type { IngestSource } from "./ingest-source.ts";

/** Jobs that the store runs itself. */
export type StoreJobKind = "ingest" | "embed" | "reindex";

/** `running`: somebody works on it. `completed`, `failed`, `cancelled`: it came to its end. `interrupted`: whoever worked on it is gone, by
 *  a crash or because the store was closed. `interrupted`, `failed` and `cancelled` ones can be resumed. */
export type JobStatus = "running" | "completed" | "failed" | "cancelled" | "interrupted";

/** How a job ends that somebody works on. */
export type JobEnd = "completed" | "failed" | "cancelled";

export interface JobError {
  /** A code of the store's errors where the store ran the job, else null. */
  code: string | null;
  /** For people. */
  message: string;
}

/** A piece of work that takes a while: an ingest, a run of embeddings, a reindex, or one of the caller's. */
export interface Job {
  /** 32 hex digits; later jobs have greater ids. */
  id: string;
  /** `ingest`, `embed`, `reindex`, or a kind of the caller's. */
  kind: string;
  status: JobStatus;
  /** What is to be done. Of an ingest: its options, `origin` among them; of a run of embeddings: the generation it makes;
   *  of a reindex: its options. */
  payload: Record<string, unknown>;
  /** How far it is, and once it has ended what it came to; null before it was first said. Of the store's own jobs: what their `onProgress`
   *  is told, written four times a second at most, and at the end. */
  progress: Record<string, unknown> | null;
  /** Why it did not complete, null where nothing is known of it. */
  error: JobError | null;
  /** How often it was begun: 1, and one more with every resumption. */
  attempt: number;
  /** When it was asked to end, null unless it was. Milliseconds since 1970, as all times here. */
  cancelRequestedAt: number | null;
  createdAt: number;
  updatedAt: number;
  /** When it came to its end; null while it runs, and of one that was interrupted. */
  finishedAt: number | null;
}

/** A job that nobody works on any more. */
export interface InterruptedJob {
  id: string;
  kind: string;
}

/** Which jobs a list holds: those that meet all of it. */
export interface JobFilter {
  kind?: string;
  status?: JobStatus;
  /** Milliseconds since 1970 or an ISO 8601 text; made then or later. */
  createdAfter?: number | string;
  /** Made before then. */
  createdBefore?: number | string;
}

export interface JobResumeOptions {
  /** Ends the work; the promise rejects with ABORTED, and the job is cancelled. */
  signal?: AbortSignal;
  /** Of an ingest: the same files again, all of them; what is in is skipped. No other job takes one. */
  source?: IngestSource;
  /** Of a job of the store: told as its own `onProgress` would be. */
  onProgress?: (progress: Record<string, unknown>) => void;
}

/** Work that takes a while, kept so that everybody sees it and a crash does not lose it.
 *
 *  The store makes a job of every ingest, run of embeddings and reindex. Callers keep work of their own beside them: they create a job,
 *  say how far it is, and finish it. When a store opens for writing, every job that still runs in it is `interrupted`, since nobody works on
 *  it any more. Of each kind the newest 1,000 jobs that do not run are kept; older ones go when others are made.
 *
 *  Every method is atomic; what it wrote is durable when it resolves. Jobs leave the corpus revision.
 *  @throws StorageError INVALID_INPUT from every method, naming the field; CLOSED, DRIVER, QUOTA_EXCEEDED, CORRUPT, and UNSUPPORTED from
 *    what writes in a store that was opened for reading only */
export interface Jobs {
  /** Makes a job of the caller's, which runs from then on: the caller works on it.
   *  @param kind 1 to 64 characters, other than those of {@link StoreJobKind}.
   *  @param payload JSON values only, at most 64 KiB as JSON; what whoever resumes the job needs. Empty by default.
   *  @example
   *    const { id } = await store.jobs.create("transcribe", { path: "talk.wav" });
   *    for (const [done, part] of parts.entries()) {
   *      const { cancelRequestedAt } = await store.jobs.updateProgress(id, { done, total: parts.length });
   *      if (cancelRequestedAt !== null) return store.jobs.finish(id, "cancelled");
   *      await transcribe(part);
   *    }
   *    await store.jobs.finish(id, "completed"); */
  create(kind: string, payload?: Record<string, unknown>): Promise<Job>;
  /** Says how far a job of the caller's is. What it returns tells whether the job was asked to end.
   *  @param progress Takes the place of the one before. JSON values only, at most 64 KiB as JSON.
   *  @throws StorageError NOT_FOUND; CONFLICT (it does not run, or the store runs it) */
  updateProgress(id: string, progress: Record<string, unknown>): Promise<Job>;
  /** Ends a job of the caller's.
   *  @param error Why it did not complete, at most 65,536 characters.
   *  @throws StorageError NOT_FOUND; CONFLICT (it does not run, or the store runs it) */
  finish(id: string, status: JobEnd, error?: string): Promise<Job>;
  /** Returns the job, or `undefined` where there is none. */
  get(id: string): Promise<Job | undefined>;
  /** Lists jobs, the newest first. Jobs that are made between two pages are not seen on a later one.
   *  @param page The cursor belongs to the filter. */
  list(filter?: JobFilter, page?: PageRequest): Promise<Page<Job>>;
  /** Asks a job to end, from wherever: the store's own ends after the document or batch at hand, and what waits for it rejects with
   *  ABORTED; one of the caller's has `cancelRequestedAt`, which whoever works on it looks at. One that was interrupted is `cancelled` at
   *  once, and for one that was cancelled nothing changes. It resolves when the job was asked, which may be before it ends.
   *  @throws StorageError NOT_FOUND; CONFLICT (it has completed, or failed) */
  cancel(id: string): Promise<Job>;
  /** Goes on with a job that was interrupted, cancelled or failed: the same job, one more attempt. What was done stays done. The store's
   *  own work is done again, and the call resolves when it has ended; it rejects with what the work rejects with. A job of the caller's runs
   *  at once, and the caller works on it.
   *  @param options.source Of an ingest, which the store cannot read again by itself.
   *  @throws StorageError NOT_FOUND; CONFLICT (it runs, or has completed, or embeddings are being made already); UNSUPPORTED (embeddings of
   *    another model than the store's embedder makes); ABORTED; what the work throws */
  resume(id: string, options?: JobResumeOptions): Promise<Job>;
  /** Deletes a job that does not run. @returns whether there was one.
   *  @throws StorageError CONFLICT (it runs) */
  delete(id: string): Promise<boolean>;
}
