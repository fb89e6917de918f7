import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseQuery } from "../../src/store/search/query.ts";
import { makeSnippet, prepareMarks } from "../../src/store/search/snippet.ts";

function snippet(text: string, query: string, length = 240): { text: string; marked: string[] } {
  const { marks } = parseQuery(query, { stemming: "rank", plainText: false, prefixLast: false });
  const made = makeSnippet(text, prepareMarks(marks, true), length);
  return { text: made.text, marked: made.highlights.map(([start, end]) => made.text.slice(start, end)) };
}

describe("a snippet", () => {
  test("marks words, other forms and beginnings, not parts of words", () => {
    expect(snippet("Flows, a flowing flow; no overflow.", "flow").marked).toEqual(["Flows", "flowing", "flow"]);
    expect(snippet("content contents conten", "conte*").marked).toEqual(["content", "contents", "conten"]);
  });

  test("marks whatever case and diacritics", () => {
    expect(snippet("Été à Zürich", "ete zurich").marked).toEqual(["Été", "Zürich"]);
  });

  test("marks runs of unspaced scripts as one", () => {
    expect(snippet("关系数据库系统", "数据库").marked).toEqual(["数据库"]);
    expect(snippet("这个中国的中心", "中").marked).toEqual(["中", "中"]);
  });

  test("shows the part with the most different words, with ellipses", () => {
    const text = `${"alpha beta. ".repeat(60)}The needle is near the haystack. ${"gamma delta. ".repeat(60)}`;
    const made = snippet(text, "needle haystack alpha", 80);
    expect(made.text).toContain("needle");
    expect(made.text).toContain("haystack");
    expect(made.text.startsWith("…")).toBe(true);
    expect(made.text.endsWith("…")).toBe(true);
    expect(made.text.length).toBeLessThanOrEqual(82);
  });

  test("holds for any text: within its length, whole characters, sorted ranges that do not overlap", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc
        .array(fc.constantFrom("flow", "数据", "é", "😀", " ", "\n", "กิ", "ab"), { maxLength: 200 })
        .map((a) => a.join("")),
    );
    fc.assert(
      fc.property(
        texts,
        fc.constantFrom("flow 数据", "é a", "กิ", "😀"),
        fc.integer({ min: 40, max: 120 }),
        (text, query, length) => {
          const { marks } = parseQuery(query, { stemming: "rank", plainText: false, prefixLast: true });
          const made = makeSnippet(text, prepareMarks(marks, true), length);
          expect(made.text.length).toBeLessThanOrEqual(length + 2);
          expect(text.isWellFormed() ? made.text.isWellFormed() : true).toBe(true);
          expect(text).toContain(made.text.replace(/^…/u, "").replace(/…$/u, ""));
          let last = 0;
          for (const [start, end] of made.highlights) {
            expect(start).toBeGreaterThanOrEqual(last);
            expect(end).toBeGreaterThan(start);
            last = end;
          }
          expect(last).toBeLessThanOrEqual(made.text.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
