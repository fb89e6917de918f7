import { type CallSite, invalidInput, requireText } from "./validate.ts";

/** Longest workspace path, in UTF-16 units. */
export const MAX_PATH_LENGTH = 1024;

const TAKES = `a relative path with "/" between its parts, no empty, "." or ".." part, at most ${MAX_PATH_LENGTH} characters, in Unicode NFC`;
const BAD_PART = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Returns the value as a workspace path, which it must be to the letter: nothing is normalised.
 *  Spaces, backslashes and any other character of a file name stay what they are. */
export function requireWorkspacePath(site: CallSite, field: string, value: unknown): string {
  const path = requireText(site, field, value, { max: MAX_PATH_LENGTH });
  if (BAD_PART.test(path) || path !== path.normalize("NFC")) throw invalidInput(site, field, value, TAKES);
  return path;
}
