import { type DefaultTreeAdapterTypes, parse, parseFragment } from "parse5";
import { BlockWriter } from "./block-writer.ts";
import { cleanLine, cleanTitle, tagsFrom, titleFromPath } from "./document-title.ts";
import { HtmlBlocks } from "./html-blocks.ts";
import type { ParsedBlock, ParsedDocument, ParserInput } from "./parsed-document.ts";
import { HTML_PARSER_VERSION } from "./parser-versions.ts";
import { addPlainText } from "./plain-text.ts";
import { TextLines } from "./text-lines.ts";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/**
 * Reads HTML as a browser would (WHATWG parsing through parse5) and keeps what a reader sees: headings, paragraphs,
 * lists, code, tables, quotes; title and meta description; no scripts, styles, templates, navigation or form controls.
 *
 * Never fails: what cannot be read is read as plain text, and `metadata._parseFallback` says why.
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html
 */
export function parseHtml(input: ParserInput): ParsedDocument {
  const text = input.text.includes("\r") ? input.text.replace(/\r\n?/g, "\n") : input.text;
  const metadata: Record<string, unknown> = {};
  const head = new Head();
  let writer = new BlockWriter();
  try {
    if (isAbsurdlyNested(text)) throw new RangeError(`nested deeper than ${DEEPEST_TREE} elements`);
    const document = parse(text, { sourceCodeLocationInfo: true });
    for (const root of document.childNodes) head.read(root);
    new HtmlBlocks(writer).read(document);
  } catch (error) {
    metadata["_parseFallback"] = `read as plain text: ${error instanceof Error ? error.message : String(error)}`;
    writer = new BlockWriter();
    addPlainText(writer, text, 1);
  }
  if (head.description !== null) metadata["description"] = cleanTitle(head.description);
  const block = head.block(writer.firstHeading);
  return {
    title: cleanTitle(head.title) ?? writer.firstHeading ?? titleFromPath(input.path),
    lang: head.lang,
    tags: head.tags,
    trust: null,
    metadata,
    blocks: block === null ? writer.blocks : [block, ...writer.blocks],
    parserVersion: HTML_PARSER_VERSION,
  };
}

/** Reduces a fragment of HTML to blocks: its tables and code, and what stands between them as blocks of kind `html`. */
export function htmlFragmentBlocks(html: string, firstLine: number): ParsedBlock[] {
  const read = new BlockWriter();
  if (isAbsurdlyNested(html)) addPlainText(read, html, firstLine);
  else new HtmlBlocks(read, firstLine).read(parseFragment(html, { sourceCodeLocationInfo: true }));
  const reduced = new BlockWriter();
  let between = new TextLines();
  const flush = (): void => {
    const { texts, lines } = between;
    reduced.add("html", texts.join("\n"), lines[0] ?? firstLine, lines[lines.length - 1] ?? firstLine, lines);
    between = new TextLines();
  };
  for (const block of read.blocks) {
    if (block.kind === "table" || block.kind === "code") {
      flush();
      reduced.blocks.push(block);
      continue;
    }
    block.text.split("\n").forEach((text, index) => {
      between.begin("", "");
      between.append(text, block.lines?.[index] ?? block.span.start);
    });
  }
  flush();
  return reduced.blocks;
}

/** Open elements in a tree, as many as browsers allow. */
const DEEPEST_TREE = 512;
const TAG = /<(script|style|textarea|title)\b[\s\S]*?(?:<\/\1|$)|<!--[\s\S]*?(?:-->|$)|<(\/?)([a-z][a-z0-9-]*)/gi;
const CLOSES_ITSELF =
  /^(?:area|base|br|col|colgroup|embed|hr|img|input|link|meta|source|track|wbr|p|li|thead|tbody|tfoot|td|tr|th|dt|dd|option|rt|rp)$/i;

/** Every element is looked for among all that are open, so a text that only opens elements takes quadratic time. */
function isAbsurdlyNested(html: string): boolean {
  let depth = 0;
  for (const [, , close, name] of html.matchAll(TAG)) {
    if (name === undefined || CLOSES_ITSELF.test(name)) continue;
    depth = close === "/" ? Math.max(0, depth - 1) : depth + 1;
    if (depth > DEEPEST_TREE) return true;
  }
  return false;
}

/** What `<html>` and `<head>` say of a document. */
class Head {
  /** Whole, on one line. */
  title: string | null = null;
  description: string | null = null;
  lang: string | null = null;
  tags: string[] = [];
  #start = Number.POSITIVE_INFINITY;
  #end = 0;

  read(root: Node): void {
    if (root.nodeName !== "html" || !("attrs" in root)) return;
    this.lang = cleanTitle(attribute(root, "lang") ?? attribute(root, "xml:lang"));
    const head = root.childNodes.find((child) => child.nodeName === "head");
    if (head === undefined || !("childNodes" in head)) return;
    for (const child of head.childNodes) if ("attrs" in child) this.#readElement(child);
  }

  #readElement(element: Element): void {
    if (element.nodeName === "title" && this.title === null) {
      this.title = cleanLine(element.childNodes.map((node) => ("value" in node ? node.value : "")).join(""));
      if (this.title !== null) this.#span(element);
    } else if (element.nodeName === "meta") {
      const name = attribute(element, "name")?.toLowerCase();
      const content = attribute(element, "content");
      if (name === "keywords") this.tags = tagsFrom(content);
      if (name === "description") {
        this.description = cleanLine(content);
        if (this.description !== null) this.#span(element);
      }
    }
  }

  #span(element: Element): void {
    const location = element.sourceCodeLocation;
    this.#start = Math.min(this.#start, location?.startLine ?? 1);
    this.#end = Math.max(this.#end, location?.endLine ?? 1);
  }

  /** Returns title and description as a block; the title only where no heading says it. */
  block(firstHeading: string | null): ParsedBlock | null {
    const title = this.title === firstHeading ? null : this.title;
    const text = [title, this.description].filter((part) => part !== null).join("\n");
    if (text === "") return null;
    return { kind: "frontmatter", headingPath: [], span: { kind: "line", start: this.#start, end: this.#end }, text };
  }
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}
