import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Chunk } from "../../src/contracts/documents.ts";
import type { SearchHit } from "../../src/contracts/search.ts";
import { groundCitations, packChunks, StorageError } from "../../src/index.ts";
import { estimateTokens } from "../../src/store/ingest/token-estimate.ts";

function hit(id: string, over: Partial<SearchHit> = {}): SearchHit {
  const span = { kind: "line", start: 3, end: 9 } as const;
  return {
    chunkId: id,
    documentId: `doc of ${id}`,
    title: "Kiln guide",
    headingPath: ["Kiln guide", "Cones"],
    snippet: { text: "", highlights: [] },
    citation: { workspacePath: `guides/${id}.md`, headingPath: ["Kiln guide", "Cones"], span },
    score: 1,
    scoreKind: "bm25",
    lexicalRank: 1,
    lexicalScore: 1,
    vectorRank: null,
    vectorScore: null,
    ...over,
  };
}

function chunk(id: string, text: string): Chunk {
  const span = { kind: "line", start: 3, end: 9 } as const;
  return {
    id,
    documentId: `doc of ${id}`,
    ordinal: 0,
    blockIds: [],
    headingPath: [],
    text,
    span,
    tokenCount: 1,
    chunkerVersion: "1",
    policyHash: "p",
  };
}

describe("packChunks", () => {
  test("numbers the sources, best first, and says what they are", () => {
    const packed = packChunks(
      [hit("b", { score: 2 }), hit("a", { title: "", citation: { ...hit("a").citation, headingPath: [] } })],
      [chunk("a", "Second."), chunk("b", "First.\nMore.")],
      { maxTokens: 1000 },
    );
    expect(packed.text).toBe(
      "[1] Kiln guide › Cones (guides/b.md:3-9)\nFirst.\nMore.\n\n[2] (guides/a.md:3-9)\nSecond.",
    );
    expect(packed.tokens).toBe(estimateTokens(packed.text));
    expect(packed.sources).toEqual([
      {
        number: 1,
        citation: {
          chunkId: "b",
          documentId: "doc of b",
          title: "Kiln guide",
          workspacePath: "guides/b.md",
          headingPath: ["Kiln guide", "Cones"],
          span: { kind: "line", start: 3, end: 9 },
        },
      },
      { number: 2, citation: expect.objectContaining({ chunkId: "a", title: "" }) },
    ]);
    expect(packed.packedChunks).toMatchObject([
      { chunkId: "b", documentId: "doc of b", number: 1, rank: 1, score: 2 },
      { chunkId: "a", documentId: "doc of a", number: 2, rank: 2, score: 1 },
    ]);
    expect(packed.packedChunks.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(packed.tokens);
    expect(packed.leftOut).toEqual([]);
  });

  test("leaves out what is there already, what is gone, and what does not fit; a smaller one after it still may", () => {
    const chunks = [
      chunk("a", "kiln clay"),
      chunk("twin", "kiln\n  clay"),
      chunk("long", "clay ".repeat(500)),
      chunk("b", "glaze"),
    ];
    const hits = ["a", "twin", "a", "gone", "long", "b"].map((id) => hit(id));
    const packed = packChunks(hits, chunks, { maxTokens: 60 });
    expect(packed.sources.map(({ number, citation }) => [number, citation.chunkId])).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    expect(packed.leftOut).toEqual([
      { chunkId: "twin", reason: "duplicate" },
      { chunkId: "a", reason: "duplicate" },
      { chunkId: "gone", reason: "missing" },
      { chunkId: "long", reason: "budget" },
    ]);
    expect(packed.packedChunks[1]).toMatchObject({ chunkId: "b", rank: 6 });
  });

  test("takes no more than maxChunks, and counts as it is told", () => {
    const hits = ["a", "b", "c"].map((id) => hit(id));
    const chunks = ["a", "b", "c"].map((id) => chunk(id, id));
    expect(packChunks(hits, chunks, { maxTokens: 1000, maxChunks: 2 }).sources).toHaveLength(2);
    const counted = packChunks(hits, chunks, { maxTokens: 100, countTokens: (text) => text.length });
    expect(counted.tokens).toBe(counted.text.length);
    expect(counted.sources).toHaveLength(2);
  });

  test("is never beyond the budget, keeps the order, and has each text once, whatever is packed", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), { maxLength: 12 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 200 }), (given, maxTokens) => {
        const packed = packChunks(
          given.map((_, n) => hit(`c${n}`)),
          given.map((text, n) => chunk(`c${n}`, text)).toReversed(),
          { maxTokens },
        );
        expect(estimateTokens(packed.text)).toBeLessThanOrEqual(maxTokens);
        expect(packed.tokens).toBe(packed.text === "" ? 0 : estimateTokens(packed.text));
        const places = packed.packedChunks.map(({ rank }) => rank!);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(packed.sources.map(({ number }) => number)).toEqual(places.map((_, n) => n + 1));
        const said = places.map((rank) => given[rank - 1]!.replaceAll(/\s+/gu, " ").trim());
        expect(new Set(said).size).toBe(said.length);
        expect(places.length + packed.leftOut.length).toBe(given.length);
      }),
    );
  });

  test.each([
    ["options", 7],
    ['options has an unknown field "max"', { maxTokens: 5, max: 1 }],
    ["options.maxTokens", {}],
    ["options.maxTokens", { maxTokens: 0 }],
    ["options.maxChunks", { maxTokens: 5, maxChunks: 101 }],
    ["options.countTokens", { maxTokens: 5, countTokens: "words" }],
  ])("refuses %s", (field, options) => {
    const pack = (): unknown => packChunks([], [], options as { maxTokens: number });
    expect(pack).toThrow(StorageError);
    expect(pack).toThrow(field);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "3", Promise.resolve(3)])(
    "refuses a counter that returns %s",
    (returned) => {
      const countTokens = (): number => returned as number;
      const pack = (): unknown => packChunks([hit("a")], [chunk("a", "a")], { maxTokens: 5, countTokens });
      expect(pack).toThrow(
        expect.objectContaining({
          code: "INVALID_INPUT",
          capability: "answers",
          message: expect.stringContaining("options.countTokens returned"),
        }),
      );
    },
  );

  test("takes a counter that finds nothing to count", () => {
    const packed = packChunks([hit("a")], [chunk("a", "a")], { maxTokens: 5, countTokens: () => 0 });
    expect(packed).toMatchObject({ tokens: 0, sources: [{ number: 1 }] });
  });
});

describe("groundCitations", () => {
  const { sources } = packChunks(
    ["a", "b", "c", "d"].map((id) => hit(id)),
    ["a", "b", "c", "d"].map((id) => chunk(id, id)),
    { maxTokens: 1000 },
  );
  const ground = (text: string): [string, number[]] => {
    const { outcome, numbers, citations } = groundCitations(text, sources);
    expect(citations.map(({ chunkId }) => chunkId)).toEqual(numbers.map((number) => "abcd"[number - 1]));
    return [outcome, numbers];
  };

  test.each<[string, [string, number[]]]>([
    ["It melts at 1222 °C [2].", ["grounded", [2]]],
    ["First[3], then [1][3].", ["grounded", [3, 1]]],
    ["Both [1, 4] and [2-3], or [2–4]; 【1】", ["grounded", [1, 4, 2, 3]]],
    ["Nothing is cited.", ["ungrounded", []]],
    ["", ["ungrounded", []]],
    ["One [1] and one that is not there [7].", ["ungrounded", [1]]],
    ["In [2024] it was so [1].", ["ungrounded", [1]]],
    ["Zero [0].", ["ungrounded", []]],
    ["A link [1](https://example.com), a picture ![1], a note\n\n[1]: x.", ["ungrounded", []]],
    ["Words [one], [a1], [1a], [-1], [3-1], [1-5000], [] are no numbers.", ["ungrounded", []]],
    ["Code `rows[1]` and ``a ` b[2]`` says nothing; this does [3].", ["grounded", [3]]],
    ["```js\nrows[1]\n```\nSo [2].", ["grounded", [2]]],
    ["~~~\nrows[1]\n```\nrows[3]\n~~~\nSo [2].", ["grounded", [2]]],
    ["A fence that never ends\n\n```\nrows[1] [9]", ["ungrounded", []]],
    ["A lone ` is no code [1].", ["grounded", [1]]],
  ])("of %j", (text, expected) => {
    expect(ground(text)).toEqual(expected);
  });

  test("says where its markers stand, and which of them are of no source", () => {
    const text = "So `[1]` it is [2, 9].";
    const { markers } = groundCitations(text, sources);
    expect(markers).toEqual([{ start: 15, end: 21, numbers: [2, 9], unknown: [9] }]);
    expect(text.slice(15, 21)).toBe("[2, 9]");
  });

  test("cites what was packed, and nothing without sources", () => {
    expect(groundCitations("[1]", [])).toMatchObject({ outcome: "ungrounded", citations: [] });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("[1]", "[2,3]", "[9]", "`", "```", "\n", "[1-4]"))),
        (parts) => {
          const { outcome, citations, markers } = groundCitations(parts.join(""), sources);
          expect(outcome === "grounded").toBe(
            citations.length > 0 && markers.every(({ unknown }) => unknown.length === 0),
          );
          for (const citation of citations) expect(sources.map((source) => source.citation)).toContain(citation);
        },
      ),
    );
  });

  test("takes a long answer full of half-open code and brackets", () => {
    const text = Array.from({ length: 20_000 }, (_, n) => `${"`".repeat((n % 300) + 1)}[1 [`).join("x");
    expect(groundCitations(text, sources).markers.length).toBeGreaterThanOrEqual(0);
  });

  test("takes a marker of many runs", () => {
    const runs = Array.from({ length: 6000 }, (_, n) => `${n * 100 + 1}-${n * 100 + 100}`);
    expect(groundCitations(`[${runs.join(",")}]`, sources).markers[0]?.numbers).toHaveLength(600_000);
  });
});
