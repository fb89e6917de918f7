import fc from "fast-check";
import picomatch from "picomatch/posix.js";
import { describe, expect, test } from "vitest";
import { compileGlob, GlobTooWide, literalPrefix } from "../../src/store/path-glob.ts";

const CASES: readonly [glob: string, takes: readonly string[], leaves: readonly string[]][] = [
  ["*", ["a", ".a", "a.md"], ["a/b"]],
  ["a*c", ["ac", "abc", "abbc"], ["a/c", "abcd"]],
  ["?", ["a", "数", "😀"], ["ab", "/"]],
  ["**", ["a", "a/b/c"], []],
  ["**/a", ["a", "x/a", "x/y/a"], ["xa", "a/x"]],
  ["a/**", ["a/b", "a/b/c"], ["a", "ab"]],
  ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]],
  ["a**b", ["ab", "axb"], ["a/b"]],
  ["a/***", ["a/b"], ["a/b/c"]],
  ["[a-c]", ["a", "b", "c"], ["d", "-", "ab"]],
  ["[!a-c]", ["d", "-"], ["a", "/"]],
  ["[^a-c]", ["d"], ["a"]],
  ["[]a]", ["]", "a"], ["[]a]"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[a\\-c]", ["a", "-", "c"], ["b"]],
  ["[é-ë]x", ["êx"], ["ex"]],
  ["{a,b}.md", ["a.md", "b.md"], ["c.md", "{a,b}.md"]],
  ["{a,{b,c}d}e", ["ae", "bde", "cde"], ["ade"]],
  ["x{,y}", ["x", "xy"], ["xyy"]],
  ["{docs/**,*.md}", ["docs/a/b", "a.md"], ["docs", "x/a.md"]],
  ["**/{a,b}/*.{md,txt}", ["a/x.md", "q/b/x.txt"], ["a/b/c/x.md"]],
  ["{a}", ["{a}"], ["a"]],
  ["{a,b", ["{a,b"], ["a"]],
  ["[a", ["[a"], ["a"]],
  ["[...slug].astro", ["s.astro"], ["[...slug].astro"]],
  ["\\[...slug\\].astro", ["[...slug].astro"], ["s.astro"]],
  ["a\\*b\\{c,d\\}", ["a*b{c,d}"], ["axb{c,d}"]],
  ["[{]x,y}", ["{x,y}"], ["x"]],
  ["a\\", ["a\\"], ["a"]],
  ["!a", ["!a"], ["b"]],
  ["+(a)", ["+(a)"], ["a", "aa"]],
  ["A", ["A"], ["a"]],
];

describe("compileGlob", () => {
  test.each(CASES)("reads %j", (glob, takes, leaves) => {
    const matches = compileGlob(glob);
    expect([...takes, ...leaves].filter(matches)).toEqual([...takes]);
  });

  test("agrees with picomatch, but for a folder itself, which `folder/**` leaves out", () => {
    const part = fc.stringMatching(/^[ab.]{1,3}$/).filter((name) => name !== "." && name !== "..");
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const piece = fc.constantFrom("a", "b", "?", "*", "[ab]", "[^a]", "a.b", "{a,b}", "{a,bb*}", "{ab,{b,.}}");
    const pattern = fc
      .array(piece, { minLength: 1, maxLength: 3 })
      .map((pieces) => pieces.join("").replaceAll("**", "*"));
    const glob = fc
      .tuple(fc.array(fc.oneof(pattern, fc.constant("**")), { maxLength: 3 }), pattern)
      .map(([folders, last]) => [...folders, last].join("/"))
      .filter((text) => text.split(",").length < 8);
    fc.assert(
      fc.property(glob, path, (text, candidate) => {
        const theirs = picomatch(text, { dot: true, noextglob: true, nonegate: true })(candidate);
        expect(compileGlob(text)(candidate)).toBe(theirs);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes every path for which it was made literal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), (path) => {
        const literal = path.replaceAll(/[*?[\]{},\\]/g, "\\$&");
        expect(compileGlob(literal)(path)).toBe(true);
        expect(compileGlob(literal)(`${path}x`)).toBe(false);
      }),
    );
  });

  test("needs no more steps than pattern length times path length", () => {
    const stars = compileGlob(`${"*a".repeat(500)}b`);
    const parts = compileGlob(`${"**/a/".repeat(200)}b`);
    expect(stars(`${"a".repeat(1023)}c`)).toBe(false);
    expect(parts(`${"a/".repeat(511)}c`)).toBe(false);
  });

  test("refuses braces that stand for too many patterns, and takes deep ones", () => {
    expect(() => compileGlob("{a,b}".repeat(9))).toThrow(GlobTooWide);
    expect(() => compileGlob(`{${"a".repeat(500)},${"b".repeat(400)}}`.concat("{x,y,z,w}".repeat(2), "{1,2}"))).toThrow(
      GlobTooWide,
    );
    expect(compileGlob("{a,b}".repeat(8))("abababab")).toBe(true);
    expect(compileGlob(`${"{a,".repeat(200)}b${"}".repeat(200)}`)("b")).toBe(true);
  });
});

describe("literalPrefix", () => {
  test.each([
    ["docs/a.md", "docs/a.md", true],
    ["docs/**", "docs/", false],
    ["*.md", "", false],
    ["a{b,c}", "a", false],
    ["a\\*", "a", false],
  ])("of %j is %j", (glob, prefix, whole) => {
    expect(literalPrefix(glob)).toEqual({ prefix, whole });
  });
});
