import { answerBlocks } from "./answer-blocks.ts";

/** A piece of a line of an answer. `citation` holds the numbers of a marker that are there to cite. */
export type InlinePart =
  | { kind: "text" | "code" | "strong"; text: string }
  | { kind: "citation"; numbers: number[]; unknown: number[] };

const INLINE =
  /(?<tick>`+)(?<code>[^`]|[^`].*?[^`])\k<tick>(?!`)|\*\*(?<strong>\S|\S[^*]*?\S)\*\*|\[(?<marker>\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\]/gs;
const LONGEST_RANGE = 20;

/** Takes a text apart at its code, its emphasis and its markers `[1]`, `[1, 3]`, `[2–4]`.
 *  @param count Number of citations. A number beyond them is `unknown`, and no link. */
export function inlineParts(text: string, count: number): InlinePart[] {
  const parts: InlinePart[] = [];
  let end = 0;
  const addText = (piece: string): void => {
    const last = parts.at(-1);
    if (last?.kind === "text") last.text += piece;
    else if (piece !== "") parts.push({ kind: "text", text: piece });
  };
  for (const match of text.matchAll(INLINE)) {
    addText(text.slice(end, match.index));
    end = match.index + match[0].length;
    const { code, strong, marker } = match.groups ?? {};
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong !== undefined) {
      for (const part of inlineParts(strong, count)) {
        if (part.kind === "text") parts.push({ kind: "strong", text: part.text });
        else parts.push(part);
      }
    } else {
      const numbers = numbersOf(marker ?? "");
      const isKnown = (number: number): boolean => number >= 1 && number <= count;
      parts.push({
        kind: "citation",
        numbers: numbers.filter(isKnown),
        unknown: numbers.filter((number) => !isKnown(number)),
      });
    }
  }
  addText(text.slice(end));
  return parts;
}

function numbersOf(marker: string): number[] {
  const numbers: number[] = [];
  for (const entry of marker.split(/[,;]/)) {
    const [first = 0, last = first] = entry.split(/[–-]/).map(Number);
    const stop = last >= first && last - first < LONGEST_RANGE ? last : first;
    for (let number = first; number <= stop; number++) numbers.push(number);
    if (stop !== last) numbers.push(last);
  }
  return [...new Set(numbers)];
}

/** What an answer stands on. */
export interface Grounding {
  /** Numbers that are cited and there, ascending. */
  cited: number[];
  /** Numbers that are cited, but stand for nothing. */
  unknown: number[];
  /** Whether it cites at least one passage. */
  grounded: boolean;
}

/** Reads which of the packed passages an answer cites. Brackets in code are code. */
export function groundCitations(text: string, packed: readonly unknown[]): Grounding {
  const cited = new Set<number>();
  const unknown = new Set<number>();
  for (const block of answerBlocks(text)) {
    if (block.kind === "code") continue;
    for (const line of block.kind === "list" ? block.items : [block.text]) {
      for (const part of inlineParts(line, packed.length)) {
        if (part.kind !== "citation") continue;
        for (const number of part.numbers) cited.add(number);
        for (const number of part.unknown) unknown.add(number);
      }
    }
  }
  const ascending = (numbers: Set<number>): number[] => [...numbers].sort((a, b) => a - b);
  return { cited: ascending(cited), unknown: ascending(unknown), grounded: cited.size > 0 };
}
