import { type CallSite, invalidInput, requireText } from "./validate.ts";

/** Longest workspace path, in UTF-16 units. */
export const MAX_PATH_LENGTH = 1024;

const TAKES = `a relative path with "/" between its parts, no empty, "." or ".." part, at most ${MAX_PATH_LENGTH} characters, in Unicode NFC`;
/** A part that no path has: the last may go on. */
const BAD_BEGINNING = /(?:^|\/)\.{0,2}\//;
const BAD_PART = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Returns the value as the beginning of workspace paths; the empty text is the beginning of all. */
export function requirePathPrefix(site: CallSite, field: string, value: unknown): string {
  const prefix = requireText(site, field, value, { min: 0, max: MAX_PATH_LENGTH });
  const takes = `the beginning of workspace paths: ${TAKES}`;
  if (BAD_BEGINNING.test(prefix) || prefix !== prefix.normalize("NFC")) throw invalidInput(site, field, value, takes);
  return prefix;
}

/** Returns the value as a workspace path, which it must be to the letter: nothing is normalised.
 *  Spaces, backslashes and any other character of a file name stay what they are. */
export function requireWorkspacePath(site: CallSite, field: string, value: unknown): string {
  const path = requireText(site, field, value, { max: MAX_PATH_LENGTH });
  if (BAD_PART.test(path) || path !== path.normalize("NFC")) throw invalidInput(site, field, value, TAKES);
  return path;
}
