import { expect, test } from "vitest";
import { groundCitations } from "../../src/index.ts";
import { extractAnswer, extractText } from "../../demo/chat/extract-answer.ts";
import { numberedSources } from "./passages.ts";

const source = (text: string, title = "", headingPath: string[] = []) => ({ title, headingPath, text });

const KILN = [
  source("The kiln is fired twice. Copper melts at 1085 degrees. Let it cool for a day.", "Firing"),
  source("Copper is bought by weight.", "Prices"),
  source("Wood is dried for a year. It is stacked under a roof.", "Wood"),
];

test("the sentence with most of the question comes with the number of its passage", () => {
  expect(extractAnswer("At what temperature does copper melt?", KILN)?.sentences).toEqual([
    { text: "Copper melts at 1085 degrees.", number: 1 },
  ]);
});

test("a question of which no passage has enough is not answered", () => {
  expect(
    extractAnswer("What is the capital of Mongolia?", [...KILN, source("Capital letters begin a sentence.")]),
  ).toBe(null);
  expect(extractAnswer("Copper price on the moon of Jupiter?", KILN)).toBe(null);
  expect(extractAnswer("anything", [])).toBe(null);
  expect(extractAnswer("?!", KILN)).toBe(null);
});

test("what a question asks with is not asked for", () => {
  const passages = [...KILN, source("Wood that has dried is stacked."), source("Dried wood burns.")];
  expect(extractAnswer("What happens to wood that is dried?", passages)).not.toBe(null);
  expect(extractAnswer("Explain what a kiln means", KILN)?.sentences[0]).toMatchObject({ number: 1 });
});

test("a heading answers for the text below it, and words count in all their endings and accents", () => {
  const passages = [
    source("npm ci\n\nnpm test", "Contributing", ["Contributing", "Installation"]),
    source("Another day."),
  ];
  expect(extractAnswer("How do I install it?", passages)?.sentences[0]).toEqual({ text: "npm ci", number: 1 });
  expect(extractAnswer("resume", [source("Mon résumé est ici.")])?.sentences).toHaveLength(1);
});

test("a text without spaces is answered from, too", () => {
  expect(extractAnswer("銅", [source("窯は二度焼く。銅は千度で溶ける。")])?.sentences).toEqual([
    { text: "銅は千度で溶ける。", number: 1 },
  ]);
});

test("items of a list stand for themselves, repeated sentences stand once, and no passage speaks alone", () => {
  const list = "Rules:\n- Copper is red.\n- Copper is soft.\n- Copper is heavy.\n1. Iron rusts.";
  const extract = extractAnswer("copper", [source(list), source("Copper is red."), source("Copper bends.")]);
  expect(extract?.sentences).toEqual([
    { text: "Copper is red.", number: 1 },
    { text: "Copper is soft.", number: 1 },
    { text: "Copper bends.", number: 3 },
  ]);
});

test("the text of an extract says that no model took part, and cites every sentence, whatever brackets it has", () => {
  const extract = extractAnswer("copper", [source("Copper [7] is `red` **and** soft [1, 2]【3】.")]);
  const text = extractText(extract!);
  expect(text).toBe("Passages that answer this; no model is connected:\n\n- Copper (7) is red and soft (1, 2)(3). [1]");
  expect(groundCitations(text, numberedSources(1))).toMatchObject({ outcome: "grounded", numbers: [1] });
});

test("a sentence without an end is shortened at a word", () => {
  const [sentence] = extractAnswer("copper", [source(`copper ${"word ".repeat(200)}`)])?.sentences ?? [];
  expect(sentence?.text).toMatch(/word…$/u);
  expect(sentence?.text.length).toBeLessThan(330);
});
