/** Lets others have their turn: messages, timers, aborts, and searches between the steps of what is long. A message to oneself:
 *  unlike a timer it is not clamped to four milliseconds. */
export function nextTurn(): Promise<void> {
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
/** How long after a search another one is likely, in milliseconds. */
const RECENT_MS = 1000;

/** Knows whether somebody is searching: then long work goes in small steps, and else in larger ones, which take less time in all. */
export class SearchActivity {
  #last = Number.NEGATIVE_INFINITY;

  /** Notes a search. */
  note(): void {
    this.#last = performance.now();
  }

  /** Whether there was a search a moment ago. */
  get recent(): boolean {
    return performance.now() - this.#last < RECENT_MS;
  }
}
