import { StorageError } from "../../errors.ts";

interface Waiting {
  start(): void;
  refuse(error: unknown): void;
}

/** Runs jobs in the order they come: at once and synchronously, unless a holder or an earlier job is in the way. */
export class TurnQueue {
  readonly #busyTimeoutMs: number;
  readonly #waiting: Waiting[] = [];
  readonly #idleListeners: (() => void)[] = [];
  /** Nested holds: a job that waited for a lock may itself hold. */
  #holds = 0;

  /** @param busyTimeoutMs A job that throws TIMEOUT (another connection has the lock) is tried again this long. */
  constructor(busyTimeoutMs: number) {
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  take<T>(job: () => T | Promise<T>): Promise<T> {
    if (this.#holds === 0 && this.#waiting.length === 0) return this.#start(job);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ start: () => resolve(this.#start(job)), refuse: reject });
    });
  }

  /** Keeps everybody else waiting until `work` has settled. Called by a job during its turn. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#holds++;
    try {
      return await work();
    } finally {
      this.#holds--;
      this.#advance();
    }
  }

  /** Rejects what waits. */
  refuse(reason: () => unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.refuse(reason());
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    if (this.#holds === 0 && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  #start<T>(job: () => T | Promise<T>): Promise<T> {
    try {
      return Promise.resolve(job());
    } catch (error) {
      if (this.#busyTimeoutMs > 0 && isBusy(error)) return this.hold(() => this.#startLater(job));
      const failure = error as Error;
      return Promise.reject(failure);
    }
  }

  /** The lock is waited for without blocking the thread: its holder may live on it. */
  async #startLater<T>(job: () => T | Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#busyTimeoutMs;
    for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 50)) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      let running: T | Promise<T>;
      try {
        running = job();
      } catch (error) {
        if (!isBusy(error) || Date.now() >= deadline) throw error;
        continue;
      }
      return await running;
    }
  }

  #advance(): void {
    while (this.#holds === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next.start();
    }
    if (this.#holds > 0) return;
    for (const listener of this.#idleListeners.splice(0)) listener();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof StorageError && error.code === "TIMEOUT" && error.capability === "sql";
}
