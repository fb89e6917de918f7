import type { ArchiveProgress } from "../../contracts/archive.ts";

const INTERVAL_MS = 100;

/** Tells how far an export or an import is, at most ten times a second, and when a phase begins and ends. */
export class ArchiveProgressTeller {
  readonly #tell: ((progress: ArchiveProgress) => void) | undefined;
  readonly #start: number = performance.now();
  #last = Number.NEGATIVE_INFINITY;
  #phase: ArchiveProgress["phase"] | undefined;

  constructor(tell: ((progress: ArchiveProgress) => void) | undefined) {
    this.#tell = tell;
  }

  get elapsedMs(): number {
    return performance.now() - this.#start;
  }

  at(phase: ArchiveProgress["phase"], done: number, total: number | null): void {
    if (this.#tell === undefined) return;
    const now = performance.now();
    if (now - this.#last < INTERVAL_MS && done !== total && phase === this.#phase) return;
    this.#last = now;
    this.#phase = phase;
    this.#tell({ phase, done, total, elapsedMs: this.elapsedMs });
  }
}
