import type { StorageError } from "../errors.ts";
import { formatError } from "./format-error.ts";

/** Whose fields are checked: what was read from a file (BAD_FORMAT), or what is to be written (INVALID_INPUT). */
export interface EnvelopeSite {
  code: "BAD_FORMAT" | "INVALID_INPUT";
  operation: string;
}

/** Half of a surrogate pair: text that UTF-8, and so canonical JSON, cannot hold. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Returns the error for a field: its name, what it got, what it takes. */
export function fieldError(site: EnvelopeSite, field: string, got: unknown, takes: string): StorageError {
  return formatError(site.code, site.operation, `${field} got ${shown(got)}; it takes ${takes}`);
}

/** Returns the value as a well-formed text of 1 to `max` UTF-16 units. */
export function textField(site: EnvelopeSite, field: string, value: unknown, max: number): string {
  if (typeof value === "string" && value.length > 0 && value.length <= max && !LONE_SURROGATE.test(value)) return value;
  throw fieldError(site, field, value, `a well-formed text of 1 to ${max} characters`);
}

/** Returns the value as a safe integer from `min` to `max`. */
export function integerField(site: EnvelopeSite, field: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value === 0 ? 0 : value;
  }
  throw fieldError(site, field, value, `an integer from ${min} to ${max}`);
}

/** Returns the value as one of `choices`. */
export function oneOfField<Choice extends string>(
  site: EnvelopeSite,
  field: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw fieldError(site, field, value, choices.map((choice) => JSON.stringify(choice)).join(", "));
}

/** Returns the value as an object that has no fields but `fields`; whether they are there is not looked at. */
export function objectField(
  site: EnvelopeSite,
  field: string,
  value: unknown,
  fields: readonly string[],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fieldError(site, field, value, "an object");
  }
  const unknown = Object.keys(value).find((key) => !fields.includes(key));
  if (unknown === undefined) return value as Record<string, unknown>;
  const message = `${field} has an unknown field ${shown(unknown)}; it takes ${fields.join(", ")}`;
  throw formatError(site.code, site.operation, message);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value !== "string") return typeof value === "object" ? "an object" : `a ${typeof value}`;
  return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value);
}
