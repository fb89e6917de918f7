import { button, element } from "./element.ts";
import { formatCount } from "./quantities.ts";
import { markedText } from "./result-card.ts";

/** Lines drawn on either side of the cited ones at first, and with every “Show more”. */
const REACH = 1000;

/** The source of a document, line by line. Long files are drawn around the cited lines first. */
export interface SourceLines {
  readonly element: HTMLElement;
  /** Marks words in the cited lines. */
  mark(words: readonly string[]): void;
  /** Scrolls the cited lines into view. */
  reveal(): void;
}

export function createSourceLines(text: string, cited: { start: number; end: number } | null): SourceLines {
  const lines = text.split(/\r\n|\r|\n/);
  // A final line break ends the last line, it does not begin another.
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  let first = Math.max(1, (cited?.start ?? 1) - REACH);
  let last = Math.min(lines.length, (cited?.end ?? 1) + REACH);
  let marked: readonly string[] = [];

  const body = element("div", { class: "lines", "data-testid": "lines" });
  const earlier = button({ class: "load-more", onclick: showEarlier });
  const later = button({ class: "load-more", onclick: showLater });

  const isCited = (number: number): boolean => cited !== null && number >= cited.start && number <= cited.end;

  function content(number: number): (Node | string)[] {
    const line = lines[number - 1] ?? "";
    if (line === "") return ["\u200b"];
    return isCited(number) ? markedText(line, occurrences(line, marked)) : [line];
  }

  function rows(from: number, to: number): HTMLElement[] {
    const made: HTMLElement[] = [];
    for (let number = from; number <= to; number++) {
      const row = element("div", { "data-line": number, class: isCited(number) ? "line cited" : "line" });
      row.append(element("span", {}, ...content(number)));
      made.push(row);
    }
    return made;
  }

  function showEnds(): void {
    earlier.hidden = first <= 1;
    later.hidden = last >= lines.length;
    earlier.textContent = `Show ${formatCount(Math.min(REACH, first - 1))} earlier lines`;
    later.textContent = `Show ${formatCount(Math.min(REACH, lines.length - last))} more lines`;
  }

  function showEarlier(): void {
    const from = Math.max(1, first - REACH);
    body.prepend(...rows(from, first - 1));
    first = from;
    showEnds();
  }

  function showLater(): void {
    const to = Math.min(lines.length, last + REACH);
    body.append(...rows(last + 1, to));
    last = to;
    showEnds();
  }

  body.style.setProperty("--digits", String(String(lines.length).length));
  body.append(...rows(first, last));
  showEnds();

  return {
    element: element("div", { class: "source" }, earlier, body, later),
    mark(words) {
      marked = words;
      for (const row of body.querySelectorAll<HTMLElement>(".cited")) {
        row.firstElementChild?.replaceChildren(...content(Number(row.dataset["line"])));
      }
    },
    reveal() {
      body.querySelector(".cited")?.scrollIntoView({ block: "start" });
      // A long span may have its first match out of sight.
      body.querySelector(".cited mark")?.scrollIntoView({ block: "nearest" });
    },
  };
}

const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Matches the word where a word begins; anywhere in scripts that write no spaces. */
function patternOf(word: string): string {
  const literal = word.replace(/[$()*+./?[\\\]^{|}]/g, "\\$&");
  return WITHOUT_SPACES.test(word) ? literal : `(?<![\\p{L}\\p{N}])${literal}`;
}

/** Where any of the words stands in the line: `[start, end)`, sorted, not overlapping. */
function occurrences(line: string, words: readonly string[]): [number, number][] {
  if (words.length === 0) return [];
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(patternOf).join("|"), "giu");
  return [...line.matchAll(pattern)].map((match) => [match.index, match.index + match[0].length]);
}
