import { estimateTokens, isWithin, TokenCounter } from "./token-estimate.ts";

/** A part of a text, by UTF-16 offsets. Parts follow each other and cover the text. */
export interface TextPart {
  start: number;
  end: number;
  tokens: number;
}

/**
 * Cuts prose into parts {@link isWithin} `limit` tokens, at the best places that allow it: between sentences, else at line
 * ends, else behind a comma or the like, else between words, else between characters as a reader sees them. The rules
 * are our own, as those of `Intl.Segmenter` differ between engines and chunk ids must not.
 */
export function cutProse(text: string, limit: number): TextPart[] {
  return cut(text, 0, text.length, limit, 0);
}

/** Cuts at line ends first: code, tables, lists. */
export function cutLines(text: string, limit: number): TextPart[] {
  return cut(text, 0, text.length, limit, 1);
}

/** Returns the sentences of a text, each with the space behind it. */
export function sentences(text: string): TextPart[] {
  return partsAt(text, 0, text.length, SENTENCE_END);
}

const CLOSERS = "[\"'\u2019\u201d\u00bb)\\]}\u300d\u300f\uff09\u3011\u300b*_`]{0,8}";

/** What a full stop may stand behind without ending a sentence: initials, and abbreviations of some languages. */
const ABBREVIATION =
  "(?:^|[\\s(])(?:\\p{L}|[Ee]\\.g|[Ii]\\.e|[Cc]f|vs|[Mm]rs?|[Mm]s|[DdSs]r|[Pp]rof|[Ss]t|[Nn]o|[Ff]ig|[Ee]q|[Vv]ol|approx|z\\.\\s?B|d\\.\\s?h|bzw|ca|p\\. ex)";

/** Behind a full stop and space, unless a small letter follows; behind a wide one at once; before a list item. */
const SENTENCE_END = new RegExp(
  `(?<!${ABBREVIATION})[.!?\u2026\u061f\u06d4\u0964\u0965\u1362\u0589]{1,8}${CLOSERS}\\s+(?![\\s\\p{Ll}])` +
    `|[\u3002\uff01\uff1f\uff61]{1,8}${CLOSERS}\\s*|\\n(?=[ ]*- )|\\n{2,}`,
  "gu",
);
const LINE_END = /\n+/g;
const CLAUSE_END = /[,;:\u2013\u2014]\s+|[\uff0c\u3001\uff1b\uff1a\u060c]\s*/g;
const WORD_END = /\s+/g;
const LEVELS: readonly RegExp[] = [SENTENCE_END, LINE_END, CLAUSE_END, WORD_END];

function cut(text: string, start: number, end: number, limit: number, level: number): TextPart[] {
  const tokens = estimateTokens(text.slice(start, end));
  if (isWithin(limit, tokens, end - start)) return [{ start, end, tokens }];
  const splitter = LEVELS[level];
  if (splitter === undefined) return cutCharacters(text, start, end, limit);
  const parts: TextPart[] = [];
  // Parts of about equal size: as many as are needed at least, and no scrap at the end.
  const aim = Math.ceil(tokens / Math.max(1, Math.ceil(tokens / limit)));
  let open: TextPart | null = null;
  for (const part of partsAt(text, start, end, splitter)) {
    const together = open === null ? 0 : open.tokens + part.tokens;
    if (open !== null && isWithin(limit, together, part.end - open.start) && together - part.tokens / 2 <= aim) {
      open.end = part.end;
      open.tokens += part.tokens;
      continue;
    }
    if (open !== null) parts.push(open);
    open = null;
    if (isWithin(limit, part.tokens, part.end - part.start)) open = part;
    else for (const piece of cut(text, part.start, part.end, limit, level + 1)) parts.push(piece);
  }
  if (open !== null) parts.push(open);
  return parts;
}

function partsAt(text: string, start: number, end: number, splitter: RegExp): TextPart[] {
  const parts: TextPart[] = [];
  const part = (from: number, to: number): void => {
    if (to > from) parts.push({ start: from, end: to, tokens: estimateTokens(text.slice(from, to)) });
  };
  const within = start === 0 && end === text.length ? text : text.slice(start, end);
  let from = start;
  for (const match of within.matchAll(splitter)) {
    const to = start + match.index + match[0].length;
    part(from, to);
    from = to;
  }
  part(from, end);
  return parts;
}

/**
 * A character with what clings to it: marks, joined emoji, flags, vowels and finals of a Hangul syllable. No script
 * puts more than 30 marks on a character (UAX 15, stream-safe text); what does is cut all the same.
 */
const CHARACTER =
  /(?:\p{RI}\p{RI}|\P{M})(?:[\p{M}\p{Emoji_Modifier}\u1160-\u11ff\u{e0020}-\u{e007f}]|\u200d\p{Extended_Pictographic}?){0,32}|\p{M}{1,32}/gu;

function cutCharacters(text: string, start: number, end: number, limit: number): TextPart[] {
  const parts: TextPart[] = [];
  let counter = new TokenCounter();
  let from = start;
  let tokens = 0;
  for (const match of text.slice(start, end).matchAll(CHARACTER)) {
    const at = start + match.index;
    counter.add(match[0]);
    if (at > from && !isWithin(limit, counter.tokens, at + match[0].length - from)) {
      parts.push({ start: from, end: at, tokens });
      from = at;
      counter = new TokenCounter();
      counter.add(match[0]);
    }
    tokens = counter.tokens;
  }
  if (from < end) parts.push({ start: from, end, tokens });
  return parts;
}
