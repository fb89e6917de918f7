import { comparableWords, questionWords } from "./question-words.ts";
import { shortened } from "./shortened.ts";

/** What an answer is extracted from: a passage with what is above it. */
export interface ExtractSource {
  title: string;
  headingPath: readonly string[];
  text: string;
}

/** Sentences that answer a question, each with the number of its passage. */
export interface Extract {
  sentences: { text: string; number: number }[];
}

/** Share of the question, by the weight of its words, that one passage must hold for there to be an answer. */
const LEAST_COVERAGE = 0.5;
/** Share of the best passage's coverage, and of the best sentence's score, that others need. */
const LEAST_OF_BEST = 0.6;
const MOST_SENTENCES = 4;
const MOST_OF_ONE = 2;
const LONGEST_SENTENCE = 320;
/** What a word in the headings counts for a sentence below them. */
const HEADING_WEIGHT = 0.5;

const sentencesOf = new Intl.Segmenter(undefined, { granularity: "sentence" });

/** Picks the sentences of the passages that have most of the question's words, the rarest of them first: no model takes part.
 *  @param passages What a search found, best first; the first has number 1.
 *  @returns `null` where no passage has enough of the question: it is not answered here. */
export function extractAnswer(question: string, passages: readonly ExtractSource[]): Extract | null {
  const above = passages.map(({ title, headingPath }) => comparableWords([title, ...headingPath].join("\n")));
  const within = passages.map(({ text }) => comparableWords(text));
  const holds = (at: number, word: string): boolean => above[at]?.has(word) === true || within[at]?.has(word) === true;
  const weights = new Map<string, number>();
  for (const word of questionWords(question)) {
    const holders = passages.filter((_, at) => holds(at, word)).length;
    // Rare words weigh more; most of all one that none of the passages has, for it was searched for.
    weights.set(word, Math.log(1 + (passages.length + 0.5) / (holders + 0.5)));
  }
  const whole = sum(weights.values());
  const weightOf = (has: (word: string) => boolean): number =>
    sum([...weights].map(([word, weight]) => (has(word) ? weight : 0)));
  const coverage = passages.map((_, at) => weightOf((word) => holds(at, word)) / whole);
  const best = Math.max(0, ...coverage);
  if (!(best >= LEAST_COVERAGE)) return null;

  const candidates = passages.flatMap((passage, at) => {
    if ((coverage[at] ?? 0) < best * LEAST_OF_BEST) return [];
    const fromAbove = HEADING_WEIGHT * weightOf((word) => above[at]?.has(word) === true);
    const rank = 1 / (1 + 0.1 * at);
    return splitSentences(passage.text).map((text, position) => {
      const own = comparableWords(text);
      return { text, number: at + 1, position, score: (weightOf((word) => own.has(word)) + fromAbove) * rank };
    });
  });
  candidates.sort((a, b) => b.score - a.score || a.number - b.number || a.position - b.position);
  const least = (candidates[0]?.score ?? 0) * LEAST_OF_BEST;
  const chosen: typeof candidates = [];
  for (const candidate of candidates) {
    if (chosen.length === MOST_SENTENCES || candidate.score < least) break;
    const isRepeated = chosen.some(({ text }) => text === candidate.text);
    if (!isRepeated && chosen.filter(({ number }) => number === candidate.number).length < MOST_OF_ONE) {
      chosen.push(candidate);
    }
  }
  chosen.sort((a, b) => a.number - b.number || a.position - b.position);
  return chosen.length === 0 ? null : { sentences: chosen.map(({ text, number }) => ({ text, number })) };
}

/** A line that begins a paragraph or an item of a list. */
const BREAK = /\n\s*\n|\n(?=\s*(?:[-*+•]|\d{1,3}[.)])\s)/;
const ITEM_MARK = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;

/** The sentences of a text, each on one line. */
function splitSentences(text: string): string[] {
  return text
    .split(BREAK)
    .flatMap((paragraph) => [...sentencesOf.segment(paragraph.replace(ITEM_MARK, "").replace(/\s+/g, " "))])
    .map(({ segment }) => shortened(segment.trim(), LONGEST_SENTENCE))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The extract as the text of a turn. Brackets with numbers in the documents are not mistaken for citations, nor their marks for Markdown. */
export function extractText(extract: Extract): string {
  const items = extract.sentences.map(({ text, number }) => {
    const quoted = text.replace(/[[【]\s*(\d[\d\s,;–-]*)[\]】]/g, "($1)").replace(/[`*]/g, "");
    return `- ${quoted} [${number}]`;
  });
  return `Passages that answer this; no model is connected:\n\n${items.join("\n")}`;
}
