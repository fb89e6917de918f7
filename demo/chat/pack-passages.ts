import { packChunks, type PackedContext } from "lodestore";
import type { Passage } from "./passage.ts";
import { cutTo, estimateTokens } from "./token-estimate.ts";

/** What a model is given: the packed context, and the passages in it, in the order of their numbers. */
export interface PackedPassages {
  context: PackedContext;
  passages: Passage[];
}

/** Least that is left of a passage that is cut. */
const LEAST_TOKENS = 40;

/** Puts passages, best first, into one numbered text of at most `maxTokens`. Where not even one fits, the best one is cut instead, so that
 *  there is always one where any was found. */
export function packPassages(passages: readonly Passage[], maxTokens: number): PackedPassages {
  const whole = pack(passages, maxTokens);
  const [best] = passages;
  if (whole.passages.length > 0 || best === undefined) return whole;
  const empty = pack([withText(best, "")], Number.MAX_SAFE_INTEGER).context.tokens;
  // The end of what is cut, and the line before it, round up.
  return pack([withText(best, cutTo(best.text, Math.max(LEAST_TOKENS, maxTokens - empty - 2)))], maxTokens);
}

function pack(passages: readonly Passage[], maxTokens: number): PackedPassages {
  const context = packChunks(
    passages.map(({ hit }) => hit),
    passages.map(({ chunk }) => chunk),
    { maxTokens: Math.min(maxTokens, 10_000_000), countTokens: estimateTokens },
  );
  const byChunk = new Map(passages.map((passage) => [passage.chunkId, passage]));
  return { context, passages: context.packedChunks.flatMap(({ chunkId }) => byChunk.get(chunkId) ?? []) };
}

function withText(passage: Passage, text: string): Passage {
  return { ...passage, text, chunk: { ...passage.chunk, text } };
}
