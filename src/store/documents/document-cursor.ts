import { refusal, type CallSite } from "../../contracts/validate.ts";
import { hash32 } from "../ids.ts";
import type { CompiledFilter } from "../document-filter.ts";

/** Returns a name for the filter that equal filters share. */
export function filterFingerprint(filter: CompiledFilter): string {
  return hash32(JSON.stringify([filter.sql, filter.params]));
}

/** Encodes where a page ended: base64url of a JSON list of version, filter and last path. */
export function encodeDocumentCursor(fingerprint: string, lastPath: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(JSON.stringify([1, fingerprint, lastPath]))) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns the last path of the page before.
 *  @throws StorageError INVALID_INPUT when the cursor is not one of ours or belongs to another filter */
export function decodeDocumentCursor(site: CallSite, cursor: string, fingerprint: string): string {
  const [version, filter, lastPath] = parse(cursor);
  if (version !== 1 || typeof filter !== "string" || typeof lastPath !== "string") {
    throw refusal(site, "page.cursor is not one that a page of documents returned");
  }
  if (filter !== fingerprint)
    throw refusal(site, "page.cursor belongs to another filter; the filter must stay the same from page to page");
  return lastPath;
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
