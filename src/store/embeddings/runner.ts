import { anySignal } from "../../contracts/any-signal.ts";
import type { EmbeddingProgress, EmbeddingReport, EmbeddingRunOptions } from "../../contracts/embeddings.ts";
import { StorageError } from "../../errors.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import { ProgressListener } from "../progress-listener.ts";
import { generationOf } from "./generation.ts";
import { EmbeddingRun, type RunParts } from "./run.ts";
import { RunJob } from "./run-job.ts";
import { throwIfAborted, type Tidy } from "./tidy.ts";

/** Who waits for a job, and how they are told of it. */
interface Asker {
  listener: ProgressListener<EmbeddingProgress>;
  /** Ends the wait. */
  leave(reason: unknown): void;
}

/** Lets one run go on at a time: whoever asks meanwhile joins it, and it goes on until nothing is missing for them either. */
export class EmbeddingRunner {
  readonly #parts: RunParts;
  readonly #tidy: Tidy;
  readonly #desk: JobDesk;
  #job: Job | undefined;
  /** Chunk key after which the next run begins to look. */
  #cursor = 0;
  #lastError: StorageError | null = null;
  readonly #closing = new AbortController();

  /** @param desk Where its runs have their jobs. */
  constructor(parts: RunParts, tidy: Tidy, desk: JobDesk) {
    this.#parts = parts;
    this.#tidy = tidy;
    this.#desk = desk;
  }

  get running(): boolean {
    return this.#job?.over === false;
  }

  get progress(): EmbeddingProgress | null {
    return this.running ? (this.#job?.progress ?? null) : null;
  }

  get lastError(): StorageError | null {
    return this.#lastError;
  }

  /** Waits for a run that embeds what is missing now.
   *  @param resumed Id of the job that goes on with it.
   *  @throws StorageError CONFLICT that job cannot, for another is at it */
  async run({ signal, onProgress }: EmbeddingRunOptions, resumed?: string): Promise<EmbeddingReport> {
    throwIfAborted(signal, "run");
    if (resumed !== undefined && this.#job?.stopped === false) {
      const context = { capability: "jobs", operation: "resume" } as const;
      throw new StorageError("CONFLICT", "embeddings are being made already, by another job", context);
    }
    const job = this.#join(resumed);
    let leave: (reason: unknown) => void = nothing;
    const left = new Promise<never>((_resolve, reject) => (leave = reject));
    const listener = new ProgressListener(onProgress, (thrown) => job.drop(asker, thrown));
    const asker: Asker = { listener, leave };
    job.askers.add(asker);
    // A run that nobody waits for any more ends, and then the wait does; else only the wait ends.
    const onAbort = (): void => {
      job.askers.delete(asker);
      if (job.askers.size > 0) leave(aborted(signal));
      else job.stop(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const report = await Promise.race([job.done, left]);
      await listener.settle(anySignal(signal, this.#closing.signal));
      return report;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      job.askers.delete(asker);
    }
  }

  /** Starts a run that nobody waits for. How it ends is in {@link lastError}. */
  start(): void {
    if (!this.#closing.signal.aborted)
      this.#join().askers.add({ listener: new ProgressListener(undefined), leave: nothing });
  }

  /** Ends the run after the batch at hand, and starts no other. */
  async close(reason: unknown): Promise<void> {
    this.#closing.abort();
    this.#job?.stop(reason);
    await this.#job?.settled;
  }

  #join(resumed?: string): Job {
    if (this.#job?.stopped === false) {
      this.#job.again = true;
      return this.#job;
    }
    const before = this.#job?.settled;
    const job = new Job(async () => {
      await before;
      return this.#recorded(job, resumed);
    });
    this.#job = job;
    void job.settled.then(() => {
      if (this.#job === job) this.#job = undefined;
    });
    return job;
  }

  /** Whoever asks while the end is written begins another run: nothing is looked for any more in this one. */
  async #recorded(job: Job, resumed: string | undefined): Promise<EmbeddingReport> {
    const record = new RunJob(this.#desk, generationOf(this.#parts.embedder), (reason) => job.stop(reason));
    let report: EmbeddingReport;
    try {
      report = await this.#work(job, record, resumed);
    } catch (error) {
      await record.fail(error);
      throw error;
    }
    await record.settle();
    return report;
  }

  async #work(job: Job, record: RunJob, resumed: string | undefined): Promise<EmbeddingReport> {
    const run = new EmbeddingRun(this.#parts, job.signal, (progress) => job.tell(progress), record, this.#cursor);
    job.run = run;
    try {
      await record.takeOver(resumed);
      let report: EmbeddingReport;
      // Between the last look at `again` and `over` nobody can ask: nothing is waited for there.
      do {
        job.again = false;
        await run.toEnd();
        await this.#tidy.all(job.signal);
        report = await run.report();
      } while (job.again);
      this.#lastError = run.lastFailure;
      return report;
    } catch (error) {
      if (!isAbort(error)) this.#lastError = asError(error);
      throw error;
    } finally {
      this.#cursor = run.cursor;
      job.over = true;
    }
  }
}

/** A run and those who wait for it. */
class Job {
  readonly done: Promise<EmbeddingReport>;
  /** Resolves when `done` has settled. */
  readonly settled: Promise<void>;
  readonly askers = new Set<Asker>();
  /** Whether somebody asked since it last looked for what is missing. */
  again = false;
  over = false;
  run: EmbeddingRun | undefined;
  readonly #controller = new AbortController();

  constructor(work: () => Promise<EmbeddingReport>) {
    this.done = Promise.resolve().then(work);
    this.settled = this.done.then(nothing, nothing);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether nobody can join it any more. */
  get stopped(): boolean {
    return this.over || this.signal.aborted;
  }

  get progress(): EmbeddingProgress | null {
    return this.run?.progress ?? null;
  }

  stop(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Whoever throws when told is no longer among those who wait; the others learn nothing of it. */
  tell(progress: EmbeddingProgress): void {
    for (const asker of this.askers) {
      try {
        asker.listener.tell(progress);
      } catch (thrown) {
        this.drop(asker, thrown);
      }
    }
  }

  drop(asker: Asker, thrown: unknown): void {
    this.askers.delete(asker);
    asker.leave(thrown);
    if (this.askers.size === 0) this.stop(thrown);
  }
}

/** The work that ends is told of by `done` and by {@link EmbeddingRunner.lastError}. */
function nothing(): void {}

function aborted(signal: AbortSignal | undefined): StorageError {
  const cause: unknown = signal?.reason;
  return new StorageError("ABORTED", "nobody waits for the embedding any more; it goes on for others", {
    capability: "embeddings",
    operation: "run",
    cause,
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof StorageError && (error.code === "ABORTED" || error.code === "CLOSED");
}

function asError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StorageError("DRIVER", message, { capability: "embeddings", operation: "run", cause: error });
}
