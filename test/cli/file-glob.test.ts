import { expect, test } from "vitest";
import { compileFileGlob } from "../../src/cli/file-glob.ts";

const CASES: [glob: string, matching: string[], other: string[]][] = [
  ["*.md", ["a.md", "deep/er/b.md", ".md"], ["a.mdx", "a.md/b", "amd"]],
  ["drafts", ["drafts", "a/drafts"], ["drafts/a.md", "mydrafts"]],
  ["drafts/", ["drafts", "a/drafts"], ["drafts/a.md"]],
  ["./drafts/*.md", ["drafts/a.md"], ["a/drafts/a.md", "drafts/b/a.md"]],
  ["guides/**", ["guides/a.md", "guides/b/c.md"], ["guides", "guides/", "my/guides/a.md"]],
  ["**/*.md", ["a.md", "b/a.md", "c/b/a.md"], ["a.txt"]],
  ["a/**/b.md", ["a/b.md", "a/x/b.md", "a/x/y/b.md"], ["ab.md", "a/xb.md"]],
  ["a**b/c", ["ab/c", "axxb/c"], ["a/b/c"]],
  ["{a,b{1,2}}/x?.md", ["a/x1.md", "b1/x2.md", "b2/xy.md"], ["b/x1.md", "a/x.md"]],
  ["{a}/[b", ["{a}/[b"], ["a/[b", "a/b"]],
  ["[a-c][!0-9].txt", ["ax.txt", "cz.txt"], ["a1.txt", "dx.txt"]],
  ["[]a^-].txt", ["].txt", "a.txt", "^.txt", "-.txt"], ["b.txt"]],
  ["[z-a].txt", ["z.txt", "-.txt", "a.txt"], ["m.txt"]],
  ["x/[!a]", ["x/b"], ["x//", "x/a"]],
  ["\\*.md", ["*.md"], ["a.md"]],
  ["a+(b)|c.$^", ["a+(b)|c.$^"], ["aab"]],
  ["日?/𝕏*.md", ["日本/𝕏y.md"], ["日/𝕏.md"]],
];

test.each(CASES)("%s takes what it names and nothing else", (glob, matching, other) => {
  const { matches } = compileFileGlob(glob);
  expect(matching.filter((path) => !matches(path))).toEqual([]);
  expect(other.filter(matches)).toEqual([]);
});
