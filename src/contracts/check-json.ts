import { type CallSite, invalidInput, isPlainObject } from "./validate.ts";

/** Deepest nesting of lists and objects. */
const MAX_DEPTH = 64;

/** Returns the JSON text of an object that holds JSON values only, so that it reads back as it was put.
 *  @param maxBytes Longest text, in UTF-8 bytes. */
export function requireJsonObject(site: CallSite, field: string, value: unknown, maxBytes: number): string {
  if (!isPlainObject(value)) throw invalidInput(site, field, value, "an object of JSON values");
  checkJsonValue(site, field, value, 0);
  const text = JSON.stringify(value);
  const bytes = text.length > maxBytes ? text.length : new TextEncoder().encode(text).byteLength;
  if (bytes > maxBytes)
    throw invalidInput(site, field, value, `an object of at most ${maxBytes} bytes as JSON, this one is ${bytes}`);
  return text;
}

function checkJsonValue(site: CallSite, field: string, value: unknown, depth: number): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  const nested = Array.isArray(value) || isPlainObject(value);
  if (nested && depth >= MAX_DEPTH)
    throw invalidInput(site, field, value, `at most ${MAX_DEPTH} levels of lists and objects`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJsonValue(site, `${field}[${i}]`, value[i] as unknown, depth + 1);
  } else if (isPlainObject(value)) {
    for (const [key, member] of Object.entries(value)) checkJsonValue(site, `${field}.${key}`, member, depth + 1);
  } else {
    throw invalidInput(
      site,
      field,
      value,
      "a JSON value: null, true, false, a finite number, a text, a list or an object",
    );
  }
}

/** Returns the same text for JSON values that differ only in the order of their keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isPlainObject(member)
      ? Object.fromEntries(
          Object.keys(member)
            .sort()
            .map((key) => [key, member[key]]),
        )
      : member,
  );
}
