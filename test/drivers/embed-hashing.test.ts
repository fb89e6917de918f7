import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { embedderConformance } from "../conformance/embedder.ts";

embedderConformance("embed-hashing", async () => ({ embedder: createHashingEmbedder(), close: async () => {} }));

async function embed(text: string, dimensions = 384): Promise<Float32Array> {
  const [vector] = await createHashingEmbedder({ dimensions }).embed([text], { kind: "document" });
  if (vector === undefined) throw new Error("no vector");
  return vector;
}

async function cosine(left: string, right: string): Promise<number> {
  const [a, b] = [await embed(left), await embed(right)];
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

describe("hashing embedder", () => {
  test("is version 1, which stands for these very vectors: raise the version when they change", async () => {
    const pinned: Record<string, number[]> = {};
    for (const text of ["the quick brown fox", "Größe 42", "数据库的索引", "ฐานข้อมูล", "->", "", "a".repeat(5000)]) {
      pinned[text.slice(0, 20)] = Array.from(await embed(text, 8));
    }
    expect(createHashingEmbedder()).toMatchObject({ modelId: "hashing", modelVersion: "1", dimensions: 384 });
    expect(pinned).toMatchInlineSnapshot(`
      {
        "": [
          1,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
        ],
        "->": [
          0.40824830532073975,
          0.40824830532073975,
          -0.40824830532073975,
          0,
          0.40824830532073975,
          0,
          -0.40824830532073975,
          0.40824830532073975,
        ],
        "Größe 42": [
          -0.4466854929924011,
          -0.17950525879859924,
          0,
          0.400770366191864,
          0,
          0,
          -0.7138657569885254,
          0.3130953907966614,
        ],
        "aaaaaaaaaaaaaaaaaaaa": [
          0.0006862119189463556,
          -0.41144612431526184,
          0.4065292179584503,
          0.0022944877855479717,
          -0.0006862119189463556,
          -0.0007474262383766472,
          -0.8157420754432678,
          0.002058635698631406,
        ],
        "the quick brown fox": [
          -0.5534529089927673,
          -0.12407750636339188,
          0.101866714656353,
          0.7586192488670349,
          -0.2682875990867615,
          0.022513046860694885,
          -0.13792943954467773,
          0.03008432686328888,
        ],
        "ฐานข้อมูล": [
          -0.41874054074287415,
          0.3353913426399231,
          -0.3353913426399231,
          0.4197377860546112,
          -0.33638858795166016,
          0.16769567131996155,
          0.16769567131996155,
          0.5040842294692993,
        ],
        "数据库的索引": [
          -0.07105600833892822,
          -0.02377905137836933,
          -0.2553780674934387,
          0.23188017308712006,
          0.511037290096283,
          0.02349790744483471,
          0.7666965126991272,
          0.16082414984703064,
        ],
      }
    `);
  });

  test("gives unit vectors for any text and any dimensions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 4096 }), async (text, dimensions) => {
        const vector = await embed(text, dimensions);
        expect(vector).toHaveLength(dimensions);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["case", "DATABASE Index", "database index"],
    ["width", "ｄａｔａｂａｓｅ", "database"],
    ["composition", "caf\u00e9", "cafe\u0301"],
    ["diacritics", "Łódź naïve", "Łodz naive"],
    ["sharp s", "Straße", "strasse"],
    ["final sigma", "ὉΔΌΣ", "οδοσ"],
    ["punctuation and space", "data-base,  index!", "data base index"],
  ])("sees no difference in %s", async (_, left, right) => {
    expect(await cosine(left, right)).toBeCloseTo(1, 6);
  });

  test.each([
    ["inflections", "indexing databases", "the database index", "cooking recipes tonight"],
    ["misspellings", "retreival", "retrieval", "submarine"],
    ["Chinese words in a sentence", "数据库", "如何重建数据库的索引", "今天天气很好我们去公园"],
    ["Thai, which writes no spaces", "ข้อมูล", "ฐานข้อมูลขนาดใหญ่", "วันนี้อากาศดีมาก"],
    ["Chinese among English", "数据库", "the SQLite 数据库", "the SQLite engine"],
    ["texts of symbols", "->", "-> <-", "&& ||"],
  ])("finds %s nearer than what shares nothing", async (_, query, near, far) => {
    expect(await cosine(query, near)).toBeGreaterThan((await cosine(query, far)) + 0.15);
  });

  test("counts words that hold sentences together for little", async () => {
    const shared = await cosine("what is the boiling point", "what is the name of it");
    expect(shared).toBeLessThan(0.2);
    expect(await cosine("what is the boiling point", "boiling point")).toBeGreaterThan(0.9);
  });

  test("keeps the texts of a batch apart, also a long one before a short", async () => {
    const embedder = createHashingEmbedder();
    const long = Array.from({ length: 20_000 }, (_, index) => `word${index}`).join(" ");
    const [, second] = await embedder.embed([long, "short"], { kind: "document" });
    expect(second).toEqual(await embed("short"));
    expect(await embed(long)).toEqual((await embedder.embed([long], { kind: "query" }))[0]);
  });

  test.each([
    ["dimensions", { dimensions: 0 }],
    ["dimensions", { dimensions: 4097 }],
    ["dimensions", { dimensions: 1.5 }],
    ["size", { size: 3 }],
  ])("refuses a wrong %s by name", (field, options) => {
    expect(() => createHashingEmbedder(options as object)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(field) }),
    );
  });
});
