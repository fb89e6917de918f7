import { BlockWriter } from "./block-writer.ts";
import { titleFromPath } from "./document-title.ts";
import { readFrontMatter } from "./front-matter.ts";
import { addCode, type HtmlReducer, MarkdownBlocks } from "./markdown-blocks.ts";
import { markdownSegments } from "./markdown-segments.ts";
import { flowReader } from "./markdown-syntax.ts";
import { parserOf, parserVersionOf } from "./parser-versions.ts";
import type { ParsedDocument, ParserInput } from "./parsed-document.ts";
import { addPlainText } from "./plain-text.ts";
import { lineNumbers } from "./source-lines.ts";

/** Containers within containers on one line, or as deep an indent. */
const ABSURD_NESTING = /^[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+){100}|^[ \t]{200,}(?:[-*+>]|\d{1,9}[.)])/m;

/** Lines that open or close a container, heading or definition; micromark's time is quadratic in their number. */
const STRUCTURE_LINE = /^[ \t]*(?:[-*+>]|\d{1,9}[.)]|=+[ \t]*$|-+[ \t]*$|\[)/gm;
const MOST_STRUCTURE_LINES = 5000;

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
  try {
    const problem = readBody(
      body.text,
      body.firstLine,
      parserOf(input.mediaType, input.path) === "mdx",
      writer,
      reduceHtml,
    );
    if (problem !== null) metadata["_parseFallback"] = `partly read as plain text: ${problem}`;
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

/** Adds the blocks of a text. Returns what was absurd in stretches that were read as plain text. */
function readBody(
  text: string,
  firstLine: number,
  mdx: boolean,
  writer: BlockWriter,
  reduceHtml: HtmlReducer,
): string | null {
  const read = flowReader(mdx);
  let problem: string | null = null;
  const parts = markdownSegments(text, { mdx, firstLine }).map((segment) => {
    if (segment.kind === "code") return segment;
    const absurd = absurdity(segment.text);
    if (absurd === null) return read(segment.text, segment.firstLine);
    problem = absurd;
    return segment;
  });
  const blocks = new MarkdownBlocks(writer, reduceHtml);
  for (const part of parts) {
    if (Array.isArray(part)) blocks.read(part);
    else if (part.kind === "flow") addPlainText(writer, part.text, part.firstLine);
    else {
      const lines = lineNumbers(part.firstLine + 1, part.lines.length);
      addCode(writer, part.lines, lines, part.firstLine, part.lastLine);
    }
  }
  return problem;
}

/** Says why reading a stretch as Markdown would take longer than anybody waits, `null` if it would not. */
function absurdity(text: string): string | null {
  if (ABSURD_NESTING.test(text)) return "nested deeper than 100 levels";
  const structureLines = text.length < MOST_STRUCTURE_LINES * 2 ? 0 : (text.match(STRUCTURE_LINE)?.length ?? 0);
  return structureLines > MOST_STRUCTURE_LINES ? `${structureLines} lines of structure without a break` : null;
}
