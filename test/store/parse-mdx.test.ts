import { describe, expect, test } from "vitest";
import { blocksOf, parsed } from "../fixtures/parsed.ts";

describe("MDX", () => {
  test("module statements go, wherever a block may begin", async () => {
    const text =
      'import { A } from "a"\nimport B from "b"\n\nexport const c = {\n  d: [1,\n\n  2],\n};\n\nText about import and\nimport "x" in it.\n';
    expect(await blocksOf("a.mdx", text)).toEqual(['paragraph 10-11: Text about import and\nimport "x" in it.']);
  });

  test("tags go, what stands between them is Markdown, however it is indented", async () => {
    const text =
      '<Steps>\n1. Install:\n\n    <Tabs label="x > y" items={["a", `b`]}>\n      <Tab>\n      ```sh\n      npm ci\n      ```\n      </Tab>\n    </Tabs>\n\n2. Run **it**\n</Steps>\n\n<Card\n  title="t"\n>\n    Indented, not code.\n</Card>\n';
    expect(await blocksOf("a.mdx", text)).toEqual([
      "list 2-2: - Install:",
      "code 6-8: npm ci",
      "list 12-12: - Run it",
      "paragraph 18-18: Indented, not code.",
    ]);
  });

  test("comments and expressions go, strings stay", async () => {
    const text =
      'A {/* x */}b {c ? <d/> : "}"} e {"<f>"}{\' \'}g `{h}` \\{i\\} <!-- j -->k\n\n{/*\n\nblock\n\n*/}\n\nl\n';
    expect(await blocksOf("a.mdx", text)).toEqual(["paragraph 1-1: A b  e <f> g {h} {i} k", "paragraph 9-9: l"]);
  });

  test("code is out of reach, in fences and in spans", async () => {
    const text =
      "```jsx\nimport a from 'b'\n<A b={c}>{d}</A>\n```\n\n`<A>` and ``{`b`}``\n\n- x\n\n  ```js\n  {y}\n  ```\n";
    expect(await blocksOf("a.mdx", text)).toEqual([
      "code 1-4: import a from 'b'\n<A b={c}>{d}</A>",
      "paragraph 6-6: <A> and {`b`}",
      "list 8-8: - x",
      "code 10-12: {y}",
    ]);
  });

  test("words on both sides of a block tag stay apart, those around an inline tag together", async () => {
    expect(
      await blocksOf("a.mdx", "<ul><li>a</li><li>b</li></ul> H<sub>2</sub>O, a < b, 1 <2, <https://x.y/z>\n"),
    ).toEqual(["paragraph 1-1: a  b   H2O, a < b, 1 <2, https://x.y/z"]);
  });

  test("the words of an image stay", async () => {
    expect(await blocksOf("a.mdx", 'See <img src="a.png" alt="the kiln" />now\n')).toEqual([
      "paragraph 1-1: See  the kiln now",
    ]);
  });

  test("an address, a string or an image alone on its line stays", async () => {
    expect(
      await blocksOf("a.mdx", '<https://example.com/docs>\n\n{"words here"}\n\n<img alt="the kiln" />\n\n{" "}\n'),
    ).toEqual(["paragraph 1-1: https://example.com/docs", "paragraph 3-3: words here", "paragraph 5-5: the kiln"]);
  });

  test("what is never closed is text", async () => {
    expect(await blocksOf("a.mdx", 'a {b\n\nc <d e="\n\nf\n')).toEqual([
      "paragraph 1-1: a {b",
      'paragraph 3-3: c <d e="',
      "paragraph 5-5: f",
    ]);
  });

  test("a tag is one behind what only looks like the beginning of a tag", async () => {
    expect(
      await blocksOf("a.mdx", "A < B and {x} plus <b>bold</b>\n\n<Foo>\n  inner\n</Foo>\n\nif a <b {x} or <T x={\n"),
    ).toEqual(["paragraph 1-1: A < B and  plus bold", "paragraph 4-4: inner", "paragraph 7-7: if a <b  or <T x={"]);
    expect(await blocksOf("a.mdx", "an open <T x={ and a <b>bold</b> word\n")).toEqual([
      "paragraph 1-1: an open <T x={ and a bold word",
    ]);
  });

  test("a path that is not MDX keeps braces and indented code", async () => {
    expect(await blocksOf("a.md", "{a}\n\n    import b\n")).toEqual(["paragraph 1-1: {a}", "code 3-3: import b"]);
    expect((await parsed("a.md", "")).parserVersion).toBe("markdown-2");
    expect((await parsed("a.mdx", "")).parserVersion).toBe("mdx-3");
  });
});
