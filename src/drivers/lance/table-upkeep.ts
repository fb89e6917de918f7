import type { StorageError } from "../../errors.ts";
import type { SearchActivity } from "../../turns.ts";
import { Setback } from "../vectors/setback.ts";
import { persistently } from "./lance-error.ts";
import { partitionsFor } from "./index-choice.ts";
import type { LiveTable } from "./live-table.ts";

/** When tables are compacted and indexed. */
export interface UpkeepPolicy {
  /** Rows above which there is an index. */
  indexAbove: number;
  /** Writes after which a table is compacted: each adds a file, which every search opens. */
  compactAfter: number;
  /** How long versions of a table are kept for whoever reads them, in milliseconds. */
  keepVersionsMs: number;
}

/** Rows that an index may lack: they are compared one by one. */
const MOST_UNINDEXED = 2000;
const UNINDEXED_SHARE = 0.1;
/** Compacting writes the whole table: a large one waits for more writes, one more for so many rows. */
const ROWS_A_WRITE = 4000;
/** Writes after which a table is compacted when somebody waits for the end of all work. */
const ENOUGH_AT_END = 8;
/** An index is made anew when it should have so many times the partitions that it has. */
const GROWN = 2;

/** Compacts tables that were written, keeps their indexes whole, and deletes versions that nobody reads, one table after the other in
 *  Lance's own threads. Writes and searches go on meanwhile. What fails is tried again, later and later. */
export class TableUpkeep {
  readonly #policy: UpkeepPolicy;
  readonly #activity: SearchActivity;
  readonly #onIndexed: (live: LiveTable, partitions: number) => Promise<void>;
  /** Tables that were written since they were looked at last. */
  readonly #written = new Set<LiveTable>();
  readonly #setback = new Setback(() => this.start());
  #running: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #finishing = 0;

  /** @param onIndexed Told how many partitions an index was made of. */
  constructor(
    policy: UpkeepPolicy,
    activity: SearchActivity,
    onIndexed: (live: LiveTable, partitions: number) => Promise<void>,
  ) {
    this.#policy = policy;
    this.#onIndexed = onIndexed;
    this.#activity = activity;
  }

  /** What keeps it from its work, `undefined` where nothing does. */
  get error(): StorageError | undefined {
    return this.#setback.error;
  }

  /** Notes a table that was written or opened. */
  note(live: LiveTable): void {
    this.#written.add(live);
    this.start();
  }

  start(): void {
    if (this.#stopped || this.#running !== undefined || this.#setback.waiting || this.#written.size === 0) return;
    this.#running = this.#run()
      .then(
        () => this.#setback.overcome(),
        (error: unknown) => this.#setback.meet(error),
      )
      .finally(() => {
        this.#running = undefined;
        this.start();
      });
  }

  /** Waits until nothing is left to do, also of what may wait while others write, and throws what kept it from that. */
  async finish(): Promise<void> {
    this.#setback.overcome();
    this.#finishing++;
    try {
      this.start();
      while (this.#running !== undefined) await this.#running;
    } finally {
      this.#finishing--;
    }
    const { error } = this;
    if (error !== undefined) throw error;
  }

  /** Ends after what Lance is at. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#setback.overcome();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (const live of this.#written) {
      await this.#activity.turn();
      if (this.#stopped) return;
      // What is written from here on is looked at the next time.
      this.#written.delete(live);
      try {
        await this.tend(live);
      } catch (error) {
        this.#written.add(live);
        throw error;
      }
    }
  }

  /** Does what is due at a table, after what is being done at others. @param whole Everything, whether it is due or not. */
  tend(live: LiveTable, whole = false): Promise<void> {
    return this.exclusively(() => this.#tend(live, whole));
  }

  /** Runs work when nothing is being done at any table; nothing is until it has settled. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #tend(live: LiveTable, whole: boolean): Promise<void> {
    if (live.closed) return;
    const { indexAbove, compactAfter } = this.#policy;
    const { indexed, unindexed } = await live.state("maintain");
    const rows = indexed + unindexed;
    const behind = indexed > 0 && unindexed > Math.max(MOST_UNINDEXED, UNINDEXED_SHARE * indexed);
    const missing = rows > indexAbove && (indexed === 0 || partitionsFor(rows) >= GROWN * live.entry.partitions);
    const usual = Math.max(compactAfter, rows / ROWS_A_WRITE);
    const enough = this.#finishing > 0 ? Math.min(usual, ENOUGH_AT_END) : usual;
    if (whole || behind || live.writes >= enough) await this.#compact(live);
    if (whole ? rows > indexAbove || indexed > 0 : missing) await this.#index(live, partitionsFor(rows));
  }

  async #index(live: LiveTable, partitions: number): Promise<void> {
    await persistently(live.place("maintain"), () => live.makeIndex(partitions));
    await live.sync();
    await this.#onIndexed(live, partitions);
  }

  async #compact(live: LiveTable): Promise<void> {
    const { writes } = live;
    // Files without a version are of writes that a crash ended, unless they are younger than any write takes.
    const options = { cleanupOlderThan: new Date(Date.now() - this.#policy.keepVersionsMs), deleteUnverified: true };
    await persistently(live.place("maintain"), () => live.table.optimize(options));
    await live.sync();
    live.writes -= writes;
  }
}
