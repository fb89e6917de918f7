import fc from "fast-check";
import { expect, test } from "vitest";
import { cutTo, estimateTokens, packChunks } from "../../demo/chat/pack-context.ts";

const hit = (text: string, name = ""): { text: string; name: string } => ({ text, name });

test("passages are taken best first and numbered from 1, as far as they fit", () => {
  const packed = packChunks([hit("a".repeat(40)), hit("b".repeat(400)), hit("c".repeat(40), "c")], { maxTokens: 25 });
  expect(packed.map(({ number, tokens }) => [number, tokens])).toEqual([
    [1, 10],
    [2, 10],
  ]);
  expect(packed[1]?.name).toBe("c");
});

test("the best passage is cut where it alone is too long, and ends with a word", () => {
  const [only, ...others] = packChunks([hit("word ".repeat(1000)), hit("x".repeat(100))], { maxTokens: 50 });
  expect(only?.text).toMatch(/^(word )+word…$/u);
  expect(only?.text.length).toBeGreaterThan(150);
  expect(others).toEqual([]);
});

test("what is packed never exceeds the budget, and is a beginning of what was found", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 400 }), { maxLength: 8 }),
      fc.integer({ min: 40, max: 300 }),
      (texts, maxTokens) => {
        const packed = packChunks(
          texts.map((text) => hit(text)),
          { maxTokens },
        );
        expect(packed.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(maxTokens);
        expect(packed.map(({ number }) => number)).toEqual(packed.map((_, at) => at + 1));
        for (const { text } of packed)
          expect(texts.some((whole) => whole.startsWith(text.replace(/…$/, "")))).toBe(true);
        if (texts.length > 0) expect(packed.length).toBeGreaterThan(0);
      },
    ),
  );
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
