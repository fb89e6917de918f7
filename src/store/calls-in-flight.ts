import { anySignal } from "../contracts/any-signal.ts";
import { StorageError } from "../errors.ts";
import { RunningWork } from "./running-work.ts";

/** The calls of a store that may be under way when it closes: none begins after that, and those that write are waited for. */
export class CallsInFlight {
  readonly #closing = new AbortController();
  readonly #running = new RunningWork();

  /** Aborted with CLOSED when the store begins to close. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws StorageError CLOSED */
  requireOpen(operation: string): void {
    if (this.#closing.signal.aborted) {
      throw new StorageError("CLOSED", "the store is closed", { capability: "store", operation });
    }
  }

  /** Returns what ends work when the caller gives it up, or the store closes. */
  untilClosed(asked: AbortSignal | undefined): AbortSignal {
    return anySignal(asked, this.#closing.signal);
  }

  /** Lets `idle` wait for work. */
  track<T>(work: Promise<T>): Promise<T> {
    return this.#running.track(work);
  }

  /** Lets no call begin any more, and ends what listens to `closing`. */
  beginClosing(): void {
    this.#closing.abort(
      new StorageError("CLOSED", "the store was closed", { capability: "store", operation: "close" }),
    );
  }

  /** Resolves when what is tracked has come to its end. */
  idle(): Promise<void> {
    return this.#running.idle();
  }
}
