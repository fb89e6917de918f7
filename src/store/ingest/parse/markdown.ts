import { BlockWriter } from "./block-writer.ts";
import { titleFromPath } from "./document-title.ts";
import { readFrontMatter } from "./front-matter.ts";
import { addCode, type HtmlReducer, MarkdownBlocks } from "./markdown-blocks.ts";
import { markdownSegments } from "./markdown-segments.ts";
import { flowReader } from "./markdown-syntax.ts";
import { parserOf, parserVersionOf } from "./parser-versions.ts";
import type { ParsedDocument, ParserInput } from "./parsed-document.ts";
import { addPlainText } from "./plain-text.ts";

/** Containers within containers on one line; beyond it a text is read as plain text, as no person wrote it. */
const ABSURD_NESTING = /^[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+){100}/m;

/**
 * Reads Markdown: CommonMark with GFM tables, footnotes, strikethrough and task lists, YAML or TOML front matter,
 * directives and GitHub alerts as text. In MDX (a path ending in `.mdx`) tags, expressions and module
 * statements go, the text between tags stays.
 *
 * Never fails: what cannot be read as Markdown is read as plain text, and `metadata._parseFallback` says why.
 *
 * @see https://spec.commonmark.org/0.31.2/ https://github.github.com/gfm/
 */
export function parseMarkdown(input: ParserInput, reduceHtml: HtmlReducer): ParsedDocument {
  const text = input.text.includes("\r") ? input.text.replace(/\r\n?/g, "\n") : input.text;
  const frontMatter = readFrontMatter(text);
  const body = { text: text.slice(frontMatter.end), firstLine: frontMatter.lastLine + 1 };
  const metadata = frontMatter.metadata;
  let writer = new BlockWriter();
  const problem = ABSURD_NESTING.test(body.text) ? "nested deeper than 100 levels" : null;
  try {
    if (problem !== null) throw new RangeError(problem);
    readBody(body.text, body.firstLine, parserOf(input.mediaType, input.path) === "mdx", writer, reduceHtml);
  } catch (error) {
    metadata["_parseFallback"] = `read as plain text: ${error instanceof Error ? error.message : String(error)}`;
    writer = new BlockWriter();
    addPlainText(writer, body.text, body.firstLine);
  }
  const block = frontMatter.block(writer.firstHeading);
  return {
    title: frontMatter.title ?? writer.firstHeading ?? titleFromPath(input.path),
    lang: frontMatter.lang,
    tags: frontMatter.tags,
    trust: frontMatter.trust,
    metadata,
    blocks: block === null ? writer.blocks : [block, ...writer.blocks],
    parserVersion: parserVersionOf(input.mediaType, input.path),
  };
}

function readBody(text: string, firstLine: number, mdx: boolean, writer: BlockWriter, reduceHtml: HtmlReducer): void {
  const read = flowReader(mdx);
  const parts = markdownSegments(text, { mdx, firstLine }).map((segment) =>
    segment.kind === "flow" ? read(segment.text, segment.firstLine) : segment,
  );
  const blocks = new MarkdownBlocks(writer, reduceHtml);
  for (const part of parts) {
    if (Array.isArray(part)) blocks.read(part);
    else addCode(writer, part.lines, part.firstLine + 1, part.firstLine, part.lastLine);
  }
}
