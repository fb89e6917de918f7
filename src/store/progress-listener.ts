import { untilAborted } from "../contracts/until-aborted.ts";
import { StorageError } from "../errors.ts";

/** Tells the caller how far work is, and hears what he throws: here at once, across a thread or a worker when the answer comes. */
export class ProgressListener<Progress> {
  readonly #tell: ((progress: Progress) => unknown) | undefined;
  readonly #onThrow: (error: unknown) => void;
  /** Resolves when all calls are answered. */
  #answered: Promise<void> = Promise.resolve();
  #thrown: { error: unknown } | undefined;

  /** @param onThrow Told of what was thrown across a boundary first, when it is heard of. */
  constructor(tell: ((progress: Progress) => unknown) | undefined, onThrow: (error: unknown) => void = nothing) {
    this.#tell = tell;
    this.#onThrow = onThrow;
  }

  /** @throws what the caller throws here */
  tell(progress: Progress): void {
    const answer = this.#tell?.(progress);
    if (!(answer instanceof Promise)) return;
    const heard = answer.then(nothing, (error: unknown) => this.#hear(error));
    this.#answered = this.#answered.then(() => heard);
  }

  /** @throws what was thrown first */
  throwIfThrown(): void {
    if (this.#thrown !== undefined) throw this.#thrown.error;
  }

  /** Waits until all calls are answered, or the signal is aborted.
   *  @throws what was thrown first */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    await untilAborted(this.#answered, signal, () => new Error("not waited for")).catch(nothing);
    this.throwIfThrown();
  }

  #hear(error: unknown): void {
    // Whoever is gone has thrown nothing.
    if (error instanceof StorageError && error.capability === "rpc") return;
    if (this.#thrown !== undefined) return;
    this.#thrown = { error };
    this.#onThrow(error);
  }
}

function nothing(): void {}
