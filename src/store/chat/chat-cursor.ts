import { type CallSite, refusal } from "../../contracts/validate.ts";

/** Encodes where a page ended, as opaque text.
 *  @param list What the page is of: a cursor belongs to it. */
export function encodeChatCursor(list: string, place: number): string {
  const bytes = new TextEncoder().encode(JSON.stringify([1, list, place]));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns where the page before ended: a whole number of at least 0.
 *  @param field How messages name it.
 *  @throws StorageError INVALID_INPUT when the cursor is not one of ours or belongs to another list */
export function decodeChatCursor(site: CallSite, field: string, cursor: string, list: string): number {
  const [version, of, place] = parse(cursor);
  if (version !== 1 || typeof of !== "string" || !Number.isSafeInteger(place) || (place as number) < 0) {
    throw refusal(site, `${field} is not one that a page returned`);
  }
  if (of !== list)
    throw refusal(site, `${field} belongs to another list; what is asked for must stay the same from page to page`);
  return place as number;
}

function parse(cursor: string): unknown[] {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const values: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return Array.isArray(values) ? (values as unknown[]) : [];
  } catch {
    return [];
  }
}
