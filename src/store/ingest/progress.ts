import type { EmbeddingProgress } from "../../contracts/embeddings.ts";
import type { IngestProgress, IngestReport } from "../../contracts/store.ts";
import { untilAborted } from "../../contracts/until-aborted.ts";
import { ingestAborted } from "./ingest-aborted.ts";

/** Shortest time between two calls. */
const INTERVAL_MS = 100;

/** Files that must be done before time left is guessed. */
const ENOUGH_FILES = 5;

/** Tells the caller how far a run is, not more often than ten times a second. What the caller throws goes nowhere but
 *  into {@link ProgressTeller.settle}: here at once, across a worker boundary when the answer arrives. */
export class ProgressTeller {
  readonly #tell: ((progress: IngestProgress) => void) | undefined;
  readonly #note: (progress: IngestProgress) => void;
  readonly #total: number | undefined;
  readonly #started = performance.now();
  #last = -Infinity;
  /** Resolves when all calls are answered. */
  #answered: Promise<void> = Promise.resolve();
  #thrown: { error: unknown } | undefined;

  /** @param note Told as `tell` is, by what must not fail. */
  constructor(
    tell: ((progress: IngestProgress) => void) | undefined,
    total: number | undefined,
    note: (progress: IngestProgress) => void,
  ) {
    this.#tell = tell;
    this.#note = note;
    this.#total = total;
  }

  /** @param pending Documents that are read and wait for the commit of their group. */
  update(report: IngestReport, currentPath: string | null, pending: number): void {
    const time = performance.now();
    if (time - this.#last < INTERVAL_MS) return;
    this.#last = time;
    this.#report(report, currentPath, pending);
  }

  /** Tells how far the embedding is that the run waits for; whoever calls keeps to ten times a second. */
  embedding(report: IngestReport, embedding: EmbeddingProgress): void {
    this.#report(report, null, 0, embedding);
  }

  /** Tells the end, however recent the last time. */
  end(report: IngestReport): void {
    this.#report(report, null, 0);
  }

  /** Waits until all calls are answered, or the signal is aborted.
   *  @returns what was thrown first, `undefined` when nothing was. */
  async settle(signal: AbortSignal | undefined): Promise<{ error: unknown } | undefined> {
    // The run is whole by now: an abort ends the waiting only.
    await untilAborted(this.#answered, signal, ingestAborted).catch(() => {});
    return this.#thrown;
  }

  #report(report: IngestReport, currentPath: string | null, pending: number, embedding?: EmbeddingProgress): void {
    const progress = this.of(report, currentPath, pending, embedding);
    this.#note(progress);
    const tell = this.#tell;
    if (tell === undefined) return;
    const answer = new Promise<void>((resolve) => resolve(tell(progress))).catch((error: unknown) => {
      this.#thrown ??= { error };
    });
    this.#answered = this.#answered.then(() => answer);
  }

  /** Returns how far the run is. */
  of(report: IngestReport, currentPath: string | null, pending: number, embedding?: EmbeddingProgress): IngestProgress {
    const time = performance.now();
    const done = pending + report.added + report.updated + report.skipped + report.failures.length;
    const elapsedMs = time - this.#started;
    const total = this.#total ?? null;
    const leftMs = total === null || done < ENOUGH_FILES ? null : Math.max(0, (elapsedMs / done) * (total - done));
    return {
      done,
      total,
      added: report.added,
      updated: report.updated,
      skipped: report.skipped,
      failed: report.failures.length,
      bytes: report.bytes,
      chunks: report.chunks,
      elapsedMs,
      leftMs,
      currentPath,
      ...(embedding === undefined ? {} : { embedding }),
    };
  }
}
