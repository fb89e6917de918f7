/** Longest stretch of work between two turns of the event loop. */
const TURN_MS = 16;

/** Lets the event loop take other work in: messages, timers, aborts. */
export class TurnTaker {
  #last = performance.now();

  /** Waits one turn when the last one is long enough ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return;
    await nextTurn();
    this.#last = performance.now();
  }
}

/** A message to oneself: unlike a timer it is not clamped to four milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
