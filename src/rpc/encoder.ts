import type { WireHole, WireReference } from "./protocol.ts";
import { anyTransfers, forgetTransfers, transfersOf } from "./transfer.ts";
import { kindOf, type ObjectKind } from "./value-kind.ts";

/** What an encoder cannot copy. */
export type ReferenceKind = "function" | Exclude<ObjectKind, "plain" | "native">;

/** Makes the reference that travels in place of `value`; `owner` is the object that holds a function. */
export type MakeReference = (value: object, kind: ReferenceKind, owner: object | undefined) => WireReference;

/** Plain containers seen before the scan starts to remember them, which ends cycles and repeated branches. */
const SCAN_FREELY = 64;

/** Deepest nesting of lists and objects in a message: far above what a store takes, and far below what a stack holds. */
const MAX_LEVELS = 1000;

/** A value has more levels than a message may have. */
export class TooDeepError extends RangeError {
  /** Which of the values that were to be encoded: the first key of its place. */
  readonly at: string | number | undefined;

  constructor(at: string | number | undefined) {
    super(`it has more than ${MAX_LEVELS} levels of lists and objects`);
    this.at = at;
  }
}

/**
 * Turns values into what can be posted: plain data as it is, with holes where functions, signals, streams,
 * errors and objects with methods stood. One encoder makes one message.
 *
 * A value without any of these is not copied, only looked at: a `typeof` per value, once.
 */
export class Encoder {
  /** The places of all references, absent in a message of plain data. */
  holes: WireHole[] | undefined;
  readonly transfer: Transferable[] = [];
  /** Characters and buffer bytes seen: a rough size of the message. */
  weight = 0;
  readonly #makeReference: MakeReference;
  readonly #marked: object[] = [];
  #containers = 0;
  #at: string | number | undefined;
  #seen: Set<object> | undefined;
  #copies: Map<object, object> | undefined;
  #references: Map<object, WireReference> | undefined;

  constructor(makeReference: MakeReference) {
    this.#makeReference = makeReference;
  }

  /** Encodes one value that will stand at `at` in the message.
   *  @throws TooDeepError */
  encode(value: unknown, at: readonly (string | number)[]): unknown {
    this.#at = at[0];
    return this.#isPlain(value, 0) ? value : this.#copy(value, [...at], undefined);
  }

  /** To be called when the message was posted: transfer marks are used up. */
  sent(): void {
    for (const value of this.#marked) forgetTransfers(value);
  }

  #isPlain(value: unknown, level: number): boolean {
    if (typeof value === "string") this.weight += value.length;
    else if (typeof value === "function") return false;
    else if (typeof value === "object" && value !== null) return this.#isPlainObject(value, level);
    return true;
  }

  #isPlainObject(value: object, level: number): boolean {
    const kind = kindOf(value);
    if (kind !== "plain" && kind !== "native") return false;
    if (anyTransfers()) this.#takeTransfers(value);
    if (kind === "native") {
      this.#weigh(value);
      return true;
    }
    if (level === MAX_LEVELS) throw new TooDeepError(this.#at);
    if (++this.#containers > SCAN_FREELY) {
      this.#seen ??= new Set();
      if (this.#seen.has(value)) return true;
      this.#seen.add(value);
    }
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) if (!this.#isPlain(value[i], level + 1)) return false;
    } else {
      for (const key in value) {
        if (!this.#isPlain((value as Record<string, unknown>)[key], level + 1)) return false;
      }
    }
    return true;
  }

  #weigh(value: object): void {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) this.weight += value.byteLength;
  }

  #takeTransfers(value: object): void {
    const transferables = transfersOf(value);
    if (transferables === undefined || this.#marked.includes(value)) return;
    this.#marked.push(value);
    for (const each of transferables) if (!this.transfer.includes(each)) this.transfer.push(each);
  }

  /** Copies containers on the way to a reference; shared and circular ones stay so. */
  #copy(value: unknown, at: (string | number)[], owner: object | undefined): unknown {
    if (typeof value === "function") return this.#refer(value, "function", at, owner);
    if (typeof value !== "object" || value === null) return value;
    const kind = kindOf(value);
    if (kind !== "plain" && kind !== "native") return this.#refer(value, kind, at, owner);
    if (anyTransfers()) this.#takeTransfers(value);
    if (kind === "native") return value;
    if (at.length > MAX_LEVELS) throw new TooDeepError(this.#at);
    this.#copies ??= new Map();
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const copy: object = Array.isArray(value) ? new Array(value.length) : {};
    this.#copies.set(value, copy);
    for (const key of Object.keys(value)) {
      at.push(key);
      const item = this.#copy((value as Record<string, unknown>)[key], at, value);
      at.pop();
      if (key === "__proto__") {
        Object.defineProperty(copy, key, {
          value: item,
          configurable: true,
          enumerable: true,
          writable: true,
        });
      } else (copy as Record<string, unknown>)[key] = item;
    }
    return copy;
  }

  #refer(value: object, kind: ReferenceKind, at: readonly (string | number)[], owner: object | undefined): undefined {
    this.#references ??= new Map();
    let reference = this.#references.get(value);
    if (reference === undefined) {
      reference = this.#makeReference(value, kind, owner);
      this.#references.set(value, reference);
    }
    (this.holes ??= []).push({ at: [...at], reference });
    return undefined;
  }
}
