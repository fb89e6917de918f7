import type { Snippet } from "../../contracts/search.ts";
import type { Mark } from "./query.ts";
import { fold, graphemes, pairs, runs, stem } from "./terms.ts";

/** A place in the text that a mark matches, and which of the marks it was. */
interface Match {
  start: number;
  end: number;
  mark: number;
}

/** What the marks look for, looked up per word. */
export interface Marker {
  words: Map<string, number>;
  stems: Map<string, number>;
  prefixes: { text: string; mark: number }[];
  /** First letters of all of these: a stem begins as its word does. */
  initials: Set<string>;
  pairs: Map<string, number>;
  characters: Map<string, number>;
}

/** Prepares marks once per search. */
export function prepareMarks(marks: readonly Mark[], stemming: boolean): Marker {
  const marker: Marker = {
    words: new Map(),
    stems: new Map(),
    prefixes: [],
    initials: new Set(),
    pairs: new Map(),
    characters: new Map(),
  };
  marks.forEach((mark, index) => {
    if (mark.kind !== "characters") marker.initials.add(mark.text.charAt(0));
    if (mark.kind === "prefix") marker.prefixes.push({ text: mark.text, mark: index });
    else if (mark.kind === "word") {
      if (!marker.words.has(mark.text)) marker.words.set(mark.text, index);
      if (stemming) marker.stems.set(stem(mark.text), index);
    } else {
      for (const pair of pairs(mark.text)) {
        const single = graphemes(pair).length === 1;
        (single ? marker.characters : marker.pairs).set(pair, index);
      }
    }
  });
  return marker;
}

function matches(text: string, marker: Marker): Match[] {
  const found: Match[] = [];
  for (const run of runs(text)) {
    if (run.unspaced) {
      unspacedMatches(run.text, run.start, marker, found);
      continue;
    }
    if (!mayBegin(run.text, marker)) continue;
    const word = fold(run.text);
    const mark =
      marker.words.get(word) ??
      marker.prefixes.find((prefix) => word.startsWith(prefix.text))?.mark ??
      (marker.stems.size > 0 ? marker.stems.get(stem(word)) : undefined);
    if (mark !== undefined) found.push({ start: run.start, end: run.end, mark });
  }
  return found;
}

const ASCII_END = 0x80;

/** Whether a word may be among the marks by its first letter: most are not, and need not be folded and stemmed. */
function mayBegin(word: string, { initials }: Marker): boolean {
  return word.charCodeAt(0) >= ASCII_END || initials.has(word.charAt(0).toLowerCase());
}

function unspacedMatches(run: string, offset: number, marker: Marker, found: Match[]): void {
  if (marker.pairs.size === 0 && marker.characters.size === 0) return;
  const characters = graphemes(run);
  const normal = characters.map((character) => character.normalize("NFKC"));
  let start = offset;
  characters.forEach((character, i) => {
    const end = start + character.length;
    const own = normal[i] ?? "";
    const single = marker.characters.get(own);
    if (single !== undefined) found.push({ start, end, mark: single });
    const next = characters[i + 1];
    const pair = next === undefined ? undefined : marker.pairs.get(own + (normal[i + 1] ?? ""));
    if (pair !== undefined && next !== undefined) found.push({ start, end: end + next.length, mark: pair });
    start = end;
  });
}

/** Returns the offsets that the matches of the best window span: each different mark counts most, its repeats little. */
function bestWindow(found: readonly Match[], length: number): { start: number; end: number } {
  let best = { start: 0, end: 0 };
  let bestWorth = -1;
  found.forEach((from, first) => {
    const different = new Set<number>();
    let repeats = 0;
    let end = from.end;
    for (let next = first; next < found.length; next++) {
      const match = found[next];
      if (match === undefined || match.end - from.start > length) break;
      if (different.has(match.mark)) repeats++;
      else different.add(match.mark);
      end = Math.max(end, match.end);
    }
    const worth = different.size + repeats / 100;
    if (worth > bestWorth) {
      bestWorth = worth;
      best = { start: from.start, end };
    }
  });
  return best;
}

const BOUNDARY = /[\s。！？、，．]/u;

/** Moves an offset to the start of a word near it, never into a surrogate pair. */
function toBoundary(text: string, offset: number, reach: number): number {
  if (offset <= 0) return 0;
  for (let i = offset; i < Math.min(text.length, offset + reach); i++) {
    if (BOUNDARY.test(text[i - 1] ?? "")) return i;
  }
  const code = text.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff ? offset + 1 : offset;
}

/** Merges overlapping and touching matches into sorted ranges. */
function merge(found: readonly Match[], from: number, to: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (const match of found) {
    if (match.start < from || match.end > to) continue;
    const last = ranges.at(-1);
    if (last !== undefined && match.start - from <= last[1]) last[1] = Math.max(last[1], match.end - from);
    else ranges.push([match.start - from, match.end - from]);
  }
  return ranges;
}

/** Longest text that is looked through for marks; what a chunk holds beyond it is not marked. */
const SCAN_LIMIT = 16_384;

/** Returns the part of `text` with the most different marks, at most `length` UTF-16 units.
 *  An ellipsis stands where text was left out; it does not count. */
export function makeSnippet(text: string, marker: Marker, length: number): Snippet {
  const scanned = text.length > SCAN_LIMIT ? text.slice(0, SCAN_LIMIT) : text;
  const found = matches(scanned, marker).toSorted((a, b) => a.start - b.start || b.end - a.end);
  let from = 0;
  let keepUntil = 0;
  if (text.length > length && found.length > 0) {
    const window = bestWindow(found, length);
    // Beyond the span of the matches, what room is left goes half before them, for they need some context.
    const lead = Math.floor(Math.min(Math.max(0, length - (window.end - window.start)) / 2, length / 4));
    if (window.end > length) {
      from = Math.min(window.start - lead, text.length - length);
      from = toBoundary(text, from, Math.max(1, window.start - from));
    }
    keepUntil = window.end;
  }
  let to = Math.min(text.length, from + length);
  if (to < text.length) {
    const cut = text.slice(from, to).search(/[\s][^\s]*$/u);
    if (cut > length / 2 && from + cut >= keepUntil) to = from + cut;
    const code = text.charCodeAt(to - 1);
    if (code >= 0xd800 && code <= 0xdbff) to--;
  }
  const head = from > 0 ? "…" : "";
  const tail = to < text.length ? "…" : "";
  const highlights = merge(found, from, to).map(([start, end]): [number, number] => [
    start + head.length,
    end + head.length,
  ]);
  return { text: head + text.slice(from, to) + tail, highlights };
}
