/** Columns in which words stand as they were written; the third holds stems. */
export const EXACT_COLUMNS = "{heading text}";

/** Weights of the columns; measured on Cranfield, CACM and CMRC2018 (DESIGN.md). */
export const COLUMN_WEIGHTS = { heading: 2, text: 1, forms: 1 } as const;

/** A term in quotes: nothing in it is FTS5 syntax. */
export function quoted(term: string): string {
  return `"${term}"`;
}

/** Joins expressions so that any of them holds. */
export function anyOf(expressions: readonly string[]): string {
  return expressions.map((expression) => `(${expression})`).join(" OR ");
}

/** Joins expressions so that all of them hold. */
export function allOf(expressions: readonly string[]): string {
  return expressions.map((expression) => `(${expression})`).join(" AND ");
}

/** `expression`, less what any of `excluded` holds for. */
export function without(expression: string, excluded: readonly string[]): string {
  return excluded.length === 0 ? expression : `(${expression}) NOT (${anyOf(excluded)})`;
}

/** Columns that a word is looked for in: all, those in which words stand as written, or headings alone. */
export type Columns = "all" | "exact" | "heading";

/** Looks for one word. */
export function wordExpression(word: string, columns: "all" | "exact"): string {
  return columns === "all" ? quoted(word) : `${EXACT_COLUMNS} : ${quoted(word)}`;
}

/** What an expression looks for that is one word, or all words of one prefix. */
export interface WordExpression {
  word: string;
  prefix: boolean;
  columns: Columns;
}

const IN_HEADING = /^\{heading\} : \((.*)\)$/u;
const WORD = /^(?:\{(heading|heading text)\} : )?"([^"\s]+)"( \*)?$/u;

/** Takes an expression apart that looks for any of some words; `undefined` for all other. */
export function readWords(expression: string): WordExpression[] | undefined {
  const [, inner] = IN_HEADING.exec(expression) ?? [];
  const words: WordExpression[] = [];
  for (const part of (inner ?? expression).split(" OR ")) {
    const [, columns, word, prefix] = WORD.exec(part) ?? [];
    if (word === undefined) return undefined;
    const onlyHeading = inner !== undefined || columns === "heading";
    words.push({
      word,
      prefix: prefix !== undefined,
      columns: onlyHeading ? "heading" : columns === undefined ? "all" : "exact",
    });
  }
  return words;
}

/** Holds where the expression does in headings alone. */
export function inHeading(expression: string): string {
  return `{heading} : (${expression})`;
}
