import { shortened } from "./shortened.ts";

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
