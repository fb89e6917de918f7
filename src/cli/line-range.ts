/** Lines of a text, from 1, both ends included. */
export interface LineRange {
  start: number;
  /** `Infinity`: to the end. */
  end: number;
}

/** Reads `12-18`, `12` or `12-`; `undefined` when it is none of them. */
export function parseLineRange(text: string): LineRange | undefined {
  const match = /^(\d{1,10})(-(\d{1,10})?)?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === undefined ? start : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
  return start >= 1 && end >= start ? { start, end } : undefined;
}

/** Returns the lines of a text as citations count them: over `\n`, `\r\n` and `\r`. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
