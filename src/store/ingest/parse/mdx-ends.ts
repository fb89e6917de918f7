import { expressionEnd, jsxTagEnd, LONGEST_PART } from "./mdx-syntax.ts";

const SCRIPT_OR_STYLE = /<(script|style)\b/iy;

/** Finds where tags and expressions of one text end, and remembers what never does: each end is looked for once. */
export class MdxEnds {
  readonly #text: string;
  /** Ends (`-->`, `</script>`) that are known not to come. */
  readonly #missing = new Set<string>();
  /** Offsets before which an unclosed `{` makes looking for the end of another useless: in text, and within tags. */
  #noExpressionBefore = 0;
  #noTagExpressionBefore = 0;
  /** Offset before which a tag would stand within an expression of a tag that was read or is none. */
  #noTagBefore = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the end of the tag, comment, script or style that begins at `start`, -1 if none does. */
  tag(start: number): number {
    const text = this.#text;
    if (text.startsWith("<!--", start)) return this.#behind("-->", start);
    if (start < this.#noTagBefore) return -1;
    const end = jsxTagEnd(text, start, this.#expressionInTag);
    if (end === -1) return -1;
    SCRIPT_OR_STYLE.lastIndex = start;
    const raw = text[end - 2] === "/" ? null : SCRIPT_OR_STYLE.exec(text);
    const close = raw === null ? -1 : this.#behind(`</${raw[1]!}>`, end);
    return close === -1 ? end : close;
  }

  /** Returns the end of the expression that begins at `start`, -1 if it never ends. */
  expression(start: number): number {
    if (start < this.#noExpressionBefore) return -1;
    const end = expressionEnd(this.#text, start);
    if (end === -1) this.#noExpressionBefore = start + LONGEST_PART;
    return end;
  }

  /** The same within a tag. Text may hold braces that are none there (`\{`), so that each remembers its own. */
  readonly #expressionInTag = (start: number): number => {
    if (start < this.#noTagExpressionBefore) return -1;
    const end = expressionEnd(this.#text, start);
    if (end === -1) this.#noTagExpressionBefore = start + LONGEST_PART;
    else this.#noTagBefore = end;
    return end;
  };

  #behind(end: string, from: number): number {
    if (this.#missing.has(end)) return -1;
    const at = this.#text.indexOf(end, from);
    if (at !== -1) return at + end.length;
    this.#missing.add(end);
    return -1;
  }
}
