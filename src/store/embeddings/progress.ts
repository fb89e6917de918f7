import type { EmbeddingProgress } from "../../contracts/embeddings.ts";

/** Shortest time between two calls. */
const INTERVAL_MS = 100;
/** Chunks that must be embedded before time left is guessed. */
const ENOUGH = 16;

/** How far a run is. */
export class RunProgress {
  readonly #tell: (progress: EmbeddingProgress) => void;
  readonly #started = performance.now();
  #last = -Infinity;
  #done = 0;
  #total = 0;
  embedded = 0;
  failed = 0;

  /** @param tell Called at most ten times a second, and at the end. */
  constructor(tell: (progress: EmbeddingProgress) => void) {
    this.#tell = tell;
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  /** Takes in fresh counts of the store. */
  counted(committed: number, chunks: number): void {
    this.#done = committed;
    this.#total = chunks;
  }

  stored(count: number): void {
    this.embedded += count;
    this.#done += count;
    this.tell(false);
  }

  tell(atOnce: boolean): void {
    const time = performance.now();
    if (!atOnce && time - this.#last < INTERVAL_MS) return;
    this.#last = time;
    this.#tell(this.now());
  }

  now(): EmbeddingProgress {
    const { embedded, failed, elapsedMs } = this;
    const total = Math.max(this.#total, this.#done);
    const left = Math.max(0, total - this.#done - failed);
    const leftMs = embedded < ENOUGH ? null : (elapsedMs / embedded) * left;
    return { done: this.#done, total, embedded, failed, elapsedMs, leftMs };
  }
}
