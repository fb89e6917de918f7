import { type StorageCapability, StorageError } from "../errors.ts";

/** Where a value was handed in: what an INVALID_INPUT error says of its place. */
export interface CallSite {
  capability: StorageCapability;
  operation: string;
  /** The value that holds the field, where it is not the only argument: `blocks[3]`. */
  within?: string;
}

/** Returns the INVALID_INPUT error for a field: its name, what it got, what it takes.
 *  @param takes Reads after "takes": `an integer from 1 to 1000`. */
export function invalidInput(site: CallSite, field: string, got: unknown, takes: string): StorageError {
  return refusal(site, `${named(site, field)} got ${describe(got)}; it takes ${takes}`);
}

/** Returns an INVALID_INPUT error with a message of its own, for what is wrong between several fields. */
export function refusal(site: CallSite, message: string): StorageError {
  return new StorageError("INVALID_INPUT", message, {
    capability: site.capability,
    operation: site.operation,
  });
}

/** Returns how messages name a field at this place: `blocks[3].ordinal`. */
export function named(site: CallSite, field: string): string {
  if (site.within === undefined) return field;
  return field === "" ? site.within : `${site.within}.${field}`;
}

/** Returns a short rendering of any value for a message; long texts are cut. */
export function describe(value: unknown): string {
  if (typeof value === "string") {
    return value.length > 60
      ? `${JSON.stringify(value.slice(0, 60))}… (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  return "an object";
}

/** Returns the value as an object of which only `keys` may be set; an unknown key is refused by name. */
export function requireObject(
  site: CallSite,
  field: string,
  value: unknown,
  keys: readonly string[],
): Record<string, unknown> {
  if (!isPlainObject(value)) throw invalidInput(site, field, value, "an object");
  for (const key in value) {
    if (keys.includes(key)) continue;
    throw refusal(site, `${named(site, field)} has an unknown field ${describe(key)}; it takes ${keys.join(", ")}`);
  }
  return value;
}

/** Whether the value is an object with named fields: no array, no typed array, no class of the platform. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Longest and shortest text, in UTF-16 units. */
export interface TextLimits {
  min?: number;
  max: number;
}

/** Half of a surrogate pair or U+0000: neither survives a round trip through every SQL engine. */
const UNSTORABLE = /[\p{Surrogate}\0]/u;

/** Returns the value as a text of `min` (1) to `max` characters, well-formed Unicode without U+0000. */
export function requireText(site: CallSite, field: string, value: unknown, limits: TextLimits): string {
  const min = limits.min ?? 1;
  if (typeof value !== "string" || value.length < min || value.length > limits.max) {
    throw invalidInput(site, field, value, `a text of ${min} to ${limits.max} characters`);
  }
  if (UNSTORABLE.test(value)) {
    throw invalidInput(site, field, value, "well-formed Unicode without U+0000");
  }
  return value;
}

/** Returns the value as a text that `pattern` matches. @param takes What the message says it takes. */
export function requireMatch(site: CallSite, field: string, value: unknown, pattern: RegExp, takes: string): string {
  if (typeof value !== "string" || !pattern.test(value)) throw invalidInput(site, field, value, takes);
  return value;
}

const ID = /^[0-9a-f]{32}$/;

/** Returns the value as an id: 32 lower-case hex digits. */
export function requireId(site: CallSite, field: string, value: unknown): string {
  return requireMatch(site, field, value, ID, "an id of 32 lower-case hex digits");
}

/** Returns the value as an id to look up: any text of 1 to 256 characters, for what is not an id is merely not found. */
export function requireLookupId(site: CallSite, field: string, value: unknown): string {
  return requireText(site, field, value, { max: 256 });
}

/** Returns the value as an integer from `min` to `max`, both included. */
export function requireInteger(site: CallSite, field: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
    throw invalidInput(site, field, value, `an integer from ${min} to ${max}`);
  }
  return value;
}

/** Returns the value as a finite number from `min` to `max`, both included. */
export function requireNumber(site: CallSite, field: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw invalidInput(site, field, value, `a number from ${min} to ${max}`);
  }
  return value;
}

/** Returns the value as `true` or `false`. */
export function requireBoolean(site: CallSite, field: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw invalidInput(site, field, value, "true or false");
  return value;
}

/** Returns the value as one of the texts in `choices`. */
export function requireOneOf<Choice extends string>(
  site: CallSite,
  field: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw invalidInput(site, field, value, `one of ${choices.map((choice) => describe(choice)).join(", ")}`);
  }
  return found;
}

/** Returns the value as a list of `min` to `max` entries, which are not looked at. */
export function requireList(
  site: CallSite,
  field: string,
  value: unknown,
  min: number,
  max: number,
): readonly unknown[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    throw invalidInput(site, field, value, `a list of ${min} to ${max}`);
  }
  return value as readonly unknown[];
}

/** Returns the value as bytes, at most `maxBytes` of them. */
export function requireBytes(site: CallSite, field: string, value: unknown, maxBytes: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.byteLength > maxBytes) {
    throw invalidInput(site, field, value, `a Uint8Array of at most ${maxBytes} bytes`);
  }
  return value;
}

/** Returns the signal of a call's options.
 *  @param options What the caller passed last: an object, or nothing. */
export function requireSignal(site: CallSite, options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (!isPlainObject(options)) throw invalidInput(site, "options", options, "an object");
  const { signal } = options;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalidInput(site, "signal", signal, "an AbortSignal");
}
