import { type CallSite, requireBytes, requireMatch } from "./validate.ts";

/** Longest blob key, in characters. */
export const MAX_BLOB_KEY_LENGTH = 512;

const SEGMENT = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]+";
const KEY = new RegExp(`^(?!.{${MAX_BLOB_KEY_LENGTH + 1}})${SEGMENT}(?:/${SEGMENT})*$`);
const KEY_TAKES = `a key of 1 to ${MAX_BLOB_KEY_LENGTH} characters A–Z a–z 0–9 . _ - /, with no empty, "." or ".." segment`;
const PREFIX = /^[A-Za-z0-9._/-]{0,512}$/;

/** Returns the value as the key of a blob. */
export function requireBlobKey(site: CallSite, value: unknown): string {
  return requireMatch(site, "key", value, KEY, KEY_TAKES);
}

/** Returns the value as the beginning of blob keys; the empty text is the beginning of all. */
export function requireBlobPrefix(site: CallSite, value: unknown): string {
  return requireMatch(site, "prefix", value, PREFIX, `at most ${MAX_BLOB_KEY_LENGTH} characters A–Z a–z 0–9 . _ - /`);
}

/** Returns the value as the bytes of a blob. */
export function requireBlobBytes(site: CallSite, value: unknown, maxBytes: number): Uint8Array {
  return requireBytes(site, "bytes", value, maxBytes);
}
