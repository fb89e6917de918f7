import type { ChatTurn, Snippet } from "lodestore";
import type { Passage } from "./passage.ts";
import { beginning } from "./shortened.ts";

/** How an answer came to be: by a model, as sentences of the passages, or not at all. */
export type AnswerKind = "model" | "extract" | "nothing";

/** What the demo keeps with a turn, besides its citations. */
export interface TurnMetadata {
  /** Only answers have it. */
  answer: AnswerKind | null;
  /** Whether a person or a limit ended the answer before the model did. */
  ended: "stopped" | "limit" | null;
  /** Snippets of the citations, in their order. */
  snippets: Snippet[];
}

/** Longest snippet that is kept: metadata has its limit. */
const LONGEST_SNIPPET = 600;

/** Writes metadata as the store takes it. */
export function metadataOf(
  answer: AnswerKind | null,
  passages: readonly Pick<Passage, "snippet">[],
  ended: TurnMetadata["ended"] = null,
): Record<string, unknown> {
  const snippets = passages.map(({ snippet: { text, highlights } }) => {
    const kept = beginning(text, LONGEST_SNIPPET);
    return { text: kept, highlights: highlights.filter(([, end]) => end <= kept.length) };
  });
  return { ...(answer !== null && { answer }), ...(ended !== null && { ended }), snippets };
}

/** Reads metadata; another program may have written it, or none. */
export function readMetadata({ metadata }: Pick<ChatTurn, "metadata">): TurnMetadata {
  const { answer, ended, snippets } = metadata;
  return {
    answer: answer === "model" || answer === "extract" || answer === "nothing" ? answer : null,
    ended: ended === "stopped" || ended === "limit" ? ended : null,
    snippets: Array.isArray(snippets) ? snippets.map(readSnippet) : [],
  };
}

function readSnippet(value: unknown): Snippet {
  const { text, highlights } = (value ?? {}) as { text?: unknown; highlights?: unknown };
  if (typeof text !== "string") return { text: "", highlights: [] };
  let end = 0;
  const isSound = (range: unknown): range is [number, number] => {
    if (!Array.isArray(range)) return false;
    const [start, stop] = range as unknown[];
    if (!Number.isInteger(start) || !Number.isInteger(stop)) return false;
    if ((start as number) < end || (stop as number) <= (start as number) || (stop as number) > text.length)
      return false;
    end = stop as number;
    return true;
  };
  return { text, highlights: Array.isArray(highlights) ? highlights.filter(isSound) : [] };
}
