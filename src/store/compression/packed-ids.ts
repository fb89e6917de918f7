/**
 * Ids in rows. An id of 32 hex digits stands there as 16 bytes, a list of such ids as the bytes of all; a list with others in it (parts of
 * blocks), and what releases before this one wrote, as text.
 */

const HEX_ID = /^[0-9a-f]{32}$/u;
const DIGITS = 32;

/** SQL that reads a column of packed ids as text. */
export function unpackedSql(column: string): string {
  return `CASE typeof(${column}) WHEN 'blob' THEN lower(hex(${column})) ELSE ${column} END`;
}

/** What a list of ids is handed to SQL as: the digits of all, of which `packedSql` makes bytes, or JSON. */
export function joinIds(ids: readonly string[]): string {
  return ids.every((id) => HEX_ID.test(id)) ? ids.join("") : JSON.stringify(ids);
}

/** SQL that makes a column of packed ids of the text that {@link joinIds} returns. */
export function packedSql(text: string): string {
  return `coalesce(unhex(${text}), ${text})`;
}

/** The ids in a column, as {@link unpackedSql} reads it. */
export function splitIds(text: string): string[] {
  if (text.startsWith("[")) return JSON.parse(text) as string[];
  return Array.from({ length: text.length / DIGITS }, (_, at) => text.slice(DIGITS * at, DIGITS * (at + 1)));
}
