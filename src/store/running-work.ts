/** Work that is under way, for which closing waits. */
export class RunningWork {
  readonly #running = new Set<Promise<unknown>>();

  /** Lets `idle` wait for work. */
  async track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(nothing, nothing);
    this.#running.add(settled);
    try {
      return await work;
    } finally {
      this.#running.delete(settled);
    }
  }

  /** Resolves when what is tracked has come to its end. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** How the work ends is told to whoever asked for it. */
function nothing(): void {}
