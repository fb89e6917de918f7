/**
 * Where the parts of MDX end that are not Markdown: JSX tags, `{expressions}` and `import`/`export`.
 *
 * Every function takes the offset at which a part begins and returns the offset behind it, or -1 when it is not one
 * (never closed, or longer than {@link LONGEST_PART}). None of them looks inside: that is a compiler's work.
 *
 * @see https://mdxjs.com/docs/what-is-mdx/
 */

/** Characters after which a tag or expression is taken for text that was never closed. */
export const LONGEST_PART = 32_768;

const TAG_START = /<\/?(?:[A-Za-z$_][\w$:.-]*|(?=\s*>))/y;

/** Returns the end of the JSX tag at `start` (`<a b="c" d={e}>`, `</a>`, `<a/>`, `<>`).
 *  @param endOfExpression Finds where an expression of the tag ends, as {@link expressionEnd} does. */
export function jsxTagEnd(text: string, start: number, endOfExpression: (start: number) => number): number {
  TAG_START.lastIndex = start;
  if (!TAG_START.test(text)) return -1;
  const limit = Math.min(text.length, start + LONGEST_PART);
  let at = TAG_START.lastIndex;
  const next = text.charCodeAt(at);
  // `<b` is a tag when its name ends here: at a space, `/`, `>` or the end of the line.
  if (!(next <= 32 || next === 47 || next === 62)) return -1;
  while (at < limit) {
    const code = text.charCodeAt(at);
    if (code === 62) return at + 1;
    if (code === 60) return -1;
    if (code === 34 || code === 39) {
      const close = text.indexOf(code === 34 ? '"' : "'", at + 1);
      if (close === -1 || close >= limit) return -1;
      at = close + 1;
    } else if (code === 123) {
      const close = endOfExpression(at);
      if (close === -1) return -1;
      at = close;
    } else {
      at++;
    }
  }
  return -1;
}

const EXPRESSION_PART = /["'`{}]|\/\/|\/\*/g;

/** Returns the end of the expression whose `{` stands at `start`; braces in strings and comments do not count. */
export function expressionEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + LONGEST_PART);
  let depth = 0;
  EXPRESSION_PART.lastIndex = start;
  for (;;) {
    const match = EXPRESSION_PART.exec(text);
    if (match === null || match.index >= limit) return -1;
    const part = match[0];
    if (part === "{") depth++;
    else if (part === "}") {
      if (--depth === 0) return match.index + 1;
    } else {
      EXPRESSION_PART.lastIndex = quietEnd(text, match.index, part, limit);
    }
  }
}

/**
 * Returns the end of the string or comment at `start`; just behind its first character when it is none (`don't`), and
 * `limit` when it can hold line ends and never closes.
 */
function quietEnd(text: string, start: number, opener: string, limit: number): number {
  if (opener === "//") {
    // `https://…` within a string was skipped with it; a comment runs to the end of its line.
    const end = text.indexOf("\n", start);
    return end === -1 ? limit : end;
  }
  if (opener === "/*") {
    const end = text.indexOf("*/", start + 2);
    return end === -1 || end >= limit ? limit : end + 2;
  }
  for (let at = start + 1; at < limit; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === opener) return at + 1;
    else if (char === "\n" && opener !== "`") break;
  }
  return opener === "`" ? limit : start + 1;
}

const IMPORT = /import\s(?:[\w$*{},\s]{0,4000}?\sfrom\s*)?["'][^"'\n]*["'][^\n]*/y;
const EXPORT = /export\s+(?:default|const|let|var|async|function|class|type|interface|enum)\b|export\s*[{*]/y;
const BRACKET = /["'`([{}\])]|\/\/|\/\*|\n[ \t]*(?=\n|$)/g;

/** Returns the end of the `import` or `export` at `start`, which is the beginning of a block. */
export function moduleStatementEnd(text: string, start: number): number {
  IMPORT.lastIndex = start;
  if (IMPORT.test(text)) return IMPORT.lastIndex;
  EXPORT.lastIndex = start;
  return EXPORT.test(text) ? exportEnd(text, start) : -1;
}

/** Characters in which an export has to close its brackets; else it ends at its first blank line. */
const LONGEST_EXPORT = 8192;

/** An export runs to the first blank line outside of its brackets. */
function exportEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + LONGEST_EXPORT);
  let depth = 0;
  let firstBlank = -1;
  BRACKET.lastIndex = start;
  for (;;) {
    const match = BRACKET.exec(text);
    if (match === null || match.index >= limit) return firstBlank === -1 ? limit : firstBlank;
    const part = match[0];
    if (part[0] === "\n") {
      if (depth <= 0) return match.index;
      if (firstBlank === -1) firstBlank = match.index;
    } else if (part === "(" || part === "[" || part === "{") depth++;
    else if (part === ")" || part === "]" || part === "}") depth--;
    else BRACKET.lastIndex = quietEnd(text, match.index, part, limit);
  }
}

const STRING_EXPRESSION = /^\{\s*(?:"([^"\\\n]*)"|'([^'\\\n]*)'|`([^`\\$]*)`)\s*\}$/;

/** Returns the text of an expression that is nothing but a string (`{"<"}`), `""` for every other. */
export function expressionText(expression: string): string {
  const match = STRING_EXPRESSION.exec(expression);
  return match === null ? "" : (match[1] ?? match[2] ?? match[3] ?? "");
}

/** Returns the end of the code span at `start`, or of its run of backticks when no equal run closes it in its paragraph. */
export function codeSpanEnd(text: string, start: number): number {
  let open = start;
  while (text[open] === "`") open++;
  const size = open - start;
  const limit = open + LONGEST_PART;
  const RUN = /`+|\n[ \t]*(?:\n|$)/g;
  RUN.lastIndex = open;
  for (
    let match = RUN.exec(text);
    match !== null && match[0][0] === "`" && match.index < limit;
    match = RUN.exec(text)
  ) {
    if (match[0].length === size) return RUN.lastIndex;
  }
  return open;
}

const INLINE_TAG =
  /^<\/?(?:a|abbr|b|bdi|bdo|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|rp|rt|ruby|s|samp|small|span|strong|sub|sup|time|tt|u|var|wbr)\b/;
const ALT_TEXT = /^<img\s(?:[\s\S]*?\s)?alt\s*=\s*(?:"([^"]*)"|'([^']*)')/i;

/**
 * Returns what a tag leaves in a line of text: `""` where the words around it belong together (`<b>`, a comment), the
 * words of an image, a space for every other (`<br>`, `</li>`).
 */
export function tagText(tag: string): string {
  if (INLINE_TAG.test(tag) || tag.startsWith("<!") || tag.startsWith("<?")) return "";
  const alt = ALT_TEXT.exec(tag);
  return alt === null ? " " : ` ${alt[1] ?? alt[2]!} `;
}

const URL_IN_ANGLES = /<([A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s<>]*|mailto:[^\s<>]*)>/y;

/** Returns the address of the autolink at `start` (`<https://x.y>`), `null` when there is none: MDX has no autolinks, but people write them. */
export function urlInAngles(text: string, start: number): string | null {
  URL_IN_ANGLES.lastIndex = start;
  return URL_IN_ANGLES.exec(text)?.[1] ?? null;
}
