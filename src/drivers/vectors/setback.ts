import { StorageError } from "../../errors.ts";

/** Pause after the first failure, and the longest after many, in milliseconds. */
const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** What keeps work from being done, and when it is tried again: after half a second, then twice as long each time, up to a minute. */
export class Setback {
  readonly #retry: () => void;
  #error: StorageError | undefined;
  #pauseMs = FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(retry: () => void) {
    this.#retry = retry;
  }

  /** The last failure, until the work is done. */
  get error(): StorageError | undefined {
    return this.#error;
  }

  /** Whether the work rests until it is tried again. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Notes a failure. */
  meet(error: unknown): void {
    this.#error = asStorageError(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retry();
    }, this.#pauseMs);
    // A process on Node need not stay alive for it.
    (this.#timer as { unref?: () => void }).unref?.();
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_MS);
  }

  /** Notes that the work was done, or is to be tried at once. */
  overcome(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#error = undefined;
    this.#pauseMs = FIRST_MS;
  }
}

function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const message = error instanceof Error ? error.message : "the work on the vector indexes failed";
  return new StorageError("DRIVER", message, { capability: "vectors", operation: "maintain", cause: error });
}
