/** Versions of the parsers: each changes whenever the same text would give other blocks. */
export const MARKDOWN_PARSER_VERSION = "markdown-2";
export const MDX_PARSER_VERSION = "mdx-3";
export const HTML_PARSER_VERSION = "html-2";
export const TEXT_PARSER_VERSION = "text-1";

/** A parser by the media type and path that it is chosen for. */
export type ParserName = "markdown" | "mdx" | "html" | "text";

const VERSIONS: Readonly<Record<ParserName, string>> = {
  markdown: MARKDOWN_PARSER_VERSION,
  mdx: MDX_PARSER_VERSION,
  html: HTML_PARSER_VERSION,
  text: TEXT_PARSER_VERSION,
};

/** Returns which parser reads a file; everything without a parser of its own is plain text. */
export function parserOf(mediaType: string, path: string): ParserName {
  switch (mediaType) {
    case "text/mdx":
      return "mdx";
    case "text/markdown":
    case "text/x-markdown":
      return path.toLowerCase().endsWith(".mdx") ? "mdx" : "markdown";
    case "text/html":
    case "application/xhtml+xml":
      return "html";
    default:
      return "text";
  }
}

/** Returns the version of the parser that would read a file, without loading it. */
export function parserVersionOf(mediaType: string, path: string): string {
  return VERSIONS[parserOf(mediaType, path)];
}
