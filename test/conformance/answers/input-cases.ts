import { expect, test } from "vitest";
import type { Answers } from "../../../src/contracts/answers.ts";
import { nested } from "../../support/nested.ts";
import type { AnsweringStore } from "../answers.ts";

const ANSWER = { query: "q", mode: "lexical", text: "a" };
const CITATION = {
  chunkId: "c",
  documentId: "d",
  title: "t",
  workspacePath: "a.md",
  headingPath: [],
  span: { kind: "line", start: 1, end: 2 },
};
const PACKED = { chunkId: "c", documentId: "d", number: 1, rank: 1, score: 1, tokens: 5 };

/** Field, method, and arguments that are refused for it. */
const CASES: readonly [string, keyof Answers, unknown[]][] = [
  ["answer got", "record", [null]],
  ['answer has an unknown field "answer"', "record", [{ ...ANSWER, answer: "a" }]],
  ["answer.query", "record", [{ ...ANSWER, query: "" }]],
  ["answer.query", "record", [{ ...ANSWER, query: "x".repeat(4097) }]],
  ["answer.mode", "record", [{ ...ANSWER, mode: "fuzzy" }]],
  ["answer.text", "record", [{ ...ANSWER, text: undefined }]],
  ["answer.text", "record", [{ ...ANSWER, text: "語".repeat(349_526) }]],
  ["answer.outcome", "record", [{ ...ANSWER, outcome: "true" }]],
  ["answer.outcome is grounded", "record", [{ ...ANSWER, outcome: "grounded" }]],
  ["answer.refusalReason", "record", [{ ...ANSWER, refusalReason: "no" }]],
  ["answer.refusalReason", "record", [{ ...ANSWER, outcome: "refused", refusalReason: "" }]],
  ["answer.citations", "record", [{ ...ANSWER, citations: CITATION }]],
  ["answer.citations", "record", [{ ...ANSWER, citations: Array.from({ length: 101 }, () => CITATION) }]],
  [
    "answer.citations[1].span.start",
    "record",
    [{ ...ANSWER, citations: [CITATION, { ...CITATION, span: { kind: "line", start: 0, end: 1 } }] }],
  ],
  ["answer.packedChunks", "record", [{ ...ANSWER, packedChunks: {} }]],
  [
    "answer.packedChunks got a list of 2; it takes each chunkId",
    "record",
    [{ ...ANSWER, packedChunks: [PACKED, { ...PACKED, number: 2 }] }],
  ],
  [
    "answer.packedChunks got a list of 2; it takes each number",
    "record",
    [{ ...ANSWER, packedChunks: [PACKED, { ...PACKED, chunkId: "e" }] }],
  ],
  ["answer.packedChunks[0].number", "record", [{ ...ANSWER, packedChunks: [{ ...PACKED, number: 0 }] }]],
  ["answer.packedChunks[0].rank", "record", [{ ...ANSWER, packedChunks: [{ ...PACKED, rank: 0 }] }]],
  ["answer.packedChunks[0].score", "record", [{ ...ANSWER, packedChunks: [{ ...PACKED, score: Number.NaN }] }]],
  ["answer.packedChunks[0].tokens", "record", [{ ...ANSWER, packedChunks: [{ ...PACKED, tokens: 1.5 }] }]],
  ["answer.packedChunks[0] has an unknown field", "record", [{ ...ANSWER, packedChunks: [{ ...PACKED, text: "x" }] }]],
  ["answer.model", "record", [{ ...ANSWER, model: "" }]],
  ["answer.usage", "record", [{ ...ANSWER, usage: 7 }]],
  ["answer.usage.promptTokens", "record", [{ ...ANSWER, usage: { promptTokens: -1 } }]],
  ["answer.latencyMs", "record", [{ ...ANSWER, latencyMs: Number.POSITIVE_INFINITY }]],
  ["answer.metadata", "record", [{ ...ANSWER, metadata: { at: new Date() } }]],
  ["answer.sessionId", "record", [{ ...ANSWER, sessionId: "" }]],
  ["answer.turnId", "record", [{ ...ANSWER, turnId: 7 }]],
  ["id", "get", [""]],
  ["id", "delete", [undefined]],
  ["filter", "list", ["grounded"]],
  ['filter has an unknown field "grounded"', "list", [{ grounded: true }]],
  ["filter.createdAfter", "list", [{ createdAfter: "yesterday" }]],
  ["filter.createdBefore", "list", [{ createdBefore: Number.NaN }]],
  ["filter.outcome", "list", [{ outcome: [] }]],
  ["filter.outcome", "list", [{ outcome: ["grounded", "maybe"] }]],
  ["filter.model", "list", [{ model: null }]],
  ["filter.sessionId", "list", [{ sessionId: "" }]],
  ["page.limit", "list", [{}, { limit: 0 }]],
  ["page.cursor", "list", [{}, { cursor: "garbage" }]],
];

/** What is refused, and changes nothing. */
export function answerInputCases(store: () => AnsweringStore): void {
  const methods = new Set(CASES.map(([, method]) => method));
  test.each([...methods])("%s refuses what it does not take, and names it", async (method) => {
    for (const [field, of, args] of CASES) {
      if (of !== method) continue;
      const answers = store().answers as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const error = await answers[method]!(...args).then(
        () => `${field} was taken`,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "INVALID_INPUT", capability: "answers", operation: method });
      expect((error as Error).message.slice(0, field.length)).toBe(field);
    }
    expect(await store().answers.list()).toEqual({ items: [] });
  });

  test("refuses metadata that is nested 20,000 deep, on this side of a boundary or the other", async () => {
    const answer = { query: "q", mode: "lexical", text: "a", metadata: nested(20_000) } as const;
    await expect(store().answers.record(answer)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringMatching(/levels of lists and objects/) as string,
    });
    expect(await store().answers.list()).toEqual({ items: [] });
  });
}
