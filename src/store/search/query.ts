import type { Stemming } from "../../contracts/search.ts";
import { type CallSite, refusal } from "../../contracts/validate.ts";
import { EXACT_COLUMNS, quoted, wordExpression } from "./expressions.ts";
import { fold, indexTerms, pairs, runs, stem, type Run } from "./terms.ts";

/**
 * From what a person typed to FTS5 expressions. Nothing a person types reaches FTS5 as syntax: every word is quoted,
 * and only `"phrases"`, `begin*` and `-not` are read as more than text.
 */

/** Most terms that take part in one search; what comes after them in a long text is left out. */
export const MAX_TERMS = 128;

/** Most different phrases that a hit must hold, and most that it must not. Each is a look-up of its own. */
export const MAX_PHRASES = 64;

/** Beginnings shorter than this are looked up in headings only: in texts they match nearly everything. */
const SHORT_PREFIX = 4;

/** English words that say nothing about what is sought. Left out while other words are there. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    "a about above after again all also am an and any are as at be because been before being below between both but by " +
    "can could did do does down during each few for from further had has have he her here him his how i if in into is " +
    "it its just may me might more most much must my no nor not now of off on once only or other our out over own per " +
    "same she should so some such than that the their them then there these they this those through to too under " +
    "until up us very via was we were what when where which while who whom whose why will with would you your"
  ).split(" "),
);

/** One thing to find, with the expressions that find and rank it. */
export interface Term {
  /** As written, folded. */
  word: string;
  /** Finds and ranks, over all columns. */
  ranking: string;
  /** Holds where the term counts as found: the word itself, or with stemming `match` any form. */
  exact: string;
  /** Whether the word is its own stem, as far as ranking goes. */
  isStem: boolean;
  /** Whether it is a function word of English. */
  functionWord: boolean;
}

export interface ParsedQuery {
  terms: Term[];
  /** Phrases that a hit must hold. */
  required: string[];
  /** What a hit must not hold. */
  excluded: string[];
  /** A short beginning that stands alone: looked up in headings. */
  headingPrefix: string | undefined;
  /** What to mark in snippets. */
  marks: Mark[];
}

/** What a snippet marks: words equal to, of the same stem as, or beginning with `text`; or characters of an unspaced script. */
export interface Mark {
  kind: "word" | "prefix" | "characters";
  text: string;
}

export interface QueryOptions {
  stemming: Stemming;
  /** Everything is text. */
  plainText: boolean;
  prefixLast: boolean;
}

interface Piece {
  text: string;
  phrase: boolean;
  negated: boolean;
  prefix: boolean;
}

const WORD = /\S+/gu;
const PIECE = /(?<=^|\s)(-?)"([^"]*)"|(\S+)/gu;

/** Cuts the text into words and, unless everything is text, the deliberate syntax. */
function pieces(text: string, plainText: boolean): Piece[] {
  if (plainText) {
    return (text.match(WORD) ?? []).map((word) => ({ text: word, phrase: false, negated: false, prefix: false }));
  }
  const found: Piece[] = [];
  for (const match of text.matchAll(PIECE)) {
    const [, minus, phrase, word] = match;
    if (phrase !== undefined) {
      found.push({ text: phrase, phrase: true, negated: minus === "-", prefix: false });
    } else if (word !== undefined) {
      const negated = /^-[^-\s]/u.test(word);
      const prefix = /[\p{L}\p{N}\p{M}]\*$/u.test(word);
      found.push({ text: negated ? word.slice(1) : word, phrase: false, negated, prefix });
    }
  }
  return found;
}

/** The phrase that stands where `text` stands, to the letter; undefined where the text holds no word. */
function phraseOf(text: string): string | undefined {
  const found = runs(text.normalize("NFKC"));
  const last = found.at(-1);
  if (last === undefined) return undefined;
  const before = found
    .slice(0, -1)
    .map((run) => run.text)
    .join(" ");
  const tail = last.unspaced ? pairs(last.text) : [fold(last.text)];
  const single = last.unspaced && tail[0] === last.text && tail.length === 1;
  const tokens = `${indexTerms(before)} ${tail.join(" ")}`.trim().split(/\s+/u);
  return `${EXACT_COLUMNS} : ${quoted(tokens.join(" "))}${single ? " *" : ""}`;
}

function wordTerm(run: Run, options: QueryOptions): Term {
  const word = fold(run.text);
  const asWritten = wordExpression(word, "exact");
  const ranking = options.stemming === "off" ? asWritten : wordExpression(stem(word), "all");
  const exact = options.stemming === "match" ? ranking : asWritten;
  return { word, ranking, exact, isStem: stem(word) === word, functionWord: FUNCTION_WORDS.has(word) };
}

/** A word that is being written, or marked with an asterisk. The whole word ranks before its continuations; they take
 *  the place of stems, so that nothing else has to hold: one look-up a keystroke. */
function prefixTerm(run: Run, options: QueryOptions): Term {
  const whole = wordTerm(run, options);
  const exact = wordExpression(whole.word, "exact");
  const asWritten = options.stemming === "match" ? whole.ranking : exact;
  const expression = `${asWritten} OR ${exact} *`;
  return { ...whole, ranking: expression, exact: expression, isStem: true, functionWord: false };
}

function unspacedTerms(run: Run): Term[] {
  const found = pairs(run.text);
  const single = found.length === 1 && found[0] === run.text;
  return found.map((pair) => {
    const expression = `${wordExpression(pair, "exact")}${single ? " *" : ""}`;
    return { word: pair, ranking: expression, exact: expression, isStem: true, functionWord: false };
  });
}

const SEARCH: CallSite = { capability: "search", operation: "search" };

/** Reads a query. Every word takes part as often as it was written: repeating a word gives it weight.
 *  @param site Who searches, for the error.
 *  @throws StorageError INVALID_INPUT (too many phrases or exclusions) */
export function parseQuery(text: string, options: QueryOptions, site: CallSite = SEARCH): ParsedQuery {
  const parsed: ParsedQuery = { terms: [], required: [], excluded: [], headingPrefix: undefined, marks: [] };
  const all = pieces(text.normalize("NFKC"), options.plainText);
  const typing = options.prefixLast && /[\p{L}\p{N}\p{M}]$/u.test(text);
  all.forEach((piece, index) => {
    if (piece.negated) exclude(piece, parsed);
    else include(piece, typing && index === all.length - 1, options, parsed);
  });
  parsed.terms.length = Math.min(parsed.terms.length, MAX_TERMS);
  parsed.required = distinct(site, parsed.required, "phrases");
  parsed.excluded = distinct(site, parsed.excluded, "exclusions");
  return parsed;
}

function distinct(site: CallSite, expressions: readonly string[], what: string): string[] {
  const found = [...new Set(expressions)];
  if (found.length <= MAX_PHRASES) return found;
  throw refusal(site, `text has ${found.length} ${what}; it takes at most ${MAX_PHRASES}`);
}

function exclude(piece: Piece, parsed: ParsedQuery): void {
  const phrase = phraseOf(piece.text);
  if (phrase !== undefined) parsed.excluded.push(piece.prefix && !phrase.endsWith("*") ? `${phrase} *` : phrase);
}

/** @param typing The piece is the last and may go on. */
function include(piece: Piece, typing: boolean, options: QueryOptions, parsed: ParsedQuery): void {
  if (piece.phrase) {
    const phrase = phraseOf(piece.text);
    if (phrase !== undefined) parsed.required.push(phrase);
  }
  const found = runs(piece.text);
  found.forEach((run, position) => {
    const begins = position === found.length - 1 && !piece.phrase && (piece.prefix || typing);
    if (run.unspaced) {
      parsed.terms.push(...unspacedTerms(run));
      parsed.marks.push({ kind: "characters", text: run.text });
      return;
    }
    parsed.marks.push({ kind: begins ? "prefix" : "word", text: fold(run.text) });
    if (begins && !piece.prefix && run.text.length < SHORT_PREFIX) {
      // One letter is only itself: what begins with it is a tenth of everything.
      const alone = parsed.terms.length === 0 && run.text.length > 1;
      if (alone) parsed.headingPrefix = `{heading} : ${quoted(fold(run.text))} *`;
      parsed.terms.push(wordTerm(run, options));
    } else {
      parsed.terms.push(begins ? prefixTerm(run, options) : wordTerm(run, options));
    }
  });
}
