import type { BlobReadOptions } from "./blobs.ts";
import {
  type CallSite,
  refusal,
  requireBytes,
  requireInteger,
  requireMatch,
  requireObject,
  requireSignal,
} from "./validate.ts";

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

/** A range of bytes: the end is open where it is infinite. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Returns the options of a read in pieces. */
export function checkBlobRead(site: CallSite, options: unknown): ByteRange & { signal: AbortSignal | undefined } {
  const given = requireObject(site, "options", options, ["start", "end", "signal"]);
  return { ...requireByteRange(site, given), signal: requireSignal(site, given) };
}

/** Returns the `start` and `end` of some options. */
export function requireByteRange(site: CallSite, { start, end }: Pick<BlobReadOptions, "start" | "end">): ByteRange {
  const first = start === undefined ? 0 : requireInteger(site, "start", start, 0, Number.MAX_SAFE_INTEGER);
  if (end === undefined) return { start: first, end: Number.POSITIVE_INFINITY };
  const last = requireInteger(site, "end", end, 0, Number.MAX_SAFE_INTEGER);
  if (last < first) throw refusal(site, `end got ${last}; it takes start, which is ${first}, or more`);
  return { start: first, end: last };
}
