import type { Snippet } from "../../contracts/search.ts";
import { makeSnippet, type Marker } from "../search/snippet.ts";

/** UTF-16 units that are looked through at once, and those that a stretch has in common with the one before. */
const STRETCH = 16_384;
const OVERLAP = 256;

/** The part of the first stretch of a text in which something matches: a turn may be a thousand times as long as a chunk. */
export function turnSnippet(text: string, marker: Marker, length: number): Snippet {
  const first = makeSnippet(text, marker, length);
  if (first.highlights.length > 0) return first;
  for (let from = STRETCH - OVERLAP; from + OVERLAP < text.length; from += STRETCH - OVERLAP) {
    const start = atCharacter(text, from);
    const end = atCharacter(text, Math.min(text.length, from + STRETCH));
    const snippet = makeSnippet(text.slice(start, end), marker, length);
    if (snippet.highlights.length > 0) return cutOut(snippet, end < text.length);
  }
  return first;
}

/** The offset, or the one after it where it would cut a character in two. */
function atCharacter(text: string, offset: number): number {
  const code = text.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff ? offset + 1 : offset;
}

/** The snippet of a stretch that has text before it, and maybe after it. */
function cutOut({ text, highlights }: Snippet, goesOn: boolean): Snippet {
  const head = text.startsWith("…") ? "" : "…";
  const tail = !goesOn || text.endsWith("…") ? "" : "…";
  const moved = highlights.map(([start, end]): [number, number] => [start + head.length, end + head.length]);
  return { text: head + text + tail, highlights: moved };
}
