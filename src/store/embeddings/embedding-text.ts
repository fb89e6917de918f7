import { MAX_EMBED_TEXT_LENGTH } from "../../contracts/check-embedder.ts";

/** Raised with every change of {@link embeddingText}. */
export const TEXT_VERSION = 1;

/** Returns what is embedded of a chunk: the headings above it, joined by " > ", an empty line, and its text, cut at 1,000,000
 *  characters. The document's title is left out: it may change without its chunks. A heading without any text below is its own
 *  chunk and is not said twice. */
export function embeddingText(headingPath: readonly string[], text: string): string {
  const headings = headingPath.filter((heading) => heading !== "");
  if (headings.at(-1) === text) headings.pop();
  const whole = headings.length === 0 ? text : `${headings.join(" > ")}\n\n${text}`;
  return whole.length <= MAX_EMBED_TEXT_LENGTH ? whole : cut(whole);
}

/** A pair of surrogates is not divided. */
function cut(text: string): string {
  const last = text.charCodeAt(MAX_EMBED_TEXT_LENGTH - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? MAX_EMBED_TEXT_LENGTH - 1 : MAX_EMBED_TEXT_LENGTH);
}
