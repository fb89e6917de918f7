import { describe, expect, test } from "vitest";
import { parseQuery } from "../../src/store/search/query.ts";

const plain = { stemming: "rank", plainText: false, prefixLast: false } as const;

describe("a query", () => {
  test("quotes every word, so that nothing typed is FTS5 syntax", () => {
    const typed = "NEAR(a b) AND OR NOT col:x ^start {heading} : y + \"unfinished (  * ) -- ; ' \\";
    const parsed = parseQuery(typed, plain);
    for (const term of parsed.terms) {
      expect(term.ranking).toMatch(/^(?:\{heading text\} : )?"[\p{L}\p{N}\p{M}]+"(?: \*)?$/u);
    }
    expect(parsed.terms.map((term) => term.word)).toContain("near");
    expect(parsed.terms.map((term) => term.word)).toContain("unfinished");
  });

  test("reads a phrase in quotes as required", () => {
    const parsed = parseQuery('astro "content collections"', plain);
    expect(parsed.required).toEqual(['{heading text} : "content collections"']);
    expect(parsed.terms.map((term) => term.word)).toEqual(["astro", "content", "collections"]);
  });

  test("looks up a phrase once however often it is written, and refuses more of them than it can look up", () => {
    expect(parseQuery('"a" '.repeat(1000), plain).required).toHaveLength(1);
    expect(parseQuery("-a ".repeat(1000), plain).excluded).toHaveLength(1);
    const many = Array.from({ length: 65 }, (_, at) => `"w${at}"`);
    expect(parseQuery(many.slice(1).join(" "), plain).required).toHaveLength(64);
    expect(() => parseQuery(many.join(" "), plain)).toThrow(/65 phrases; it takes at most 64/u);
    expect(() => parseQuery(many.map((phrase) => `-${phrase}`).join(" "), plain)).toThrow(/65 exclusions/u);
  });

  test("reads word* as a beginning and -word as excluded", () => {
    const parsed = parseQuery('deploy* -netlify -"edge functions"', plain);
    expect(parsed.terms.map((term) => term.exact)).toEqual([
      '{heading text} : "deploy" OR {heading text} : "deploy" *',
    ]);
    expect(parsed.excluded).toEqual(['{heading text} : "netlify"', '{heading text} : "edge functions"']);
  });

  test("takes a hyphen inside a word, a lone hyphen and two hyphens as text", () => {
    const parsed = parseQuery("getting-started - --flag", plain);
    expect(parsed.excluded).toEqual([]);
    expect(parsed.terms.map((term) => term.word)).toEqual(["getting", "started", "flag"]);
  });

  test("ranks by the stem and asks for the word", () => {
    const [term] = parseQuery("collections", plain).terms;
    expect(term?.ranking).toBe('"collect"');
    expect(term?.exact).toBe('{heading text} : "collections"');
    const [off] = parseQuery("collections", { ...plain, stemming: "off" }).terms;
    expect(off?.ranking).toBe('{heading text} : "collections"');
  });

  test("keeps how often a word was written", () => {
    expect(parseQuery("time time sharing", plain).terms.map((term) => term.word)).toEqual(["time", "time", "sharing"]);
  });

  test("cuts unspaced scripts into pairs; one character is a beginning", () => {
    expect(parseQuery("数据库", plain).terms.map((term) => term.word)).toEqual(["数据", "据库"]);
    expect(parseQuery("库", plain).terms.map((term) => term.ranking)).toEqual(['{heading text} : "库" *']);
  });

  test("asks for a phrase in an unspaced script pair by pair, where a run ends in the middle with its last character", () => {
    expect(parseQuery('"数据库"', plain).required).toEqual(['{heading text} : "数据 据库"']);
    expect(parseQuery('"组件 props"', plain).required).toEqual(['{heading text} : "组件 件 props"']);
  });

  test("takes the last word as a beginning while it is typed", () => {
    const typing = { stemming: "rank", plainText: false, prefixLast: true } as const;
    expect(parseQuery("content coll", typing).terms.at(-1)?.exact).toBe(
      '{heading text} : "coll" OR {heading text} : "coll" *',
    );
    expect(parseQuery("content coll ", typing).terms.at(-1)?.exact).toBe('{heading text} : "coll"');
    const short = parseQuery("co", typing);
    expect(short.headingPrefix).toBe('{heading} : "co" *');
  });

  test("takes everything as text when it is told to", () => {
    const parsed = parseQuery('why "what you see" is -not what* you get', { ...plain, plainText: true });
    expect(parsed).toMatchObject({ required: [], excluded: [] });
    expect(parsed.terms.every((term) => !term.exact.endsWith("*"))).toBe(true);
  });

  test("finds no term in text without words", () => {
    for (const text of ["", "   ", "!!! ???", "-", '""', '-""', "*"]) expect(parseQuery(text, plain).terms).toEqual([]);
  });
});
