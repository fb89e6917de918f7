import type { DefaultTreeAdapterTypes } from "parse5";
import type { BlockKind } from "../../../contracts/documents.ts";
import type { BlockWriter } from "./block-writer.ts";
import { addCode } from "./markdown-blocks.ts";
import { TextLines } from "./text-lines.ts";

type Node = DefaultTreeAdapterTypes.Node;
type Parent = DefaultTreeAdapterTypes.ParentNode;
type Element = DefaultTreeAdapterTypes.Element;

/** Elements of which a reader sees nothing, or nothing that belongs to the text. */
const DROPPED = new Set(
  (
    "script style template noscript nav svg iframe object embed canvas audio video select textarea button input " +
    "datalist dialog head frameset noframes"
  ).split(" "),
);
const DROPPED_ROLES = new Set(["navigation", "search", "menu", "menubar", "toolbar"]);

/** Elements that end the line of text before them and after them. */
const BLOCKS = new Set(
  (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer " +
    "form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol optgroup option p pre search section summary " +
    "table tbody td tfoot th thead tr ul"
  ).split(" "),
);
const LISTS = new Set(["ul", "ol", "dl", "menu", "dir"]);
const ITEMS = new Set(["li", "dt", "dd"]);
const HEADING = /^h[1-6]$/;

/** Turns a tree of elements into blocks. Goes without recursion: trees of real pages can be deep. */
export class HtmlBlocks {
  readonly #writer: BlockWriter;
  readonly #linesBefore: number;
  #lines = new TextLines();
  #lists = 0;
  #quotes = 0;
  #atItem = false;

  /** @param firstLine source line on which the text of the tree begins. */
  constructor(writer: BlockWriter, firstLine = 1) {
    this.#writer = writer;
    this.#linesBefore = firstLine - 1;
  }

  read(root: Parent): void {
    const stack: { node: Node; leaving: boolean }[] = [];
    const push = (parent: Parent): void => {
      for (let i = parent.childNodes.length - 1; i >= 0; i--)
        stack.push({ node: parent.childNodes[i]!, leaving: false });
    };
    push(root);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { node, leaving } = next;
      if (node.nodeName === "#text" && "value" in node) {
        this.#text(node.value, this.#span(node).start);
      } else if ("tagName" in node) {
        if (leaving) this.#leave(node);
        else if (!isDropped(node) && this.#enter(node)) {
          stack.push({ node, leaving: true });
          push(node);
        }
      }
    }
    this.#flush(this.#textKind());
  }

  /** Returns whether its children are to be read. */
  #enter(element: Element): boolean {
    const name = element.tagName;
    if (name === "br") {
      this.#beginLine();
      return false;
    }
    if (name === "img") {
      const alt = attribute(element, "alt");
      if (alt !== undefined) this.#text(alt.replace(/\s+/g, " "), this.#span(element).start);
      return false;
    }
    if (!BLOCKS.has(name)) return true;
    // Paragraphs in lists and quotes belong to the block around them.
    if (name === "pre" || name === "table" || HEADING.test(name) || (this.#lists === 0 && this.#quotes === 0)) {
      this.#flush(this.#textKind());
    }
    if (name === "pre") return this.#pre(element);
    if (name === "table" && isDataTable(element)) return this.#table(element);
    if (LISTS.has(name)) this.#lists++;
    if (name === "blockquote") this.#quotes++;
    if (ITEMS.has(name)) this.#atItem = true;
    this.#beginLine();
    return true;
  }

  #leave(element: Element): void {
    const name = element.tagName;
    if (!BLOCKS.has(name)) return;
    if (HEADING.test(name)) {
      const { texts, lines } = this.#lines.tidy();
      const start = lines[0] ?? 1;
      this.#writer.heading(texts.join(" "), Number(name[1]), start, lines[lines.length - 1] ?? start);
      this.#lines = new TextLines();
    } else if (LISTS.has(name)) {
      if (this.#lists === 1 && this.#quotes === 0) this.#flush("list");
      this.#lists--;
    } else if (name === "blockquote") {
      if (this.#quotes === 1 && this.#lists === 0) this.#flush("quote");
      this.#quotes--;
    } else if (this.#lists === 0 && this.#quotes === 0) {
      this.#flush("paragraph");
    }
    this.#beginLine();
  }

  /** Appends running text: space collapses, a line of the source stays a line. */
  #text(value: string, firstLine: number): void {
    const parts = value.split("\n");
    parts.forEach((part, index) => {
      const text = part.replace(/[ \t\f\u00a0]+/g, " ");
      if (text === "" || (text === " " && this.#lines.isEmpty)) return;
      if (text === " " && (index > 0 || parts.length > 1)) return;
      this.#lines.append(text, firstLine + index);
      if (text !== " ") this.#atItem = false;
    });
  }

  #beginLine(): void {
    const indent = "  ".repeat(Math.min(this.#lists, 32));
    this.#lines.begin(this.#atItem ? `${indent.slice(2)}- ` : indent, indent);
  }

  #textKind(): BlockKind {
    return this.#lists > 0 ? "list" : this.#quotes > 0 ? "quote" : "paragraph";
  }

  #flush(kind: BlockKind): void {
    const { texts, lines } = this.#lines.tidy();
    const start = lines[0] ?? 1;
    this.#writer.add(kind, texts.join("\n"), start, lines[lines.length - 1] ?? start, lines);
    this.#lines = new TextLines();
    this.#beginLine();
  }

  /** The source lines of a node; those of the element around it when the parser made it up. */
  #span(node: Node, around?: Element): { start: number; end: number } {
    const location = node.sourceCodeLocation ?? around?.sourceCodeLocation;
    const start = location?.startLine ?? 1;
    return { start: this.#linesBefore + start, end: this.#linesBefore + (location?.endLine ?? start) };
  }

  #pre(element: Element): false {
    const { texts, lines } = codeOf(element);
    const { start, end } = this.#span(element);
    const sourceLines = lines.map((line) => this.#linesBefore + line);
    addCode(this.#writer, texts, sourceLines, start, end);
    return false;
  }

  #table(element: Element): false {
    for (const caption of descendants(element, "caption")) {
      const { start, end } = this.#span(caption, element);
      this.#writer.add("paragraph", lineOf(caption), start, end);
    }
    const rows: string[] = [];
    const lines: number[] = [];
    const lineEnds: number[] = [];
    let hasHeader = false;
    for (const row of descendants(element, "tr")) {
      const cells = row.childNodes.filter((node) => node.nodeName === "td" || node.nodeName === "th") as Element[];
      const texts = cells.map(lineOf);
      if (texts.every((text) => text === "")) continue;
      if (rows.length === 0) hasHeader = cells.every((cell, index) => cell.tagName === "th" || texts[index] === "");
      const { start, end } = this.#span(row, element);
      rows.push(texts.join(" | "));
      lines.push(start);
      lineEnds.push(end);
    }
    const { start, end } = this.#span(element);
    this.#writer.add("table", rows.join("\n"), start, end, lines, { lineEnds, hasHeader });
    return false;
  }
}

function isDropped(element: Element): boolean {
  if (DROPPED.has(element.tagName)) return true;
  return element.attrs.some(
    ({ name, value }) =>
      name === "hidden" ||
      (name === "aria-hidden" && value === "true") ||
      (name === "role" && DROPPED_ROLES.has(value)),
  );
}

/** Tables that lay out a page hold tables, headings, lists or code; their content is read as if they were not there. */
function isDataTable(table: Element): boolean {
  for (const name of ["table", "pre", "h1", "h2", "h3", "ul", "ol"]) {
    if (descendants(table, name).length > 0) return false;
  }
  return true;
}

function descendants(root: Element, tagName: string): Element[] {
  const found: Element[] = [];
  const stack: Node[] = [...root.childNodes].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (!("tagName" in node)) continue;
    if (node.tagName === tagName) found.push(node);
    for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i]!);
  }
  return found;
}

/** A stretch of text in a tree. */
interface TextPart {
  text: string;
  /** Source line of its first character. */
  line: number;
  /** Whether it is the bound of a block, where a line ends unless it has just begun. */
  isBound: boolean;
}

/** Returns what a reader sees below an element, in its order. */
function* partsOf(root: Element): Generator<TextPart> {
  const stack: (Node | null)[] = [...root.childNodes].reverse();
  let line = root.sourceCodeLocation?.startLine ?? 1;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    line = node?.sourceCodeLocation?.startLine ?? line;
    const bound: TextPart = { text: "\n", line, isBound: true };
    if (node === null) yield bound;
    else if (node.nodeName === "#text" && "value" in node) {
      // Where the parser dropped a line end behind `<pre>`, the text begins below the line where it is said to begin.
      const last = node.sourceCodeLocation?.endLine ?? line;
      yield { text: node.value, line: Math.max(line, last - node.value.split("\n").length + 1), isBound: false };
    } else if ("tagName" in node && !isDropped(node)) {
      if (node.tagName === "br") yield { text: "\n", line, isBound: false };
      if (node.tagName === "img") yield { text: ` ${attribute(node, "alt") ?? ""} `, line, isBound: false };
      if (BLOCKS.has(node.tagName)) {
        yield bound;
        stack.push(null);
      }
      for (let i = node.childNodes.length - 1; i >= 0; i--) stack.push(node.childNodes[i]!);
    }
  }
}

/** Returns the text of an element on one line. */
function lineOf(element: Element): string {
  let text = "";
  for (const part of partsOf(element)) text += part.text;
  return text.replace(/\s+/g, " ").trim();
}

/** Returns the lines of preformatted text with the source line of each. */
function codeOf(element: Element): { texts: string[]; lines: number[] } {
  const texts = [""];
  const lines = [element.sourceCodeLocation?.startLine ?? 1];
  for (const { text, line, isBound } of partsOf(element)) {
    const last = texts.length - 1;
    if (texts[last] === "") lines[last] = line;
    if (isBound && texts[last] === "") continue;
    const [rest, ...more] = text.split("\n");
    texts[last] += rest!;
    more.forEach((added, index) => {
      texts.push(added);
      lines.push(line + index + 1);
    });
  }
  return { texts, lines };
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}
