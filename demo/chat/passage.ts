import type { ChatCitation, Chunk, SearchHit, Snippet } from "lodestore";

/** What was found for a question: a chunk, with what it takes to show and to cite it. */
export interface Passage extends ChatCitation {
  /** The whole text of the chunk. */
  text: string;
  snippet: Snippet;
  /** What it was found as, and in. */
  hit: SearchHit;
  chunk: Chunk;
}

/** The headings above a passage without the outermost where that is the title again. */
export function crumbsOf({ title, headingPath }: Pick<ChatCitation, "title" | "headingPath">): string[] {
  return headingPath[0] === title ? headingPath.slice(1) : headingPath;
}

/** Path and lines: `notes/a.md:3–7`. */
export function placeOf({ workspacePath, span }: Pick<ChatCitation, "workspacePath" | "span">): string {
  return `${workspacePath}:${span.start === span.end ? span.start : `${span.start}–${span.end}`}`;
}

/** The passage as the store keeps it with a turn. */
export function citationOf({ chunkId, documentId, title, workspacePath, headingPath, span }: Passage): ChatCitation {
  return { chunkId, documentId, title, workspacePath, headingPath, span };
}
