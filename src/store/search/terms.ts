import { stemmer } from "stemmer";
import type { SqlFunctions, SqlValue } from "../../contracts/sql.ts";

/**
 * How text becomes index terms. One place for both sides: the triggers call it for chunks, the query compiler for
 * what is asked.
 *
 * FTS5's unicode61 cuts at spaces, so scripts that write none would be indexed by the sentence. Here every run of
 * such a script becomes its overlapping character pairs and its last character: `数据库` → `数据 据库 库`. A pair is
 * one posting; a single character is found as the beginning of a pair; longer words are phrases of pairs.
 *
 * Raise {@link TERMS_VERSION} with every change of what comes out: the store rebuilds its text index when it opens.
 */
export const TERMS_VERSION = "1";

/** Scripts without spaces between words, and Hangul, whose words carry their particles with them. */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
  "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}ー々〆〇";

/** One word as unicode61 sees it (letters, numbers, private use, marks), cut where the script changes. */
const RUN = new RegExp(`([${UNSPACED}][${UNSPACED}\\p{M}]*)|((?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{Co}\\p{M}])+)`, "gu");

const UNSPACED_RUN = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{M}]*`, "gu");
/** Words of Latin letters, digits and marks: among these are the English ones. */
const LATIN_WORD = new RegExp("[\\u0300-\\u036fA-Za-z0-9\\u00aa-\\u024f\\u1e00-\\u1eff\\uff10-\\uff5a]+", "g");
const MARK = /\p{M}/u;
const GRAPHEME = /[\s\S]\p{M}*/gu;
const ASCII = /^[\0-\x7f]*$/;
const ENGLISH = /^[a-z]{3,64}$/;

/** A stretch of text that is one word or one run of an unspaced script. */
export interface Run {
  /** UTF-16 offsets in the text it was found in. */
  start: number;
  end: number;
  text: string;
  unspaced: boolean;
}

/** Cuts text into words and unspaced runs, in order. */
export function runs(text: string): Run[] {
  const found: Run[] = [];
  for (const match of text.matchAll(RUN)) {
    const start = match.index;
    found.push({
      start,
      end: start + match[0].length,
      text: match[0],
      unspaced: match[1] !== undefined,
    });
  }
  return found;
}

/** Characters with the marks that stand on them. */
export function graphemes(run: string): string[] {
  return MARK.test(run) ? (run.match(GRAPHEME) ?? []) : Array.from(run);
}

/** Letters that no decomposition takes apart, as people without them on their keyboard write them. */
const LETTERS: ReadonlyMap<string, string> = new Map(
  "ß:ss ẞ:ss ı:i ł:l Ł:l ø:o Ø:o đ:d Đ:d æ:ae Æ:ae œ:oe Œ:oe ς:σ"
    .split(" ")
    .map((pair): [string, string] => [pair.slice(0, 1), pair.slice(2)]),
);

/** Latin and Greek letters beyond ASCII, and the Cyrillic ё: й is a letter of its own and stays. */
const ACCENTED = /[\u00c0-\u024f\u0370-\u03ff\u0401\u0451\u1e00-\u1fff]+/g;

/** Takes diacritics off. unicode61 does so for Latin letters only; what both sides pass through here agrees. */
function plainLetters(text: string): string {
  return text.replace(ACCENTED, (run) =>
    Array.from(run.normalize("NFD").replace(/[\u0300-\u036f]+/g, ""), (letter) => LETTERS.get(letter) ?? letter)
      .join("")
      .normalize("NFC"),
  );
}

/** The form under which a word is filed: no case, no diacritics. */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  return plainLetters(plainLetters(word.normalize("NFKC")).toLowerCase());
}

/** Returns the stem of a folded English word, or the word itself where it is none.
 *  @see Porter 1980, An algorithm for suffix stripping */
export function stem(word: string): string {
  return ENGLISH.test(word) ? stemmer(word) : word;
}

/** Pairs of neighbouring characters of an unspaced run; one character stays alone. */
export function pairs(run: string): string[] {
  const characters = graphemes(run);
  if (characters.length < 2) return characters;
  const found: string[] = [];
  for (let i = 0; i + 1 < characters.length; i++) found.push(`${characters[i]}${characters[i + 1]}`);
  return found;
}

/** Returns the text as unicode61 shall read it: unspaced runs as pairs and their last character, diacritics off, the rest as it is. */
export function indexTerms(text: string): string {
  if (ASCII.test(text)) return text;
  return plainLetters(text.normalize("NFKC")).replace(UNSPACED_RUN, (run) => {
    const characters = graphemes(run);
    let terms = " ";
    for (let i = 0; i + 1 < characters.length; i++) terms += `${characters[i]}${characters[i + 1]} `;
    return `${terms}${characters.at(-1)} `;
  });
}

/** Returns the stems of the English words that are inflected, once per occurrence. */
export function inflectedStems(text: string): string {
  let found = "";
  for (const word of text.match(LATIN_WORD) ?? []) {
    const root = inflectedStem(word);
    if (root !== "") found += `${root} `;
  }
  return found.trimEnd();
}

/** Stems by word as written; empty for words that are their own stem. Texts repeat their words. */
const stems = new Map<string, string>();
const MAX_REMEMBERED_STEMS = 50_000;

function inflectedStem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const folded = fold(word);
  const root = stem(folded);
  if (stems.size >= MAX_REMEMBERED_STEMS) stems.clear();
  const inflected = root === folded ? "" : root;
  stems.set(word, inflected);
  return inflected;
}

function text(value: SqlValue | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The SQL functions that the triggers of V002 call. */
export const searchFunctions: SqlFunctions = {
  lodestore_terms: (value) => indexTerms(text(value)),
  lodestore_forms: (heading, body) => inflectedStems(`${text(heading)} ${text(body)}`),
};
