import type { Change, SubscribeOptions } from "../../contracts/changes.ts";
import { checkSubscribeOptions } from "../../contracts/check-changes.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { ChangeSubscription } from "./change-subscription.ts";
import { changesAfter, newestChange } from "./change-rows.ts";

/** Changes that are read together. */
const PAGE = 256;
/** How often the log is looked at where another connection writes it. */
const POLL_MS = 250;

const SITE = { capability: "store", operation: "subscribe" } as const;

/** Hands out what was committed, from the log that the triggers keep. Nothing is kept for a subscriber but its place in the log, so that a
 *  slow one costs nothing; those who stand at the same place share one reading. */
export class ChangeFeed {
  readonly #db: SqlDatabase;
  readonly #open = new Set<ChangeSubscription>();
  readonly #waiting = new Set<() => void>();
  readonly #unhook: (() => void) | undefined;
  /** Commits so far: whoever read before the last reads again. */
  #commits = 0;
  #woken = false;
  #shared: { after: number; commits: number; page: Promise<Change[]> } | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;

  /** @param isWrittenHere Whether every commit is one of `db` itself. */
  constructor(db: SqlDatabase, isWrittenHere: boolean) {
    this.#db = db;
    this.#unhook = isWrittenHere ? db.onCommit?.(() => this.#committed()) : undefined;
  }

  /** See `Store.subscribe`. */
  subscribe(options: SubscribeOptions): AsyncIterableIterator<Change> {
    const { topics, since, signal } = checkSubscribeOptions(SITE, options);
    const subscription: ChangeSubscription = new ChangeSubscription(
      {
        read: (after) => this.#read(after),
        committed: (count, stop) => this.#committedSince(count, stop),
        commits: () => this.#commits,
        over: () => this.#open.delete(subscription),
      },
      topics,
      since === undefined ? this.newest() : Promise.resolve(since),
    );
    this.#open.add(subscription);
    if (signal !== undefined) subscription.endWith(signal);
    return subscription;
  }

  /** See `Store.changeSequence`. */
  newest(): Promise<number> {
    return newestChange(this.#db);
  }

  /** Subscriptions that are open: those that were left are none. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends every subscription. */
  close(): void {
    this.#unhook?.();
    for (const subscription of this.#open) void subscription.return();
  }

  #read(after: number): Promise<Change[]> {
    const shared = this.#shared;
    if (shared?.after === after && shared.commits === this.#commits) return shared.page;
    const page = changesAfter(this.#db, after, PAGE);
    this.#shared = { after, commits: this.#commits, page };
    page.catch(() => {
      // Read anew by whoever comes next.
      if (this.#shared?.page === page) this.#shared = undefined;
    });
    return page;
  }

  /** Resolves when something was committed since the count was `since`, or when `stop` aborts. */
  async #committedSince(since: number, stop: AbortSignal): Promise<void> {
    if (this.#commits !== since || stop.aborted) return;
    if (this.#unhook === undefined) this.#poll ??= setInterval(() => this.#committed(), POLL_MS);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        stop.removeEventListener("abort", wake);
        if (this.#waiting.size === 0) this.#stopPolling();
        resolve();
      };
      this.#waiting.add(wake);
      stop.addEventListener("abort", wake);
    });
  }

  /** Many commits of one turn wake once. Called within a commit, which nobody may read before the end of. */
  #committed(): void {
    this.#commits++;
    if (this.#woken || this.#waiting.size === 0) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      for (const wake of this.#waiting) wake();
    });
  }

  #stopPolling(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }
}
