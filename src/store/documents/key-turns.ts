/** Runs what concerns one key one after the other, and what concerns different keys beside each other. */
export class KeyTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const run = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = run.then(nothing, nothing);
    this.#last.set(key, over);
    try {
      return await run;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}

function nothing(): void {}
