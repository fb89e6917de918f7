import { describe, expect, test } from "vitest";
import { chunkBlocks } from "../../src/store/ingest/chunker.ts";
import { parsed } from "../fixtures/parsed.ts";

/** Far above what any of these takes, far below what a quadratic reading of them would. */
const BOUND_MS = 20_000;

const nested = (depth: number): string =>
  Array.from({ length: depth }, (_, i) => `${"  ".repeat(i)}- item ${i}`).join("\n");

const TEXTS: Record<string, string> = {
  "quotes in quotes": ">".repeat(50_000),
  "spaced quotes in quotes": `${"> ".repeat(50_000)}a`,
  "lists in lists on one line": `${"- ".repeat(50_000)}a`,
  "lists in lists by indent": nested(1000),
  "open brackets": "[".repeat(50_000),
  "open and closed brackets": "[".repeat(20_000) + "]".repeat(20_000),
  "links in links": "[".repeat(5000) + "](b)".repeat(5000),
  "images in images": "![".repeat(5000) + "](b)".repeat(5000),
  stars: "*".repeat(50_000),
  "stars and words": "*a _b ".repeat(10_000),
  "runs of backticks": Array.from({ length: 400 }, (_, i) => "`".repeat(i)).join(" "),
  "open tags": "<a ".repeat(20_000),
  "open elements": "<div>".repeat(20_000),
  "open comments": "<!--".repeat(20_000),
  "open braces": "{".repeat(50_000),
  "braces in braces": "{a".repeat(20_000) + "}".repeat(20_000),
  "open comments in braces": "{/*".repeat(20_000),
  "open expressions in tags": "<A b={".repeat(20_000),
  "escaped braces in open tags": ("<A \\{".repeat(5000) + "}".repeat(5000)).repeat(40),
  "open scripts": "<script>".repeat(20_000),
  "open exports": "export const a = {\n\n".repeat(2000),
  "open fences": "- ```\n".repeat(5000),
  "underlined headings": "a\n=\n".repeat(20_000),
  headings: "# a\n".repeat(5000),
  definitions: "[a]: b\n".repeat(20_000),
  "a wide table": `${"|a".repeat(2000)}\n${"|-".repeat(2000)}\n${`${"|b".repeat(2000)}\n`.repeat(10)}`,
  colons: `:::${" ".repeat(20_000)}:`,
  dots: ".".repeat(100_000),
  "one word": "x".repeat(1_000_000),
  "one line": "word ".repeat(200_000),
  "words far apart": `a${" ".repeat(500_000)}b`,
  "a heading far apart": `# a${" ".repeat(500_000)}b\n`,
  "code far apart": `\`\`\`\na${" ".repeat(500_000)}b\n\`\`\`\n`,
  "lines far apart": `<pre>a${`${" ".repeat(40)}\n`.repeat(12_000)}b</pre>`,
  "much that cannot be seen": "\u200b".repeat(500_000),
  "empty lines": "\n".repeat(200_000),
  "combining marks": `a${"\u0301".repeat(100_000)}`,
  "deep front matter": `---\n${"[".repeat(60_000)}\n---\n`,
};

describe.each(Object.entries(TEXTS))("%s", (_, text) => {
  test.each(["a.md", "a.mdx", "a.html", "a.txt"])(
    "are read and cut as %s",
    async (path) => {
      const { blocks } = await parsed(path, text);
      const chunks = chunkBlocks(
        "d",
        blocks.map((block, ordinal) => ({ ...block, id: `b${ordinal}` })),
      );
      for (const chunk of chunks) {
        expect(chunk.tokenCount).toBeLessThanOrEqual(1024);
        expect(chunk.text.length).toBeLessThanOrEqual(100_000);
      }
    },
    BOUND_MS,
  );
});

describe("what is read as plain text says so", () => {
  test("nesting beyond all measure", async () => {
    const document = await parsed("a.md", `# A\n\n${"> ".repeat(200)}deep\n`);
    expect(document.metadata["_parseFallback"]).toBe("partly read as plain text: nested deeper than 100 levels");
    expect(document.blocks.at(-1)!.text).toContain("deep");
  });

  test("only the stretch that is absurd, not the document around it", async () => {
    const text = `# A\n\n${"word ".repeat(300)}\n\n${"> ".repeat(200)}deep\n\n${"word ".repeat(300)}\n\n# B *b*\n`;
    const { blocks } = await parsed("a.md", text);
    expect(blocks.filter((block) => block.kind === "heading").map((block) => block.text)).toEqual(["A", "B b"]);
  });

  test("elements in elements", async () => {
    const document = await parsed("a.html", `${"<div>".repeat(600)}deep`);
    expect(document.metadata["_parseFallback"]).toBe("read as plain text: nested deeper than 512 elements");
  });
});
