import type { Event, Token, TokenizeContext } from "micromark-util-types";
import type { BlockWriter } from "./block-writer.ts";
import { ContainerText } from "./container-text.ts";
import { inlineTextOf } from "./markdown-inline.ts";
import type { ParsedBlock } from "./parsed-document.ts";
import { lineNumbers } from "./source-lines.ts";
import { TextLines } from "./text-lines.ts";

/** Reduces an HTML fragment to blocks of kind `html`, `table` and `code`; `firstLine` is the source line it begins on. */
export type HtmlReducer = (html: string, firstLine: number) => ParsedBlock[];

const HEADING_ID = /(?<!\s)\s*\{#[^\s{}]+\}$/;

/**
 * Turns micromark's events into blocks.
 *
 * Paragraphs, headings, code and tables at the top level are blocks of their own. A list, quote or footnote is one
 * block with what is in it, but code and tables within it are blocks too, so that nobody cuts through them, and a long
 * list begins a new block at its items.
 */
export class MarkdownBlocks {
  readonly #writer: BlockWriter;
  readonly #reduceHtml: HtmlReducer;
  #container: ContainerText | null = null;
  /** Containers that are open, the outermost counted. */
  #depth = 0;
  #listDepth = 0;
  /** Where inline text goes; `null` outside of paragraphs, headings and cells, where it is a label. */
  #inline: TextLines | null = null;
  /** Lines of code or HTML by source line. */
  #raw: string[] = [];
  #rawFrom = 0;
  #headingDepth = 0;
  #rows: TextLines = new TextLines();
  #cells: string[] = [];

  constructor(writer: BlockWriter, reduceHtml: HtmlReducer) {
    this.#writer = writer;
    this.#reduceHtml = reduceHtml;
  }

  read(events: readonly Event[]): void {
    for (const [phase, token, context] of events) {
      if (phase === "enter") this.#enter(token);
      else this.#exit(token, context);
    }
  }

  #enter(token: Token): void {
    switch (token.type) {
      case "listOrdered":
      case "listUnordered":
        this.#listDepth++;
        this.#open("list");
        break;
      case "listItemPrefix":
        this.#container?.beginItem(this.#listDepth);
        break;
      case "blockQuote":
        this.#open("quote");
        break;
      case "gfmFootnoteDefinition":
        this.#open("footnote");
        break;
      case "paragraph":
      case "atxHeading":
      case "setextHeading":
        this.#headingDepth = 0;
        this.#inline = this.#container === null ? new TextLines() : this.#container.beginText(this.#listDepth);
        break;
      case "codeFenced":
        this.#beginRaw(token.start.line + 1);
        break;
      case "codeIndented":
      case "htmlFlow":
        this.#beginRaw(token.start.line);
        break;
      case "table":
        this.#rows = new TextLines();
        break;
      case "tableRow":
        this.#cells = [];
        break;
      case "tableHeader":
      case "tableData":
        this.#inline = new TextLines();
        break;
      case "data":
        if (this.#inline !== null) inlineTextOf(token)?.readInto(this.#inline);
        break;
      default:
    }
  }

  #exit(token: Token, context: TokenizeContext): void {
    switch (token.type) {
      case "listOrdered":
      case "listUnordered":
        this.#listDepth--;
        this.#close();
        break;
      case "blockQuote":
      case "gfmFootnoteDefinition":
        this.#close();
        break;
      case "atxHeadingSequence":
        if (this.#headingDepth === 0) this.#headingDepth = token.end.offset - token.start.offset;
        break;
      case "setextHeadingLineSequence":
        this.#headingDepth = context.sliceSerialize(token).startsWith("=") ? 1 : 2;
        break;
      case "paragraph":
      case "atxHeading":
      case "setextHeading":
        this.#endText(token);
        break;
      case "codeFlowValue":
      case "htmlFlowData":
        this.#addRaw(token.start.line, context.sliceSerialize(token));
        break;
      case "codeFenced":
      case "codeIndented":
        this.#endCode(token);
        break;
      case "htmlFlow":
        this.#endHtml(token);
        break;
      case "tableHeader":
      case "tableData":
        this.#cells.push(cellText(this.#inline));
        this.#inline = null;
        break;
      case "tableRow":
        this.#rows.begin("", "");
        this.#rows.append(this.#cells.join(" | ").trimEnd(), token.start.line);
        break;
      case "table":
        this.#container?.flush();
        this.#writer.add("table", this.#rows.texts.join("\n"), token.start.line, token.end.line, this.#rows.lines, {
          hasHeader: true,
        });
        break;
      default:
    }
  }

  #open(kind: "list" | "quote" | "footnote"): void {
    if (this.#depth++ === 0) this.#container = new ContainerText(this.#writer, kind);
  }

  #close(): void {
    if (--this.#depth > 0) return;
    this.#container?.flush();
    this.#container = null;
  }

  #endText(token: Token): void {
    const inline = this.#inline;
    this.#inline = null;
    if (inline === null) return;
    const { start, end } = token;
    if (this.#container !== null) {
      this.#container.endText(start.line, end.line);
      return;
    }
    const { texts, lines } = inline.tidy();
    if (token.type === "paragraph") this.#writer.add("paragraph", texts.join("\n"), start.line, end.line, lines);
    else this.#writer.heading(texts.join(" ").replace(HEADING_ID, ""), this.#headingDepth, start.line, end.line);
  }

  #beginRaw(line: number): void {
    this.#raw = [];
    this.#rawFrom = line;
  }

  #addRaw(line: number, text: string): void {
    const at = line - this.#rawFrom;
    while (this.#raw.length < at) this.#raw.push("");
    this.#raw[at] = (this.#raw[at] ?? "") + text;
  }

  #endCode(token: Token): void {
    this.#container?.flush();
    addCode(this.#writer, this.#raw, lineNumbers(this.#rawFrom, this.#raw.length), token.start.line, token.end.line);
  }

  #endHtml(token: Token): void {
    const blocks = this.#reduceHtml(this.#raw.join("\n"), token.start.line);
    blocks.forEach((block, index) => {
      const { text, lines, span } = block;
      if (block.kind !== "html") {
        this.#container?.flush();
        this.#writer.take(block);
        return;
      }
      const start = index === 0 ? token.start.line : span.start;
      const end = index === blocks.length - 1 ? token.end.line : span.end;
      if (this.#container === null) {
        this.#writer.add("html", text, start, end, lines);
      } else {
        const into = this.#container.beginText(this.#listDepth);
        text.split("\n").forEach((line, at) => into.append(line, lines?.[at] ?? span.start));
        this.#container.endText(start, end);
      }
    });
  }
}

/** Adds a block of code, verbatim but for blank lines at its end.
 *  @param lines source line of every line of `code`. */
export function addCode(
  writer: BlockWriter,
  code: readonly string[],
  lines: readonly number[],
  start: number,
  end: number,
): void {
  let count = code.length;
  while (count > 0 && code[count - 1]!.trim() === "") count--;
  writer.add("code", code.slice(0, count).join("\n"), start, end, lines.slice(0, count));
}

function cellText(inline: TextLines | null): string {
  // In a cell `\|` is a bar, also within a code span, where no escape works elsewhere.
  return inline === null ? "" : inline.texts.join(" ").trim().replaceAll("\\|", "|");
}
