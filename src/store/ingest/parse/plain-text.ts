import { BlockWriter } from "./block-writer.ts";
import { titleFromPath } from "./document-title.ts";
import { TEXT_PARSER_VERSION } from "./parser-versions.ts";
import type { ParsedDocument, ParserInput } from "./parsed-document.ts";
import { lineNumbers } from "./source-lines.ts";

/** Lines after which a paragraph that knows no blank line is cut: a log, a word list, a table of numbers. */
const LONGEST_PARAGRAPH = 64;

/** Reads plain text: paragraphs are what blank lines part. Lines stay as they are. */
export function parsePlainText(input: ParserInput): ParsedDocument {
  const writer = new BlockWriter();
  addPlainText(writer, input.text.includes("\r") ? input.text.replace(/\r\n?/g, "\n") : input.text, 1);
  return {
    title: titleFromPath(input.path),
    lang: null,
    tags: [],
    trust: null,
    metadata: {},
    blocks: writer.blocks,
    parserVersion: TEXT_PARSER_VERSION,
  };
}

/** Adds the paragraphs of a text with `\n` line ends. */
export function addPlainText(writer: BlockWriter, text: string, firstLine: number): void {
  let paragraph: string[] = [];
  let line = firstLine;
  const end = (): void => {
    const start = line - paragraph.length;
    writer.add("paragraph", paragraph.join("\n"), start, line - 1, lineNumbers(start, paragraph.length));
    paragraph = [];
  };
  for (const source of text.split("\n")) {
    const kept = source.trimEnd();
    if (kept === "" || paragraph.length === LONGEST_PARAGRAPH) end();
    if (kept !== "") paragraph.push(kept);
    line++;
  }
  end();
}
