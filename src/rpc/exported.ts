import { toWireError } from "./error-wire.ts";
import type { ReferenceMessage } from "./protocol.ts";
import type { Reference } from "./reference-table.ts";

/** A function or object that the other side may call. */
export class ExportedObject implements Reference {
  readonly object: object;
  /** `this` of a function: the object that held it. */
  readonly owner: object | undefined;

  constructor(object: object, owner: object | undefined) {
    this.object = object;
    this.owner = owner;
  }

  end(): void {}
}

/** A signal whose abort is told to the other side. */
export class ExportedSignal implements Reference {
  readonly #signal: AbortSignal;
  readonly #tell: () => void;

  constructor(id: number, signal: AbortSignal, post: (message: ReferenceMessage) => void) {
    this.#signal = signal;
    this.#tell = () => post({ lode: "abort", id, reason: toWireError(signal.reason) });
    signal.addEventListener("abort", this.#tell, { once: true });
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#tell);
  }
}

/** The mirror of a signal of the other side. Losing the connection aborts it. */
export class ImportedSignal implements Reference {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  end(lost?: Error): void {
    if (lost !== undefined) this.#controller.abort(lost);
  }
}
