/**
 * Globs over workspace paths: `*` and `?` within one part, `**` as a whole part over any number of parts, `[a-z]` and
 * `[!a-z]`, `{a,b}` (nested too), `\` before a character that stands for itself. Anything unclosed is literal.
 *
 * A path is read once while the set of possible positions in the pattern moves along, so the cost is at most pattern
 * length × path length. Translation to a regular expression, as picomatch does it, backtracks: its `*a*a*a*a*ab`
 * took 17 seconds on a path of 200 characters.
 *
 * @see Thompson 1968, Regular expression search algorithm
 */
export type GlobMatcher = (path: string) => boolean;

/** Most patterns that the braces of one glob may stand for, and their length in sum. */
export const MAX_GLOB_ALTERNATIVES = 256;
const MAX_EXPANDED_LENGTH = 16_384;

/** Thrown by {@link compileGlob}: the braces stand for more patterns than are taken. */
export class GlobTooWide extends RangeError {}

interface Token {
  /** `star`: any characters but `/`. `parts`: nothing, or whole parts each with its `/`. `rest`: at least one character. */
  kind: "literal" | "any" | "class" | "star" | "parts" | "rest";
  code: number;
  ranges: readonly (readonly [number, number])[];
  negated: boolean;
}

/** Compiles a glob.
 *  @throws GlobTooWide */
export function compileGlob(pattern: string): GlobMatcher {
  const alternatives = expandBraces(pattern);
  const matchers = alternatives.map((alternative) => {
    const tokens = tokenize(alternative);
    return (codes: readonly number[]): boolean => matchTokens(tokens, codes);
  });
  return (path) => {
    const codes = codePoints(path);
    return matchers.some((matches) => matches(codes));
  };
}

/** Returns the characters with which every path that matches begins, and whether the glob is nothing but them. */
export function literalPrefix(pattern: string): { prefix: string; whole: boolean } {
  const end = pattern.search(/[*?[{\\]/);
  return end < 0 ? { prefix: pattern, whole: true } : { prefix: pattern.slice(0, end), whole: false };
}

function codePoints(text: string): number[] {
  const codes: number[] = [];
  for (const character of text) codes.push(character.codePointAt(0) ?? 0);
  return codes;
}

/** Writes out the first brace group, then the ones in what comes of it: `{a,b}c` → `ac`, `bc`. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  let length = 0;
  // A stack, not recursion: 500 nested braces are no reason to run out of it.
  const waiting: { text: string; from: number }[] = [{ text: pattern, from: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { text, from } = next;
    const group = findGroup(text, from);
    if (group === undefined) {
      done.push(text);
      length += text.length;
    } else {
      const { start, end, options } = group;
      for (const option of options.toReversed()) {
        waiting.push({ text: text.slice(0, start) + option + text.slice(end + 1), from: start });
      }
    }
    if (done.length + waiting.length > MAX_GLOB_ALTERNATIVES || length > MAX_EXPANDED_LENGTH) {
      throw new GlobTooWide(
        `its braces stand for more than ${MAX_GLOB_ALTERNATIVES} patterns or ${MAX_EXPANDED_LENGTH} characters`,
      );
    }
  }
  return [...new Set(done)];
}

function findGroup(text: string, from: number): { start: number; end: number; options: string[] } | undefined {
  const open: { start: number; commas: number[] }[] = [];
  let first: { start: number; end: number; commas: number[] } | undefined;
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === "[") i = classEnd(text, i) ?? i;
    else if (character === "{") open.push({ start: i, commas: [] });
    else if (character === ",") open.at(-1)?.commas.push(i);
    else if (character === "}") {
      const group = open.pop();
      // A group without a comma is literal, as in a shell. The leftmost is written out first.
      if (group !== undefined && group.commas.length > 0 && (first === undefined || group.start < first.start)) {
        first = { ...group, end: i };
      }
      if (open.length === 0 && first !== undefined) break;
    }
  }
  if (first === undefined) return undefined;
  const cuts = [first.start, ...first.commas, first.end];
  const options = cuts.slice(1).map((end, index) => text.slice((cuts[index] ?? 0) + 1, end));
  return { start: first.start, end: first.end, options };
}

/** Index of the `]` that closes the class at `start`; a `]` right after `[`, `[!` or `[^` is a member. */
function classEnd(text: string, start: number): number | undefined {
  let i = start + 1;
  if (text[i] === "!" || text[i] === "^") i++;
  if (text[i] === "]") i++;
  for (; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "]") return i;
  }
  return undefined;
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  const push = (kind: Token["kind"], code = 0, ranges: Token["ranges"] = [], negated = false): void => {
    tokens.push({ kind, code, ranges, negated });
  };
  for (let i = 0; i < pattern.length;) {
    const character = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
    const close = character === "[" ? classEnd(pattern, i) : undefined;
    if (character === "*") {
      let end = i;
      while (pattern[end] === "*") end++;
      const wholePart = end - i === 2 && (i === 0 || pattern[i - 1] === "/");
      if (wholePart && pattern[end] === "/") {
        push("parts");
        end++;
      } else if (wholePart && end === pattern.length) push("rest");
      else push("star");
      i = end;
    } else if (character === "?") {
      push("any");
      i++;
    } else if (close !== undefined) {
      const negated = pattern[i + 1] === "!" || pattern[i + 1] === "^";
      push("class", 0, classRanges(pattern.slice(i + (negated ? 2 : 1), close)), negated);
      i = close + 1;
    } else {
      if (character === "\\" && i + 1 < pattern.length) i++;
      const code = pattern.codePointAt(i) ?? 0;
      push("literal", code);
      i += code > 0xffff ? 2 : 1;
    }
  }
  return tokens;
}

function classRanges(inside: string): [number, number][] {
  const members: { code: number; escaped: boolean }[] = [];
  let escaped = false;
  for (const character of inside) {
    if (character === "\\" && !escaped) {
      escaped = true;
      continue;
    }
    members.push({ code: character.codePointAt(0) ?? 0, escaped });
    escaped = false;
  }
  const ranges: [number, number][] = [];
  for (let i = 0; i < members.length; i++) {
    const from = members[i];
    const dash = members[i + 1];
    const to = members[i + 2];
    if (from === undefined) break;
    if (dash !== undefined && to !== undefined && dash.code === 0x2d && !dash.escaped) {
      ranges.push([from.code, to.code]);
      i += 2;
    } else ranges.push([from.code, from.code]);
  }
  return ranges;
}

const SLASH = 0x2f;

function matchTokens(tokens: readonly Token[], codes: readonly number[]): boolean {
  const end = tokens.length;
  let active = new Uint8Array(end + 1);
  let next = new Uint8Array(end + 1);
  // In `resting[i]` a `rest` or `parts` token is in the middle of what it takes.
  let resting = new Uint8Array(end + 1);
  let nextResting = new Uint8Array(end + 1);
  const enter = (states: Uint8Array, from: number): void => {
    for (let i = from; states[i] === 0; i++) {
      states[i] = 1;
      const kind = tokens[i]?.kind;
      if (kind !== "star" && kind !== "parts") return;
    }
  };
  enter(active, 0);
  for (const code of codes) {
    next.fill(0);
    nextResting.fill(0);
    let alive = false;
    for (let i = 0; i < end; i++) {
      const token = tokens[i];
      if (token === undefined || (active[i] === 0 && resting[i] === 0)) continue;
      alive = true;
      if (token.kind === "parts" || token.kind === "rest") {
        nextResting[i] = 1;
        if (token.kind === "rest" || code === SLASH) enter(next, i + 1);
      } else if (token.kind === "star") {
        if (code !== SLASH) enter(next, i);
      } else if (takes(token, code)) enter(next, i + 1);
    }
    if (!alive) return false;
    [active, next] = [next, active];
    [resting, nextResting] = [nextResting, resting];
  }
  return active[end] === 1;
}

function takes(token: Token, code: number): boolean {
  if (token.kind === "literal") return code === token.code;
  if (code === SLASH) return false;
  if (token.kind === "any") return true;
  return token.ranges.some(([from, to]) => code >= from && code <= to) !== token.negated;
}
