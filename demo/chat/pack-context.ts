import { shortened } from "./shortened.ts";

/** What {@link packChunks} keeps within a budget. */
export interface Packable {
  text: string;
}

/** A passage with its number in the context, from 1: what `[n]` in an answer stands for. */
export type Packed<Hit extends Packable> = Hit & {
  number: number;
  /** Estimated tokens of `text`. */
  tokens: number;
};

/** Least that is left of a passage that is cut. */
const LEAST_TOKENS = 40;

/** Tokens of a text, estimated: four characters of Latin script, two of other alphabets, one of scripts without spaces. It errs on the
 *  large side for prose. */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    quarters += code < 0x250 ? 1 : code < 0x2e80 ? 2 : 4;
  }
  return Math.ceil(quarters / 4);
}

/** Takes passages, best first, as long as their texts fit into `maxTokens`. One that does not fit is left out for a shorter one after it;
 *  the first one is cut instead, so that there is always one where any was found. */
export function packChunks<Hit extends Packable>(
  hits: readonly Hit[],
  { maxTokens }: { maxTokens: number },
): Packed<Hit>[] {
  const packed: Packed<Hit>[] = [];
  let left = maxTokens;
  for (const hit of hits) {
    const tokens = estimateTokens(hit.text);
    if (tokens <= left) packed.push({ ...hit, number: packed.length + 1, tokens });
    else if (packed.length === 0 && left >= LEAST_TOKENS) {
      const text = cutTo(hit.text, left);
      packed.push({ ...hit, text, number: 1, tokens: estimateTokens(text) });
    } else continue;
    left -= packed.at(-1)?.tokens ?? 0;
  }
  return packed;
}

/** The longest beginning of a text that has at most `tokens`, ending with a word. */
export function cutTo(text: string, tokens: number): string {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (estimateTokens(text.slice(0, middle)) < tokens) low = middle;
    else high = middle - 1;
  }
  return shortened(text, low);
}
