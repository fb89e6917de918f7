import fc from "fast-check";
import { expect, test } from "vitest";
import { packPassages } from "../../demo/chat/pack-passages.ts";
import { cutTo, estimateTokens } from "../../demo/chat/token-estimate.ts";
import { passage } from "./passages.ts";

test("the best passage is cut where it alone is too long, and ends with a word", () => {
  const { context, passages } = packPassages([passage("word ".repeat(1000)), passage("x".repeat(1000), "b")], 80);
  expect(passages.map(({ chunkId }) => chunkId)).toEqual(["c"]);
  expect(passages[0]?.text).toMatch(/^(word )+word…$/u);
  expect(context.text).toContain(passages[0]?.text);
  expect(context.packedChunks).toMatchObject([{ chunkId: "c", number: 1, rank: 1 }]);
});

test("what is packed never exceeds the budget, and something is where anything was found", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 80, max: 300 }), (given, maxTokens) => {
      const { context, passages } = packPassages(
        given.map((text, at) => passage(text, `c${at}`)),
        maxTokens,
      );
      expect(estimateTokens(context.text)).toBeLessThanOrEqual(maxTokens);
      expect(passages.length).toBeGreaterThan(0);
      expect(passages.map(({ chunkId }) => chunkId)).toEqual(context.sources.map(({ citation }) => citation.chunkId));
    }),
  );
});

test("nothing is packed of nothing", () => {
  expect(packPassages([], 100)).toMatchObject({ passages: [], context: { text: "" } });
});

test("a script without spaces is estimated at a token a character", () => {
  expect(estimateTokens("検索の結果")).toBe(5);
  expect(estimateTokens("four")).toBe(1);
  expect(estimateTokens("")).toBe(0);
});

test("no character is cut in half", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (text, tokens) => {
      expect(cutTo(text, tokens).isWellFormed()).toBe(true);
      expect(estimateTokens(cutTo(text, tokens))).toBeLessThanOrEqual(tokens);
    }),
  );
});
