import type { FeatureSum } from "./feature-sum.ts";
import { isFunctionCharacter, isFunctionWord } from "./function-words.ts";

/** Scripts without spaces between words, and Hangul, whose words carry their particles with them. */
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
  "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}ー々〆〇";
const ASCII = /^[\0-\x7f]*$/;
const ASCII_WORD = /[a-z0-9]+/g;
const RUN = new RegExp(`([${UNSPACED}][${UNSPACED}\\p{M}]*)|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+`, "gu");
const ACCENTED = /([\p{Script=Latin}\p{Script=Greek}])\p{Mn}+/gu;
const SYMBOLS = /[^\s\p{C}]+/gu;

/** Weights, measured on Cranfield, CACM and CMRC2018 (DESIGN.md). They are summed per feature, the sum taken to ¾. */
const WORD = 1;
const WORD_PART = 0.2;
const FUNCTION_WORD = 0.05;
const CHARACTERS = [1, 1, 0.4];
const FUNCTION_CHARACTER = 0.12;

/** Shortest and longest part of a word, in UTF-16 units, the edges of the word included. */
const SHORTEST_PART = 3;
const LONGEST_PART = 5;
const EDGE = 0x20;

/** Where hashes start: what is equal in letters and different in nature shall not meet. */
const WORD_SEED = 0x811c9dc5 | 0;
const PART_SEED = 0x3c6ef372;
const CHARACTERS_SEED = 0x1b873593;
const PRIME = 0x01000193;

/** Adds the features of a text: words and their parts; runs of one to three characters in scripts without spaces and in
 *  texts of symbols only. A blank text has none. */
export function addTextFeatures(text: string, features: FeatureSum): void {
  if (ASCII.test(text)) {
    for (const word of text.toLowerCase().match(ASCII_WORD) ?? []) addWord(word, features);
  } else {
    for (const match of fold(text).matchAll(RUN)) {
      if (match[1] === undefined) addWord(match[0], features);
      else addCharacters(match[1], features);
    }
  }
  if (features.size > 0) return;
  for (const run of text.match(SYMBOLS) ?? []) addCharacters(run, features);
}

/** One form for letters that differ in width, case or diacritics. */
function fold(text: string): string {
  const lower = text.normalize("NFKC").toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
  return lower.normalize("NFD").replace(ACCENTED, "$1").normalize("NFC");
}

/** FNV-1a over UTF-16 units. @see Fowler, Noll, Vo: draft-eastlake-fnv */
function addWord(word: string, features: FeatureSum): void {
  const weight = isFunctionWord(word) ? FUNCTION_WORD : 1;
  let hash = WORD_SEED;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), PRIME);
  features.add(hash, WORD * weight);
  for (let start = -1; start + SHORTEST_PART <= word.length + 1; start++) {
    let part = PART_SEED;
    const end = Math.min(start + LONGEST_PART, word.length + 1);
    for (let i = start; i < end; i++) {
      part = Math.imul(part ^ (i === -1 || i === word.length ? EDGE : word.charCodeAt(i)), PRIME);
      if (i - start + 1 >= SHORTEST_PART) features.add(part, WORD_PART * weight);
    }
  }
}

function addCharacters(run: string, features: FeatureSum): void {
  const characters = Array.from(run);
  for (let start = 0; start < characters.length; start++) {
    let hash = CHARACTERS_SEED;
    let weight = 1;
    for (let length = 1; length <= CHARACTERS.length && start + length <= characters.length; length++) {
      const character = characters[start + length - 1]!;
      hash = Math.imul(hash ^ character.codePointAt(0)!, PRIME);
      if (isFunctionCharacter(character)) weight *= FUNCTION_CHARACTER;
      features.add(hash, CHARACTERS[length - 1]! * weight);
    }
  }
}
