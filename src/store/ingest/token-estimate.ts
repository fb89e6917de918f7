/**
 * How many tokens a language model would make of a text, estimated without one.
 *
 * | text | tokens |
 * |---|---|
 * | a run of Latin letters | a quarter of its length, rounded, at least 1 |
 * | a run of letters of any other alphabet, of digits | a third, rounded, at least 1 |
 * | Han, Kana, Hangul | 1 a character |
 * | Thai, Lao, Khmer, Myanmar, Tibetan | half a character, rounded, at least 1 a run |
 * | a run of one punctuation mark or symbol | a quarter, rounded, at least 1 |
 * | a character outside the basic plane: Han | 1, other (emoji) 2 |
 * | space | 0 |
 *
 * The sum over parts that are joined by space is the count of the whole. Part of the chunker's version.
 */
export function estimateTokens(text: string): number {
  const counter = new TokenCounter();
  counter.add(text);
  return counter.tokens;
}

/** Characters that a limit of one token allows: far more than text has, as space counts nothing. */
const CHARACTERS_OF_A_TOKEN_AT_MOST = 48;

/** Whether a text is within a limit of tokens, and no longer than text of so many tokens may be. */
export function isWithin(limit: number, tokens: number, characters: number): boolean {
  return tokens <= limit && characters <= limit * CHARACTERS_OF_A_TOKEN_AT_MOST;
}

const SPACE = 0;
const LATIN = 1;
const LETTER = 2;
const DIGIT = 3;
const WIDE = 4;
const UNSPACED = 5;
const MARK = 6;

/** Characters a token, by class; 0 for classes that are counted one by one. */
const CHARACTERS_A_TOKEN: readonly number[] = [0, 4, 3, 3, 0, 2, 4];

/** Counts the tokens of a text that comes in pieces. */
export class TokenCounter {
  #done = 0;
  #class = SPACE;
  #length = 0;
  #mark = 0;

  get tokens(): number {
    const size = CHARACTERS_A_TOKEN[this.#class]!;
    return size === 0 ? this.#done : this.#done + Math.max(1, Math.round(this.#length / size));
  }

  add(text: string, start = 0, end: number = text.length): void {
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      const kind = code < 128 ? ASCII[code]! : classOf(code);
      if (kind === this.#class && (kind !== MARK || code === this.#mark)) this.#length++;
      else this.#begin(kind, code);
      if (kind === WIDE) this.#done++;
      else if (code >= 0xd800 && code < 0xdc00) this.#done += code >= 0xd840 && code < 0xd900 ? 1 : 2;
    }
  }

  #begin(kind: number, code: number): void {
    this.#done = this.tokens;
    this.#class = kind;
    this.#length = 1;
    this.#mark = code;
  }
}

const ASCII: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code <= 32 || code === 127) return SPACE;
  if (code >= 48 && code <= 57) return DIGIT;
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) ? LATIN : MARK;
});

function classOf(code: number): number {
  if (code < 0x250) return code === 0xa0 ? SPACE : code >= 0xc0 && code !== 0xd7 && code !== 0xf7 ? LATIN : MARK;
  if (code < 0x370) return LATIN; // International phonetic letters, modifiers and combining marks.
  if (code < 0xe00) return LETTER;
  if (code < 0x1100) return code < 0x10a0 ? UNSPACED : LETTER; // Thai, Lao, Tibetan, Myanmar; Georgian.
  if (code < 0x1200) return WIDE; // Hangul letters.
  if (code < 0x1e00) return code >= 0x1780 && code < 0x1800 ? UNSPACED : LETTER;
  if (code < 0x1f00) return LATIN;
  if (code < 0x2000) return LETTER;
  if (code < 0x2e80)
    return (code <= 0x200f && code !== 0x200c && code !== 0x200d) || code === 0x2028 || code === 0x2029 ? SPACE : MARK;
  if (code < 0xd7b0) return code === 0x3000 ? SPACE : code <= 0x3004 || (code > 0x3007 && code < 0x3040) ? MARK : WIDE;
  if (code < 0xe000) return SPACE; // Surrogates: the first of a pair counts by itself.
  if (code < 0xfb00) return code < 0xf900 ? MARK : WIDE;
  if (code < 0xfe00) return LETTER;
  return code === 0xfeff ? SPACE : code >= 0xff66 && code < 0xffe0 ? WIDE : MARK;
}
