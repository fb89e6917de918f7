import type { LiveIndex } from "./live-index.ts";
import { nextTurn, SearchActivity } from "../../turns.ts";

/** Longest step while somebody searches, and while nobody does, in milliseconds. */
const SLICE_MS = { watched: 1.5, alone: 12 };

/** Takes in what was written, links it, reads what is to be kept in memory and writes snapshots that are due, in slices between which
 *  searches run. */
export class BackgroundWork {
  /** Told of every search. */
  readonly activity: SearchActivity = new SearchActivity();
  readonly #follow: () => Promise<void>;
  readonly #indexes: () => LiveIndex[];
  #running: Promise<void> | undefined;
  #stopped = false;
  /** What ended the last run, for whoever waits for it. */
  #failure: { error: unknown } | undefined;
  /** Whether something came while it was working. */
  #again = false;

  /** @param follow Brings the indexes of what was written to the last commit. */
  constructor(follow: () => Promise<void>, indexes: () => LiveIndex[]) {
    this.#follow = follow;
    this.#indexes = indexes;
  }

  /** Starts working, or looks once more after what it is at. What fails is kept: the rows are safe, and searches scan what is not linked. */
  start(): void {
    this.#again = true;
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
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await nextTurn();
      await this.#follow();
      for (const live of this.#indexes()) await this.#tend(live);
    }
  }

  async #tend(live: LiveIndex): Promise<void> {
    while (await live.work(this.#sliceMs)) {
      await nextTurn();
      if (this.#interrupted) return;
    }
    while (await live.fill(this.#sliceMs)) {
      await nextTurn();
      if (this.#interrupted) return;
    }
    if (!this.#interrupted && live.snapshotDue(false)) await live.save();
  }

  get #sliceMs(): number {
    return this.activity.recent ? SLICE_MS.watched : SLICE_MS.alone;
  }

  /** What was written meanwhile is taken in first: searches would have to wait for it. */
  get #interrupted(): boolean {
    return this.#stopped || this.#again;
  }
}
