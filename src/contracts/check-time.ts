import { type CallSite, invalidInput } from "./validate.ts";

const TAKES = 'milliseconds since 1970 or an ISO 8601 text like "2026-01-31" or "2026-01-31T09:30:00Z"';
const ISO = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;
/** The farthest time a Date can hold. */
const MAX_MILLIS = 8.64e15;

/** Returns a time as milliseconds since 1970. A text without an offset is read as UTC, wherever the program runs. */
export function requireMillis(site: CallSite, field: string, value: unknown): number {
  const millis = typeof value === "string" ? parseIso(value) : value;
  if (typeof millis !== "number" || !(Math.abs(millis) <= MAX_MILLIS)) throw invalidInput(site, field, value, TAKES);
  return millis;
}

function parseIso(text: string): number {
  const match = ISO.exec(text);
  const [, date, time = "00:00", offset = "Z"] = match ?? [];
  if (date === undefined) return Number.NaN;
  // Some engines roll 30 February over into March; no such day is meant.
  const day = Date.parse(`${date}T00:00Z`);
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return Number.NaN;
  return Date.parse(`${date}T${time}${offset}`);
}
