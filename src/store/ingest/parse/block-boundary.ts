const HTML_LINE = /(?:^|\n)[ \t>]*</;
const HTML_OVER_BLANK_LINES = /^[ \t>*+-]*(?:<(?:script|pre|style|textarea)\b|<\?|<![A-Z[]|<!--(?![^\n]*-->))/im;

/** What begins a top-level block wherever it stands in column 0 after a blank line; list items may go on with a list. */
const BLOCK_START = /[^\s<`~*+\-\d]|[*+-](?=\S)/y;
/** What begins a top-level list item wherever it stands in column 0. */
const ITEM_START = /[*+-] +\S/y;

/** Whether a line may begin an HTML block. */
export function hasHtmlBlocks(text: string): boolean {
  return HTML_LINE.test(text);
}

/** Whether an HTML block may go on behind a blank line (CommonMark 0.31.2, section 4.6, kinds 1 to 5). */
export function hasHtmlOverBlankLines(text: string): boolean {
  return HTML_OVER_BLANK_LINES.test(text);
}

/** Whether a top-level block begins here, in column 0 behind a blank line. */
export function beginsBlock(text: string, at: number): boolean {
  BLOCK_START.lastIndex = at;
  return BLOCK_START.test(text);
}

/** Whether a top-level list item begins here, in column 0. */
export function beginsItem(text: string, at: number): boolean {
  ITEM_START.lastIndex = at;
  return ITEM_START.test(text);
}
