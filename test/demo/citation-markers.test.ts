import { expect, test } from "vitest";
import { groundCitations, inlineParts } from "../../demo/chat/citation-markers.ts";

const three = [{}, {}, {}];

test("markers are found in lists, ranges and rows, and their numbers told apart from those of nothing", () => {
  expect(groundCitations("One [1]. Two [2][3], three [1, 3] and [7].", three)).toEqual({
    cited: [1, 2, 3],
    unknown: [7],
    grounded: true,
  });
  expect(groundCitations("All of it [1–3].", three).cited).toEqual([1, 2, 3]);
  expect(groundCitations("Too many [1-900].", three)).toEqual({ cited: [1], unknown: [900], grounded: true });
});

test("an answer that cites nothing, or only what is not there, is not grounded", () => {
  expect(groundCitations("Nothing of it is in the passages.", three).grounded).toBe(false);
  expect(groundCitations("As is known [4].", three)).toEqual({ cited: [], unknown: [4], grounded: false });
  expect(groundCitations("In [2026] and [0] and [a1] and [].", []).grounded).toBe(false);
});

test("brackets in code are code", () => {
  expect(groundCitations("Take `list[1]`.\n\n```js\nlist[2];\n```\n", three).grounded).toBe(false);
  expect(groundCitations("Take ``a`b[1]`` [3].", three).cited).toEqual([3]);
});

test("a line is taken apart without losing a character of what is no mark", () => {
  expect(inlineParts("a **b [1]** `c` [9] <img src=x>", 1)).toEqual([
    { kind: "text", text: "a " },
    { kind: "strong", text: "b " },
    { kind: "citation", numbers: [1], unknown: [] },
    { kind: "text", text: " " },
    { kind: "code", text: "c" },
    { kind: "text", text: " " },
    { kind: "citation", numbers: [], unknown: [9] },
    { kind: "text", text: " <img src=x>" },
  ]);
  expect(inlineParts("2 * 3 ** 4 ** 5 ` open", 0)).toEqual([{ kind: "text", text: "2 * 3 ** 4 ** 5 ` open" }]);
});
