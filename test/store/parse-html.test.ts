import { describe, expect, test } from "vitest";
import { blocksOf, parsed, pathsOf } from "../fixtures/parsed.ts";

const PAGE = `<!doctype html>
<html lang="pt-BR">
<head>
<title>The &amp; page</title>
<meta name="description" content="What it says.">
<meta name="keywords" content="a, b">
<style>p { color: red }</style>
</head>
<body>
<nav><a href="/">Home</a></nav>
<h1>One</h1>
<p>First <b>bold</b>,
then more.<br>Break.</p>
<script>alert("no")</script>
<h2>Two</h2>
<pre><code>a  {
  b
}</code></pre>
<ul><li>x</li>
<li>y<ul><li>z</li></ul></li></ul>
<table><tr><th>k</th><th>v</th></tr>
<tr><td>1</td><td>2 <i>3</i></td></tr></table>
<blockquote><p>Said.</p></blockquote>
<div>Loose <template>no</template>text</div>
<button>no</button><p hidden>no</p>
</body></html>
`;

describe("HTML", () => {
  test("a page gives what a reader sees, with the lines it stands on", async () => {
    expect(await blocksOf("a.html", PAGE)).toEqual([
      "frontmatter 4-5: The & page\nWhat it says.",
      "heading 11-11: One",
      "paragraph 12-13: First bold,\nthen more.\nBreak.",
      "heading 15-15: Two",
      "code 16-18: a  {\n  b\n}",
      "list 19-20: - x\n- y\n  - z",
      "table 21-22: k | v\n1 | 2 3",
      "quote 23-23: Said.",
      "paragraph 24-24: Loose text",
    ]);
    expect((await pathsOf("a.html", PAGE)).at(-1)).toBe("One > Two");
  });

  test("title, language and tags come from the head", async () => {
    expect(await parsed("a.html", PAGE)).toMatchObject({
      title: "The & page",
      lang: "pt-BR",
      tags: ["a", "b"],
      metadata: { description: "What it says." },
      parserVersion: "html-2",
    });
  });

  test("a fragment without any frame is read as well", async () => {
    const document = await parsed("notes/a.htm", "just text\n<p>and a paragraph");
    expect(document.title).toBe("a");
    expect(document.blocks.map((block) => block.text)).toEqual(["just text", "and a paragraph"]);
  });

  test("a layout table is read as if it were not there", async () => {
    expect(await blocksOf("a.html", "<table><tr><td><h1>A</h1><p>b</p></td></tr></table>")).toEqual([
      "heading 1-1: A",
      "paragraph 1-1: b",
    ]);
  });

  test("the first row of a table is its header when it names the columns", async () => {
    const tables = [
      "<tr><th>a<th>b<tr><td>c<td>d",
      "<tr><td><th>b<tr><th>c<td>d",
      "<tr><th>a<td>b<tr><th>c<td>d",
      "<tr><td>a<td>b",
    ].map((rows) => `<table>${rows}</table>`);
    const { blocks } = await parsed("a.html", tables.join("\n"));
    expect(blocks.map((block) => block.hasHeader)).toEqual([true, true, false, false]);
  });

  test("blocks and breaks within a cell are words of their own, a caption is a paragraph, an image its words", async () => {
    const table =
      "<table>\n<caption>Melting\npoints</caption>\n<tr><td><p>kiln</p><p>glaze</p></td><td><div>one</div><div>two</div>th<b>r</b>ee<br>4<img alt='five'></td></tr></table>";
    expect(await blocksOf("a.html", table)).toEqual([
      "paragraph 2-3: Melting points",
      "table 1-4: kiln glaze | one two three 4 five",
    ]);
  });

  test.each([
    ["<pre>\n\nfoo\nbar</pre>", "\nfoo\nbar", [2, 3, 4]],
    ["<pre>\n  <b>foo</b>\nbar</pre>", "  foo\nbar", [2, 3]],
    ["<pre>foo\n\n<b>x</b>\ny\n</pre>", "foo\n\nx\ny", [1, 2, 3, 4]],
    ["<pre><code>\n<div>foo</div><div>bar<br>baz</div>\n</code></pre>", "\nfoo\nbar\nbaz", [1, 2, 2, 2]],
  ])("every line of %j has its own line of the source", async (pre, text, lines) => {
    expect((await parsed("a.html", pre)).blocks).toMatchObject([{ kind: "code", text, lines }]);
  });

  test("code that begins on the line below its tag has its own lines", async () => {
    const { blocks } = await parsed("a.html", "<pre>\na\nb</pre>");
    expect(blocks).toMatchObject([{ text: "a\nb", lines: [2, 3], span: { start: 1, end: 3 } }]);
  });
});

test("plain text is cut at blank lines", async () => {
  expect(await blocksOf("a.txt", "one\r\ntwo  \r\n\r\n\r\n  three\r\n")).toEqual([
    "paragraph 1-2: one\ntwo",
    "paragraph 5-5:   three",
  ]);
  expect(await parsed("dir/a.log", "")).toMatchObject({ title: "a", blocks: [], parserVersion: "text-1" });
  expect((await parsed("a.log", "line\n".repeat(1000))).blocks.length).toBe(16);
});
