import { beginsBlock, beginsItem, hasHtmlBlocks, hasHtmlOverBlankLines } from "./block-boundary.ts";
import { closingFence, indentOf, leavesContainer, OPENING_FENCE } from "./code-fence.ts";
import { type Directive, directiveAt } from "./directive.ts";
import { MdxEnds } from "./mdx-ends.ts";
import { codeSpanEnd, expressionText, moduleStatementEnd, tagText, urlInAngles } from "./mdx-syntax.ts";
import { countLines, isBlank } from "./source-lines.ts";

/** A stretch of a Markdown source, cut where cutting cannot change what it means. */
export type Segment =
  | { kind: "flow"; text: string; firstLine: number }
  | { kind: "code"; lines: string[]; firstLine: number; lastLine: number };

/**
 * Cuts a Markdown text into stretches that can be read one by one, and removes what is not Markdown: directive markers
 * (`:::note`) and, in MDX, tags, expressions and module statements. Every line keeps its number.
 *
 * Two reasons to cut: a code fence needs no parser, and micromark takes quadratic time over the lists and headings of
 * one stretch. Cut is only where CommonMark cannot read the text as anything else: at a fence in column 0 after a
 * blank line, between a blank line and the beginning of a paragraph, heading, quote or table in column 0, and before
 * an item of a very long list. A text with HTML blocks that may hold blank lines is not cut at all, and no text is cut
 * behind a fence that may be the content of something else.
 *
 * @param text `\n` line ends.
 */
export function markdownSegments(text: string, options: { mdx: boolean; firstLine: number }): Segment[] {
  return new SegmentReader(text, options.mdx, options.firstLine).read();
}

const SPECIAL = /[`<{\\\n]/g;
/** Characters after which a stretch is long enough to be cut; a list is cut when it is far longer. */
const STRETCH = 1024;
const LIST_STRETCH = 8192;
/** Left for tags on a line of their own in column 0: ends lists and quotes as they do, and has no text. */
const CONTAINER_END = "***";

class SegmentReader {
  readonly #text: string;
  readonly #mdx: boolean;
  readonly #ends: MdxEnds;
  readonly #hasHtml: boolean;
  #cuts: boolean;
  readonly #segments: Segment[] = [];
  #line: number;
  #flow = "";
  #flowLine: number;
  /** Offset up to which `#text` has been taken over. */
  #taken = 0;
  /** Whether nothing but space came out of the line before. */
  #afterBlank = true;
  /** Whether nothing but space came out of the MDX line at hand so far. */
  #isLineBlank = true;

  constructor(text: string, mdx: boolean, firstLine: number) {
    this.#text = text;
    this.#mdx = mdx;
    this.#ends = new MdxEnds(text);
    this.#hasHtml = !mdx && hasHtmlBlocks(text);
    this.#cuts = !this.#hasHtml || !hasHtmlOverBlankLines(text);
    this.#line = firstLine;
    this.#flowLine = firstLine;
  }

  read(): Segment[] {
    const text = this.#text;
    let at = 0;
    while (at < text.length) at = this.#readLine(at);
    this.#take(text.length);
    this.#endFlow();
    return this.#segments;
  }

  /** Reads the line at `start`, or the block that begins there; returns the beginning of the next line. */
  #readLine(start: number): number {
    const text = this.#text;
    const length = this.#flow.length + start - this.#taken;
    if (this.#cuts && length >= STRETCH) this.#cutBefore(start, length);
    OPENING_FENCE.lastIndex = start;
    const fence = OPENING_FENCE.exec(text);
    if (fence !== null) return this.#readFence(start, fence[0], fence[1]!);
    const directive = directiveAt(text, start);
    if (directive !== null) return this.#readDirective(start, directive);
    if (this.#mdx) {
      if (this.#afterBlank) {
        const end = moduleStatementEnd(text, start);
        if (end !== -1) return this.#endLine(this.#drop(start, end, ""), true);
      }
      return this.#readMdxLine(start);
    }
    const end = text.indexOf("\n", start);
    const lineEnd = end === -1 ? text.length : end;
    return this.#endLine(lineEnd, isBlank(text, start, lineEnd));
  }

  #cutBefore(start: number, length: number): void {
    const cuts =
      (this.#afterBlank && beginsBlock(this.#text, start)) ||
      (length >= LIST_STRETCH && (this.#afterBlank || !this.#hasHtml) && beginsItem(this.#text, start));
    if (!cuts) return;
    this.#take(start);
    this.#endFlow();
    this.#flowLine = this.#line;
  }

  #readFence(start: number, opening: string, run: string): number {
    const text = this.#text;
    const close = closingFence(text, start + opening.length, run, opening === run && !this.#mdx);
    if (!this.#cuts || !this.#afterBlank || opening !== run) {
      if (opening !== run) this.#cuts &&= !leavesContainer(text, close.bodyStart, close.next - 1, opening);
      if (this.#hasHtml && !this.#afterBlank) this.#cuts = false;
      this.#cuts &&= close.indent === indentOf(text, start);
      this.#line += countLines(text, start, close.next);
      this.#afterBlank = false;
      return close.next;
    }
    this.#take(start);
    this.#endFlow();
    const code = text.slice(close.bodyStart, close.bodyEnd);
    const firstLine = this.#line;
    this.#line += countLines(text, start, close.next);
    const lastLine = close.next >= text.length && text[text.length - 1] !== "\n" ? this.#line : this.#line - 1;
    this.#segments.push({
      kind: "code",
      lines: close.bodyStart < close.bodyEnd ? code.split("\n") : [],
      firstLine,
      lastLine,
    });
    this.#taken = close.next;
    this.#flowLine = this.#line;
    this.#afterBlank = true;
    return close.next;
  }

  #readDirective(start: number, directive: Directive): number {
    this.#take(start);
    this.#flow += directive.prefix + directive.title;
    this.#taken = directive.end;
    return this.#endLine(directive.end, directive.title === "");
  }

  #readMdxLine(start: number): number {
    const text = this.#text;
    const before = this.#beforeFlow(start);
    const line = this.#line;
    let at = start;
    this.#isLineBlank = true;
    for (;;) {
      SPECIAL.lastIndex = at;
      const found = SPECIAL.exec(text)?.index ?? text.length;
      this.#isLineBlank &&= isBlank(text, at, found);
      if (found >= text.length || text[found] === "\n") {
        if (this.#isLineBlank && before !== null) {
          this.#flow = `${before}${CONTAINER_END}${"\n".repeat(this.#line - line)}`;
          this.#taken = found;
        }
        return this.#endLine(found, this.#isLineBlank);
      }
      at = this.#readSpecial(found);
      // A part that was dropped is counted; one that stays may have run over line ends.
      if (this.#taken >= at) continue;
      this.#isLineBlank = false;
      this.#line += countLines(text, found, at);
    }
  }

  /** What came before a line that may be a tag or expression of its own, in column 0. */
  #beforeFlow(start: number): string | null {
    if (this.#text[start] !== "<" && this.#text[start] !== "{") return null;
    this.#take(start);
    return this.#flow;
  }

  #readSpecial(at: number): number {
    switch (this.#text[at]) {
      case "\\":
        return this.#text[at + 1] === "\n" ? at + 1 : Math.min(at + 2, this.#text.length);
      case "`":
        return codeSpanEnd(this.#text, at);
      case "<":
        return this.#readTag(at);
      default:
        return this.#readExpression(at);
    }
  }

  #readTag(start: number): number {
    const text = this.#text;
    const url = urlInAngles(text, start);
    if (url !== null) return this.#drop(start, start + url.length + 2, url);
    const end = this.#ends.tag(start);
    if (end === -1) return start + 1;
    return this.#drop(start, end, tagText(text.slice(start, end)));
  }

  #readExpression(start: number): number {
    const end = this.#ends.expression(start);
    return end === -1 ? start + 1 : this.#drop(start, end, expressionText(this.#text.slice(start, end)));
  }

  /** Replaces a part by what stays of it and the line ends it had; returns where it ended. */
  #drop(start: number, end: number, replacement: string): number {
    this.#take(start);
    const lines = countLines(this.#text, start, end);
    this.#flow += replacement + "\n".repeat(lines);
    this.#isLineBlank &&= replacement.trim() === "";
    this.#line += lines;
    this.#taken = end;
    return end;
  }

  #take(end: number): void {
    if (end > this.#taken) this.#flow += this.#text.slice(this.#taken, end);
    this.#taken = Math.max(this.#taken, end);
  }

  #endLine(end: number, blank: boolean): number {
    this.#afterBlank = blank;
    if (end >= this.#text.length) return this.#text.length;
    this.#line++;
    return end + 1;
  }

  #endFlow(): void {
    if (this.#flow.trim() !== "") this.#segments.push({ kind: "flow", text: this.#flow, firstLine: this.#flowLine });
    this.#flow = "";
  }
}
