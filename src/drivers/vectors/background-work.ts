import type { LiveIndex } from "./live-index.ts";
import { nextTurn } from "./next-turn.ts";

/** Longest step between two searches, in milliseconds. */
const SLICE_MS = 6;

/** Links what waits, reads what is to be kept in memory and writes snapshots that are due, in slices between which searches run. */
export class BackgroundWork {
  readonly #indexes: () => LiveIndex[];
  #running: Promise<void> | undefined;
  #stopped = false;
  /** What ended the last run, for whoever waits for it. */
  #failure: { error: unknown } | undefined;

  constructor(indexes: () => LiveIndex[]) {
    this.#indexes = indexes;
  }

  /** Starts working, unless it does. What fails is kept: the rows are safe, and searches scan what is not linked. */
  start(): void {
    if (this.#stopped || this.#running !== undefined || this.#failure !== undefined) return;
    this.#running = this.#run()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Waits until nothing is left to do, and throws what kept it from that. */
  async finish(): Promise<void> {
    this.#failure = undefined;
    this.start();
    await this.#running;
    this.#throwFailure();
  }

  /** Ends after the slice at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #run(): Promise<void> {
    for (const live of this.#indexes()) {
      await nextTurn();
      while (!this.#stopped && (await live.work(SLICE_MS))) await nextTurn();
      while (!this.#stopped && (await live.fill(SLICE_MS))) await nextTurn();
      if (!this.#stopped && live.snapshotDue(false)) await live.save();
    }
  }
}
