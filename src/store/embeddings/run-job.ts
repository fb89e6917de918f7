import type { EmbeddingGeneration, EmbeddingProgress } from "../../contracts/embeddings.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import type { StoreJob } from "../jobs/store-job.ts";

/** The job of a run, which there is once something is missing: a run that finds nothing to do makes none. */
export class RunJob {
  readonly #desk: JobDesk;
  readonly #generation: EmbeddingGeneration;
  readonly #onCancel: (reason: unknown) => void;
  #job: StoreJob | undefined;

  /** @param onCancel Ends the run. */
  constructor(
    desk: JobDesk,
    { modelId, modelVersion, dimensions }: EmbeddingGeneration,
    onCancel: (reason: unknown) => void,
  ) {
    this.#desk = desk;
    this.#generation = { modelId, modelVersion, dimensions };
    this.#onCancel = onCancel;
  }

  get id(): string | null {
    return this.#job?.id ?? null;
  }

  /** Goes on with a job: the one that was asked for, or the newest that was interrupted at this generation, if there is any.
   *  @throws StorageError NOT_FOUND, CONFLICT (the one that was asked for) */
  async takeOver(asked: string | undefined): Promise<void> {
    const job =
      asked === undefined ? await this.#desk.takeOver("embed", this.#generation) : await this.#desk.reopen(asked);
    if (job !== undefined) this.#set(job);
  }

  /** Says in the first commit of the run that there is something to do. */
  async begin(tx: SqlExecutor): Promise<void> {
    const job = this.#job ?? this.#set(this.#desk.begin("embed", this.#generation));
    await job.write(tx);
  }

  note(progress: EmbeddingProgress): void {
    this.#job?.note(progress);
  }

  async settle(): Promise<void> {
    if (this.#job !== undefined) await this.#desk.settle(this.#job);
  }

  async fail(error: unknown): Promise<void> {
    if (this.#job !== undefined) await this.#desk.fail(this.#job, error);
  }

  #set(job: StoreJob): StoreJob {
    this.#job = job;
    job.signal.addEventListener("abort", () => this.#onCancel(job.signal.reason), { once: true });
    return job;
  }
}
