import type { StorageError } from "../../errors.ts";
import type { LiveIndex } from "./live-index.ts";
import { nextTurn, type SearchActivity } from "../../turns.ts";
import { Setback } from "./setback.ts";

/** Longest step while somebody searches, and while nobody does, in milliseconds. */
const SLICE_MS = { watched: 1.5, alone: 12 };
/** Reading vectors back takes larger steps and no pauses: until it is done every search reads some of its own, for as long a time. */
const FILL_MS = { watched: 5, alone: 12 };

/** Takes in what was written, links it, reads what is to be kept in memory and writes snapshots that are due, in slices between which
 *  searches run. What fails is tried again, later and later: the rows are safe, and searches scan what is not linked. */
export class BackgroundWork {
  readonly #activity: SearchActivity;
  readonly #follow: () => Promise<void>;
  readonly #indexes: () => LiveIndex[];
  readonly #tidy: () => Promise<void>;
  readonly #linking = new Setback(() => this.start());
  /** Apart from the linking: where no file can be written, that goes on. */
  readonly #saving = new Setback(() => this.start());
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Whether something came while it was working. */
  #again = false;

  /** @param activity Says whether somebody is searching.
   *  @param follow Brings the indexes of what was written to the last commit.
   *  @param tidy Deletes snapshots that nothing stands for. */
  constructor(
    activity: SearchActivity,
    follow: () => Promise<void>,
    indexes: () => LiveIndex[],
    tidy: () => Promise<void>,
  ) {
    this.#activity = activity;
    this.#follow = follow;
    this.#indexes = indexes;
    this.#tidy = tidy;
  }

  /** What keeps it from its work, `undefined` where nothing does. */
  get error(): StorageError | undefined {
    return this.#linking.error ?? this.#saving.error;
  }

  /** Starts working, or looks once more after what it is at. */
  start(): void {
    this.#again = true;
    if (this.#stopped || this.#running !== undefined || this.#linking.waiting) return;
    this.#running = this.#run()
      .then(
        () => this.#linking.overcome(),
        (error: unknown) => this.#linking.meet(error),
      )
      .finally(() => {
        this.#running = undefined;
        // It came when the run had looked for the last time.
        if (this.#again) this.start();
      });
  }

  /** Waits until nothing is left to do, and throws what kept it from that. */
  async finish(): Promise<void> {
    this.#linking.overcome();
    this.#saving.overcome();
    this.start();
    while (this.#running !== undefined) await this.#running;
    const { error } = this;
    if (error !== undefined) throw error;
  }

  /** Ends after the slice at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#linking.overcome();
    this.#saving.overcome();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      await this.#activity.turn();
      // What came while it waited is at hand now.
      this.#again = false;
      await this.#follow();
      for (const live of this.#indexes()) await this.#tend(live);
      await this.#save();
    }
  }

  async #tend(live: LiveIndex): Promise<void> {
    while (await live.work(this.#pick(SLICE_MS))) {
      await this.#activity.turn();
      if (this.#interrupted) return;
    }
    while (await live.fill(this.#pick(FILL_MS))) {
      await nextTurn();
      if (this.#interrupted) return;
    }
  }

  async #save(): Promise<void> {
    if (this.#saving.waiting) return;
    try {
      for (const live of this.#indexes()) {
        if (this.#interrupted || !live.snapshotDue(false)) continue;
        await live.save();
        // What no walk reached is to be linked anew.
        if (live.hasWork) this.#again = true;
      }
      await this.#tidy();
      this.#saving.overcome();
    } catch (error) {
      this.#saving.meet(error);
    }
  }

  #pick({ watched, alone }: { watched: number; alone: number }): number {
    return this.#activity.recent ? watched : alone;
  }

  /** What was written meanwhile is taken in first: searches would have to wait for it. */
  get #interrupted(): boolean {
    return this.#stopped || this.#again;
  }
}
