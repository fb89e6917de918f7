import type { ParsedDocument, Parser, ParserInput } from "./parsed-document.ts";
import { parserOf } from "./parser-versions.ts";
import { parsePlainText } from "./plain-text.ts";

export { parserVersionOf } from "./parser-versions.ts";

/**
 * Reads a text into blocks: Markdown and MDX, HTML, anything else as plain text.
 *
 * The Markdown and HTML parsers are loaded when the first document needs them: a worker that only searches never
 * loads them.
 *
 * @returns blocks in the order of the text, their spans in its lines, counted from 1 over `\n`, `\r\n` and `\r`.
 */
export async function parseDocument(input: ParserInput): Promise<ParsedDocument> {
  const parser = await loadParser(input.mediaType, input.path);
  return parser(input);
}

/** Loads the parser of a file. Calling it costs nothing once it is loaded. */
export function loadParser(mediaType: string, path: string): Promise<Parser> {
  switch (parserOf(mediaType, path)) {
    case "markdown":
    case "mdx":
      return (markdown ??= loadMarkdown().catch(forget(() => (markdown = undefined))));
    case "html":
      return (html ??= import("./html.ts").then(
        (module) => module.parseHtml,
        forget(() => (html = undefined)),
      ));
    case "text":
      return plain;
  }
}

let markdown: Promise<Parser> | undefined;
let html: Promise<Parser> | undefined;
const plain: Promise<Parser> = Promise.resolve(parsePlainText);

/** A load that failed (no network, a deploy in between) is tried again by the next document. */
function forget(reset: () => void): (error: unknown) => never {
  return (error) => {
    reset();
    throw error;
  };
}

async function loadMarkdown(): Promise<Parser> {
  const [{ parseMarkdown }, { htmlFragmentBlocks }] = await Promise.all([import("./markdown.ts"), import("./html.ts")]);
  return (input) => parseMarkdown(input, htmlFragmentBlocks);
}
