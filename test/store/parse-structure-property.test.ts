import fc from "fast-check";
import { micromark } from "micromark";
import { gfmStrikethrough, gfmStrikethroughHtml } from "micromark-extension-gfm-strikethrough";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import type { HtmlExtension } from "micromark-util-types";
import { type DefaultTreeAdapterTypes, parseFragment } from "parse5";
import { describe, expect, test } from "vitest";
import { parseMarkdown } from "../../src/store/ingest/parse/markdown.ts";

/** Structure of a text as one would compare it: headings, code and all text without spaces and list marks. */
interface Structure {
  headings: string[];
  code: string[];
  text: string;
}

const bare = (text: string): string => text.replace(/[\s|-]/g, "");

function ours(text: string): Structure {
  const { blocks, metadata } = parseMarkdown({ text, path: "a.md", mediaType: "text/markdown" }, () => []);
  expect(metadata).toEqual({});
  return {
    headings: blocks
      .filter((block) => block.kind === "heading" && bare(block.text) !== "")
      .map((block) => `${block.depth} ${bare(block.text)}`),
    code: blocks.filter((block) => block.kind === "code").map((block) => bare(block.text)),
    text: bare(blocks.map((block) => block.text).join("\n")),
  };
}

const DROP_HTML: HtmlExtension = {
  enter: {
    htmlFlow() {
      this.buffer();
    },
    htmlText() {
      this.buffer();
    },
  },
  exit: {
    htmlFlow() {
      this.resume();
    },
    htmlText() {
      this.resume();
    },
  },
};

/** The same from the HTML that micromark makes of the whole text at once, without any of our cutting and deferring. */
function reference(text: string): Structure {
  const html = micromark(text, {
    extensions: [gfmTable(), gfmStrikethrough()],
    htmlExtensions: [gfmTableHtml(), gfmStrikethroughHtml(), DROP_HTML],
  });
  const found: Structure = { headings: [], code: [], text: "" };
  read(parseFragment(html), 0, found);
  found.text = bare(found.text);
  return found;
}

function read(node: DefaultTreeAdapterTypes.ParentNode, depth: number, found: Structure): void {
  for (const child of node.childNodes) {
    if (child.nodeName === "#text" && "value" in child) found.text += child.value;
    if (!("tagName" in child)) continue;
    const start = found.text.length;
    read(child, depth + 1, found);
    const text = found.text.slice(start);
    if (/^h\d$/.test(child.tagName) && depth === 0 && bare(text) !== "") {
      found.headings.push(`${child.tagName[1]} ${bare(text)}`);
    }
    if (child.tagName === "pre" && text.trim() !== "") found.code.push(bare(text));
  }
}

const LINES = [
  "",
  "",
  "",
  "# heading *one*",
  "## two `code` ##",
  "para *em* **strong** ~~gone~~ [text](url 'title')",
  "see [ref] and [full][ref] and [none]",
  "[ref]: http://x.y",
  "- item",
  "* other",
  "  - nested",
  "    deeper",
  "1. first",
  "3) third",
  "   continued",
  "> quote",
  "> - in quote",
  ">> twice",
  "```",
  "```js",
  "````",
  "~~~",
  "  ```",
  "    ```",
  "- ```",
  "> ```",
  "    indented",
  "\ttabbed",
  "===",
  "---",
  "***",
  "| a | b |",
  "|---|---|",
  "<div>",
  "</div>",
  "<span>inline</span> html",
  "<!-- comment",
  "-->",
  "<!-- whole -->",
  "<pre>",
  "</pre>",
  "<script>",
  "</script>",
  "hard break  ",
  "back\\",
  "`open span",
  "a &amp; b \\* c",
  "filler ".repeat(60),
  "更多的文字。".repeat(60),
];

/** Fences that end, or do not begin, where a reader of lines would not think so. */
const FENCES = [
  "> ```\n```\n\n```js",
  "> > ```\n> ```\n\n```js",
  "- a\n\n  ```\ncode\n  ```\n\n```js\n\nb\n```\n",
  "<div>\n```\n\n```\n</div>\n\n```js\n\nb\n```\n",
  "<pre>\n\n```\na\n</pre>\n\n```\n\nb\n```\n",
  "    ```\n\n```\na\n```\n\n    ```\n",
  "```\na\n\n    ```\n> ```\n- ```\n\nb\n```\n\nc\n",
  "1. a\n\n   ```\n  b\n   ```\n\n```\n\nc\n```\n",
];

const text = fc.array(fc.constantFrom(...LINES), { maxLength: 40 }).map((lines) => ["start", "", ...lines].join("\n"));

/** Both take about four seconds alone, and longer on a machine that is at work. */
const TIMEOUT_MS = 60_000;

describe("cutting a text and reading its inline content late", { timeout: TIMEOUT_MS }, () => {
  test("gives what micromark makes of the whole, for any order of lines", () => {
    fc.assert(
      fc.property(text, (source) => {
        expect(ours(source)).toEqual(reference(source));
      }),
      { numRuns: 3000, examples: FENCES.map((source) => [`start\n\n${source}`]) },
    );
  });

  test("gives it for long texts of ordinary parts, too", () => {
    const part = fc.constantFrom(
      "# Heading\n\n",
      `${"Words and *more* words. ".repeat(30)}\n\n`,
      "```js\nconst a = 1;\n\n# no heading\n```\n\n",
      "- a\n- b\n\n  ```\n  code\n  ```\n\n",
      `${"- item of a long list\n".repeat(120)}\n`,
      "> quoted\n> text\n\n",
      "| a | b |\n|---|---|\n| c | d |\n\n",
      "[ref]: http://x.y\n\n",
      "See [ref].\n\n",
      "1. x\n\n       code in a list\n\n2. y\n\n",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 5, maxLength: 30 }), (parts) => {
        const source = `start\n\n${parts.join("")}`;
        expect(ours(source)).toEqual(reference(source));
      }),
      { numRuns: 100 },
    );
  });
});
