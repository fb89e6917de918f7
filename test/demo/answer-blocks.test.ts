import { expect, test } from "vitest";
import { answerBlocks } from "../../demo/chat/answer-blocks.ts";

test("paragraphs, headings, lists and code are told apart", () => {
  const text =
    "## Title ##\nFirst\nline\n\nSecond\n- a\n- b\n  more of b\n\n- c\n\n3. x\n4) y\n\n~~~ts\n# no [1]\n\n~~~\nEnd";
  expect(answerBlocks(text)).toEqual([
    { kind: "heading", text: "Title" },
    { kind: "paragraph", text: "First\nline" },
    { kind: "paragraph", text: "Second" },
    { kind: "list", ordered: false, start: 1, items: ["a", "b\nmore of b", "c"] },
    { kind: "list", ordered: true, start: 3, items: ["x", "y"] },
    { kind: "code", language: "ts", text: "# no [1]\n" },
    { kind: "paragraph", text: "End" },
  ]);
});

test("a fence that is still open is code to the end, and a longer one may hold shorter ones", () => {
  expect(answerBlocks("```\na\nb")).toEqual([{ kind: "code", language: "", text: "a\nb" }]);
  expect(answerBlocks("````\n```\n````")).toEqual([{ kind: "code", language: "", text: "```" }]);
});

test("every beginning of an answer is read, whatever is cut", () => {
  const text = "A **b** [1]\n\n- c `d`\n\n```js\ne\n```\n1. f";
  for (let end = 0; end <= text.length; end++) {
    const shown = JSON.stringify(answerBlocks(text.slice(0, end)));
    expect(shown.includes('"kind":"code"')).toBe(end >= text.indexOf("```") + 3);
  }
  expect(answerBlocks(" \n\n")).toEqual([]);
});
