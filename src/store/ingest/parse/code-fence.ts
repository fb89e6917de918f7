/** An opening fence at the beginning of a line, behind any list and quote markers; its run of marks is captured. */
export const OPENING_FENCE: RegExp =
  /[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+){0,99}(?:>[ \t]*){0,99}(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})/y;

/** Where the content of a fence stands and where the text goes on behind it. */
export interface FenceEnd {
  bodyStart: number;
  /** Without its last line end. */
  bodyEnd: number;
  next: number;
  /** Spaces before the closing run, -1 when the fence is never closed. */
  indent: number;
}

/**
 * Finds the end of a fence whose opening run of backticks or tildes is `run`; without one it runs to the end.
 *
 * @param from Offset within the opening line.
 * @param strict Whether nothing but three spaces may stand before the closing run; else spaces and quote marks.
 */
export function closingFence(text: string, from: number, run: string, strict: boolean): FenceEnd {
  const openingEnd = text.indexOf("\n", from);
  if (openingEnd === -1) return { bodyStart: text.length, bodyEnd: text.length, next: text.length, indent: -1 };
  const bodyStart = openingEnd + 1;
  for (let at = text.indexOf(run, bodyStart); at !== -1; at = text.indexOf(run, at)) {
    let end = at + run.length;
    while (text[end] === run[0]) end++;
    while (text[end] === " " || text[end] === "\t") end++;
    const lineStart = text.lastIndexOf("\n", at) + 1;
    if ((end === text.length || text[end] === "\n") && mayClose(text.slice(lineStart, at), strict)) {
      return {
        bodyStart,
        bodyEnd: lineStart - 1,
        next: Math.min(end + 1, text.length),
        indent: indentOf(text, lineStart),
      };
    }
    at = end;
  }
  return { bodyStart, bodyEnd: text.endsWith("\n") ? text.length - 1 : text.length, next: text.length, indent: -1 };
}

function mayClose(before: string, strict: boolean): boolean {
  return strict ? /^ {0,3}$/.test(before) : /^[ \t>]*$/.test(before);
}

/**
 * Whether a line between `start` and `end` may have left the list item or quote in which a fence began, and so have
 * ended the fence: its text begins left of it.
 *
 * @param opening The opening line up to and with its run of marks.
 */
export function leavesContainer(text: string, start: number, end: number, opening: string): boolean {
  const column = Math.max(1, indentOf(opening, 0));
  for (const line of text.slice(start, end).split("\n")) {
    const content = line.search(/[^ \t>]/);
    if (content !== -1 && content < column) return true;
  }
  return false;
}

/** Returns how many spaces and tabs stand at an offset. */
export function indentOf(text: string, at: number): number {
  let end = at;
  while (text[end] === " " || text[end] === "\t") end++;
  return end - at;
}
