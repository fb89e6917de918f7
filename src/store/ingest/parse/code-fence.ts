/** An opening fence at the beginning of a line, behind any list and quote markers; its run of marks is captured. */
export const OPENING_FENCE: RegExp =
  /[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+){0,99}(?:>[ \t]*){0,99}(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})/y;

/**
 * Finds the end of a fence whose opening run of backticks or tildes is `run`; without one it runs to the end.
 *
 * @param indent Regular expression of what may stand before the closing run.
 */
export function closingFence(
  text: string,
  from: number,
  run: string,
  indent: string,
): { bodyStart: number; bodyEnd: number; next: number; indent: number } {
  const openingEnd = text.indexOf("\n", from);
  if (openingEnd === -1) return { bodyStart: text.length, bodyEnd: text.length, next: text.length, indent: -1 };
  const bodyStart = openingEnd + 1;
  const closing = new RegExp(`^${indent}${run[0]!}{${run.length},}[ \\t]*$`, "gm");
  closing.lastIndex = bodyStart;
  const match = closing.exec(text);
  if (match === null)
    return { bodyStart, bodyEnd: text.endsWith("\n") ? text.length - 1 : text.length, next: text.length, indent: -1 };
  const next = match.index + match[0].length + 1;
  return {
    bodyStart,
    bodyEnd: match.index - 1,
    next: Math.min(next, text.length),
    indent: indentOf(text, match.index),
  };
}

/** Whether a line begins left of a column: then a fence that began there may have ended with its list item. */
export function isLeftOf(text: string, start: number, end: number, column: number): boolean {
  const line = new RegExp(`(?:^|\\n)(?![ \\t>]{${Math.max(1, column)}})[ \\t]*[^ \\t\\n]`, "g");
  return line.test(text.slice(start, end));
}

/** Returns how many spaces and tabs stand at an offset. */
export function indentOf(text: string, at: number): number {
  let end = at;
  while (text[end] === " " || text[end] === "\t") end++;
  return end - at;
}
