import { expect, test } from "vitest";
import { inlineParts } from "../../demo/chat/inline-parts.ts";
import { numberedSources } from "./passages.ts";

test("a line is taken apart without losing a character of what is no mark", () => {
  expect(inlineParts("a **b [1]** `c` [9] <img src=x>", numberedSources(1))).toEqual([
    { kind: "text", text: "a " },
    { kind: "strong", text: "b " },
    { kind: "citation", numbers: [1], unknown: [] },
    { kind: "text", text: " " },
    { kind: "code", text: "c" },
    { kind: "text", text: " " },
    { kind: "citation", numbers: [], unknown: [9] },
    { kind: "text", text: " <img src=x>" },
  ]);
  expect(inlineParts("2 * 3 ** 4 ** 5 ` open", [])).toEqual([{ kind: "text", text: "2 * 3 ** 4 ** 5 ` open" }]);
});

test("markers are found in lists, ranges and rows, and brackets in code are code", () => {
  const citations = (text: string): number[][] =>
    inlineParts(text, numberedSources(3)).flatMap((part) => (part.kind === "citation" ? [part.numbers] : []));
  expect(citations("One [1]. Two [2][3], three [1, 3] and [2–3], 【1】.")).toEqual([
    [1],
    [2],
    [3],
    [1, 3],
    [2, 3],
    [1],
  ]);
  expect(citations("Take `list[1]` or ``a`b[1]`` [3].")).toEqual([[3]]);
});
