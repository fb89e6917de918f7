import type { BlockKind, SourceSpan } from "../../../contracts/documents.ts";

/** A file as the parsers take it. */
export interface ParserInput {
  /** Decoded text, without byte order mark, with the line ends of the source. */
  text: string;
  /** Workspace path: gives the title when the text has none, and tells MDX from Markdown. */
  path: string;
  mediaType: string;
}

/** One structural element with its readable text. */
export interface ParsedBlock {
  kind: BlockKind;
  /** Texts of the headings above, outermost first; a heading's own text is the last. Blocks of a section share the array. */
  headingPath: readonly string[];
  span: SourceSpan;
  /** Markup removed, code verbatim, list items as lines beginning with `- `, table cells joined by ` | `. */
  text: string;
  /** Source line of every line of `text`; absent when the text stands on one line or its lines are not known. */
  lines?: readonly number[];
  /** Last source line of every line of `text`, where the rows of a table run over several. */
  lineEnds?: readonly number[];
  /** Whether the first line of a table names its columns. */
  hasHeader?: boolean;
  /** Rank of a heading, 1 to 6. */
  depth?: number;
}

/** What a parser makes of a file. */
export interface ParsedDocument {
  title: string;
  /** What the document says of its language: front matter or `<html lang>`; not validated. */
  lang: string | null;
  /** From front matter or meta keywords, as written, without repeats. */
  tags: string[];
  /** From front matter, 0 to 1. */
  trust: number | null;
  /** Front matter (JSON values only); `_frontMatterError` and `_parseFallback` say what could not be read, and why. */
  metadata: Record<string, unknown>;
  blocks: ParsedBlock[];
  /** Changes whenever the same text would give other blocks. */
  parserVersion: string;
}

/** Reads a text into blocks. */
export type Parser = (input: ParserInput) => ParsedDocument;
