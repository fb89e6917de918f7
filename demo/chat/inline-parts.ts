import { groundCitations, type PackedSource } from "lodestore";

/** A piece of a line of an answer. `citation` holds the numbers of a marker that are there to cite, and those that stand for nothing. */
export type InlinePart =
  | { kind: "text" | "code" | "strong"; text: string }
  | { kind: "citation"; numbers: number[]; unknown: number[] };

const SPAN = /(?<tick>`+)(?<code>[^`]|[^`].*?[^`])\k<tick>(?!`)|\*\*(?<strong>\S|\S[^*]*?\S)\*\*/gs;

/** Takes a text apart at its code, its emphasis and its markers, which are those that the library finds. */
export function inlineParts(text: string, sources: readonly PackedSource[]): InlinePart[] {
  const { markers } = groundCitations(text, sources);
  const parts: InlinePart[] = [];
  const add = (kind: "text" | "strong", from: number, to: number): void => {
    let end = from;
    for (const marker of markers) {
      if (marker.start < from || marker.end > to) continue;
      addText(kind, text.slice(end, marker.start));
      const { numbers, unknown } = marker;
      parts.push({ kind: "citation", numbers: numbers.filter((number) => !unknown.includes(number)), unknown });
      end = marker.end;
    }
    addText(kind, text.slice(end, to));
  };
  const addText = (kind: "text" | "strong", piece: string): void => {
    if (piece !== "") parts.push({ kind, text: piece });
  };
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    const { code } = match.groups ?? {};
    const after = match.index + match[0].length;
    add("text", end, match.index);
    if (code === undefined) add("strong", match.index + 2, after - 2);
    else parts.push({ kind: "code", text: code });
    end = after;
  }
  add("text", end, text.length);
  return parts;
}
