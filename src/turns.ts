/** What browsers offer beside messages. @see https://wicg.github.io/scheduling-apis/ */
interface TaskScheduler {
  postTask(task: () => void, options: { priority: "background" }): Promise<void>;
}

/** Lets others have their turn: messages, timers, aborts, and searches between the steps of what is long. Where tasks have priorities
 *  this one comes after all that waits, so that a search goes before whatever else is long, too; elsewhere it is a message to oneself,
 *  which unlike a timer is not clamped to four milliseconds. */
export function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: TaskScheduler };
  if (scheduler !== undefined) return scheduler.postTask(() => undefined, { priority: "background" });
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(null);
  });
}

/** Longest stretch of work between two turns of the event loop that nobody notices, in milliseconds. */
const TURN_MS = 16;

/** Gives turns away from time to time. */
export class TurnTaker {
  readonly #everyMs: number;
  #last = performance.now();

  /** @param everyMs Longest stretch between two turns, in milliseconds; 16 by default. */
  constructor(everyMs: number = TURN_MS) {
    this.#everyMs = everyMs;
  }

  /** Waits one turn when the last one is long enough ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#last < this.#everyMs) return;
    await nextTurn();
    this.#last = performance.now();
  }
}
/** How long after a search another one is likely, in milliseconds, */
const RECENT_MS = 1000;
/** how long one is awaited that follows at once, */
const GAP_MS = 4;
/** and so often at most: who searches without a pause keeps nothing from its end. */
const MOST_GAPS = 5;

/** Knows whether somebody is searching: then long work goes in small steps, and else in larger ones, which take less time in all. */
export class SearchActivity {
  #last = Number.NEGATIVE_INFINITY;

  /** Notes that a search begins, or has ended. */
  note(): void {
    this.#last = performance.now();
  }

  /** Whether there was a search a moment ago. */
  get recent(): boolean {
    return performance.now() - this.#last < RECENT_MS;
  }

  /** Waits for a turn after the searches: one that follows at once on another would find the thread taken by what can wait. */
  async turn(): Promise<void> {
    await nextTurn();
    for (let gaps = 0; gaps < MOST_GAPS && performance.now() - this.#last < GAP_MS; gaps++) {
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  }
}
