import { expect, test } from "vitest";
import { metadataOf, readMetadata } from "../../demo/chat/turn-metadata.ts";

test("what is written is read back", () => {
  const snippet = { text: "Copper melts.", highlights: [[0, 6]] as [number, number][] };
  expect(readMetadata({ metadata: metadataOf("model", [{ snippet }], "stopped") })).toEqual({
    answer: "model",
    ended: "stopped",
    snippets: [snippet],
  });
});

test("a long snippet is shortened with its highlights", () => {
  const snippet = {
    text: `${"a".repeat(599)}🙂 end`,
    highlights: [
      [0, 1],
      [590, 605],
    ] as [number, number][],
  };
  const { snippets } = readMetadata({ metadata: metadataOf(null, [{ snippet }]) });
  expect(snippets).toEqual([{ text: "a".repeat(599), highlights: [[0, 1]] }]);
});

test("what another program wrote harms nothing", () => {
  const nothing = { answer: null, ended: null, snippets: [] };
  expect(readMetadata({ metadata: {} })).toEqual(nothing);
  expect(readMetadata({ metadata: { answer: "oracle", ended: 7, snippets: "no" } })).toEqual(nothing);
  const odd = { text: "abc", highlights: [[2, 9], [1, 2], [0, 1], "x", [1.5, 2], null, [2, 3]] };
  expect(readMetadata({ metadata: { snippets: [odd, null, 3] } }).snippets).toEqual([
    {
      text: "abc",
      highlights: [
        [1, 2],
        [2, 3],
      ],
    },
    { text: "", highlights: [] },
    { text: "", highlights: [] },
  ]);
});
