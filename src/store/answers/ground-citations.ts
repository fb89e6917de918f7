import type { ChatCitation } from "../../contracts/chat.ts";
import { blankCode } from "./blank-code.ts";
import type { PackedSource } from "./pack-chunks.ts";

/** A marker in an answer: `[1]`, `[1, 3]`, `[2-4]`, `【1】`. */
export interface CitationMarker {
  /** Where it stands in the text, `[start, end)` in UTF-16 units. */
  start: number;
  end: number;
  /** Numbers in it, in that order. */
  numbers: number[];
  /** Those of them that no source has. */
  unknown: number[];
}

/** What an answer cites. */
export interface GroundedCitations {
  /** `grounded` where at least one source is cited, and nothing that is none. */
  outcome: "grounded" | "ungrounded";
  /** The cited sources, each once, in the order in which they are first cited. */
  citations: ChatCitation[];
  /** Their numbers, in the same order. */
  numbers: number[];
  markers: CitationMarker[];
}

/** A marker that is no link: `[1](…)`, `[1]: …` and `![1]` are Markdown's. */
const MARKER = /(?<!!)(?:\[(\s*\d[\d\s,;–-]*)\](?![(:])|【(\s*\d[\d\s,;–-]*)】)/gu;
/** Longest run of sources that `[1-9]` means; what is longer is no citation of theirs. */
const LONGEST_RUN = 100;

/**
 * Finds which of the sources that were put before a model its answer cites, by their numbers. Code is not looked into.
 *
 * @param sources What `packChunks` numbered.
 * @example
 *   const { outcome, citations } = groundCitations("Cone 6 melts at 1222 °C [1].", packed.sources);
 */
export function groundCitations(text: string, sources: readonly PackedSource[]): GroundedCitations {
  const sourceOf = new Map(sources.map((source) => [source.number, source.citation]));
  const markers: CitationMarker[] = [];
  const cited = new Set<number>();
  for (const match of blankCode(text).matchAll(MARKER)) {
    const numbers = numbersIn(match[1] ?? match[2] ?? "");
    if (numbers.length === 0) continue;
    const unknown = numbers.filter((number) => !sourceOf.has(number));
    markers.push({ start: match.index, end: match.index + match[0].length, numbers, unknown });
    for (const number of numbers) if (sourceOf.has(number)) cited.add(number);
  }
  const numbers = [...cited];
  const isGrounded = numbers.length > 0 && markers.every(({ unknown }) => unknown.length === 0);
  return {
    outcome: isGrounded ? "grounded" : "ungrounded",
    citations: numbers.flatMap((number) => sourceOf.get(number) ?? []),
    numbers,
    markers,
  };
}

/** `1, 3-5` as 1, 3, 4, 5. What is no list of numbers is none. */
function numbersIn(list: string): number[] {
  const found = new Set<number>();
  for (const part of list.split(/[,;]/u)) {
    const match = /^\s*(\d{1,9})(?:\s*[–-]\s*(\d{1,9}))?\s*$/u.exec(part);
    if (match === null) return [];
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (to < from || to - from >= LONGEST_RUN) return [];
    for (let number = from; number <= to; number++) found.add(number);
  }
  return [...found];
}
