import { describe, expect, test } from "vitest";
import { blocksOf, parsed, pathsOf } from "../fixtures/parsed.ts";

describe("blocks", () => {
  test("markup goes, text and line spans stay", async () => {
    const text =
      "# A *title* `x`\n\nOne **bold** [link](http://x.y 'no') and ![alt](i.png).\nLine two &amp; \\*more\\*<br>\n";
    expect(await blocksOf("a.md", text)).toEqual([
      "heading 1-1: A title x",
      "paragraph 3-4: One bold link and alt.\nLine two & *more*",
    ]);
  });

  test("code is kept verbatim, with its indents and blank lines", async () => {
    expect(await blocksOf("a.md", "```ts\nif (a) {\n\n\tb *c*\n}\n```\n\n    indented\n      more\n")).toEqual([
      "code 1-6: if (a) {\n\n\tb *c*\n}",
      "code 8-9: indented\n  more",
    ]);
  });

  test("a fence closes only as CommonMark says", async () => {
    expect(
      await blocksOf("a.md", "````md\n```\nx\n```\n````\n\n```\na\n\n    ```\n> ```\nb\n```\n\n~~~\nopen ```\n"),
    ).toEqual(["code 1-5: ```\nx\n```", "code 7-13: a\n\n    ```\n> ```\nb", "code 15-16: open ```"]);
  });

  test("a list is one block of items, nested ones indented", async () => {
    expect(await blocksOf("a.md", "1. one\n   more\n   - deep\n2. two\n\n   para\n- [x] done\n")).toEqual([
      "list 1-6: - one\n  more\n  - deep\n- two\n  para",
      "list 7-7: - done",
    ]);
  });

  test("code and tables in lists and quotes are blocks of their own", async () => {
    expect(
      await blocksOf(
        "a.md",
        "- one\n\n  ```sh\n  npm ci\n  ```\n\n  after\n- two\n\n> | a | b |\n> |---|---|\n> | c | d |\n",
      ),
    ).toEqual(["list 1-1: - one", "code 3-5: npm ci", "list 7-8:   after\n- two", "table 10-12: a | b\nc | d"]);
  });

  test("a long list becomes several blocks, cut at its items", async () => {
    const items = Array.from({ length: 60 }, (_, i) => `- item ${i} ${"word ".repeat(20)}`);
    const { blocks } = await parsed("a.md", items.join("\n"));
    expect(blocks.length).toBeGreaterThan(2);
    expect(blocks.every((block) => block.kind === "list" && block.text.startsWith("- item"))).toBe(true);
    expect(blocks.map((block) => block.text).join("\n")).toBe(items.map((item) => item.trimEnd()).join("\n"));
  });

  test("tables, quotes, alerts, footnotes and directives keep their text", async () => {
    const text =
      "| a | `b\\|c` |\n|---|---|\n| d |  |\n\n> [!NOTE]\n> Mind *this*.\n\n:::tip[Quick start]\nDo it.[^1]\n:::\n\n[^1]: Foot\n    note.\n";
    expect(await blocksOf("a.md", text)).toEqual([
      "table 1-3: a | b|c\nd |",
      "quote 5-6: Mind this.",
      "paragraph 8-9: Quick start\nDo it.",
      "footnote 12-13: Foot\nnote.",
    ]);
  });

  test("HTML is reduced to its text; comments, scripts and styles go", async () => {
    const text =
      "<details>\n<summary>More &copy;</summary>\n\nInside\n\n</details>\n\n<!-- gone\n\ngone -->\n\n<script>\ngone()\n</script>\n\na <b>b</b><!-- gone -->\n";
    expect(await blocksOf("a.md", text)).toEqual(["html 1-2: More ©", "paragraph 4-4: Inside", "paragraph 16-16: a b"]);
  });

  test("words on both sides of a line break stay apart, in cells and in paragraphs; those around an inline tag together", async () => {
    const text = "| kiln<br>glaze | x |\n|---|---|\n\nTerm<br>next<br/>third, H<sub>2</sub>O, a<!-- gone -->b\n";
    expect(await blocksOf("a.md", text)).toEqual([
      "table 1-2: kiln glaze | x",
      "paragraph 4-4: Term next third, H2O, ab",
    ]);
  });

  test("an image tag within a line leaves its words", async () => {
    const text = `see<img src=a.png alt="Kiln &amp; glaze"><img\nsrc='b' alt='fire'><img src="c">\n`;
    expect(await blocksOf("a.md", text)).toEqual(["paragraph 1-2: see Kiln & glaze  fire"]);
  });

  test("tables and code of HTML are blocks of their own, under the heading above", async () => {
    const text =
      "# H\n\n<div>\nbefore\n<table>\n<tr><th>a</th>\n<th>b</th></tr>\n<tr><td>c</td>\n<td>d</td>\n</tr>\n</table>\nafter\n</div>\n\n- item\n\n  <pre>\n  code\n    more\n  </pre>\n\n  last\n";
    expect(await blocksOf("a.md", text)).toEqual([
      "heading 1-1: H",
      "html 3-4: before",
      "table 5-11: a | b\nc | d",
      "html 12-13: after",
      "list 15-15: - item",
      "code 17-20: code\n  more",
      "list 22-22:   last",
    ]);
    const { blocks } = await parsed("a.md", text);
    expect(blocks[2]).toMatchObject({ headingPath: ["H"], lines: [6, 8], lineEnds: [7, 10], hasHeader: true });
    expect(blocks[5]).toMatchObject({ lines: [18, 19] });
  });

  test("references resolve wherever their definition stands, and stay text without one", async () => {
    const text = `See [the docs][d] and [none].\n\n${"Filler. ".repeat(400)}\n\n# H\n\n[d]: http://x.y\n`;
    const [first] = await blocksOf("a.md", text);
    expect(first).toBe("paragraph 1-1: See the docs and [none].");
  });
});

describe("headings", () => {
  test("a path follows the ranks, skipped and repeated ones too", async () => {
    const text = "before\n# A\na\n### C\nc\n## B\nb\n### C\nc\n# A\na\n";
    expect(await pathsOf("a.md", text)).toEqual(["", "A", "A > C", "A > B", "A > B > C", "A"]);
  });

  test("underlined headings count, ids and markup do not, empty ones only end a section", async () => {
    const { blocks } = await parsed("a.md", "One\ntwo\n===\n\n## B {#b}\n\n### `c`\n\nx\n\n##\n\ny\n");
    expect(blocks.map((block) => [block.kind, block.depth, block.headingPath.join(" > ")])).toEqual([
      ["heading", 1, "One two"],
      ["heading", 2, "One two > B"],
      ["heading", 3, "One two > B > c"],
      ["paragraph", undefined, "One two > B > c"],
      ["paragraph", undefined, "One two"],
    ]);
  });

  test("the title is the first heading of rank 1, else the name of the file", async () => {
    expect((await parsed("a.md", "## B\n\n# A\n")).title).toBe("A");
    expect((await parsed("docs/getting-started.md", "## B\n")).title).toBe("getting-started");
    expect((await parsed("docs/.md", "")).title).toBe(".md");
  });
});

describe("lines", () => {
  test("CRLF and CR count as one line end each", async () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = ["# A", "", "one", "two", "", "```", "code", "```", "- x"].join(end);
      expect(await blocksOf("a.md", text)).toEqual([
        "heading 1-1: A",
        "paragraph 3-4: one\ntwo",
        "code 6-8: code",
        "list 9-9: - x",
      ]);
    }
  });

  test("every line of a block's text names its source line", async () => {
    const source = "---\ntitle: T\n---\n\n# H\n\na\n*b*\n[c](\nx)\nd\n\n- e\n\n  f\n  > g\n\n```\nh\n\ni\n```\n";
    const { blocks } = await parsed("a.md", source);
    const lines = source.split("\n");
    const seen = blocks.flatMap((block) => block.text.split("\n").map((text, i) => [text, block.lines?.[i]] as const));
    for (const [text, line] of seen.filter(([, line]) => line !== undefined)) {
      expect(lines[line! - 1]).toContain(text.replace(/^[ -]*/, ""));
    }
    expect(seen.filter(([, line]) => line !== undefined).length).toBeGreaterThan(8);
  });
});
