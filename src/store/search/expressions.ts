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

/** Columns that a word is looked for in: all, or those in which words stand as written. */
export type Columns = "all" | "exact";

/** Looks for one word. */
export function wordExpression(word: string, columns: Columns): string {
  return columns === "all" ? quoted(word) : `${EXACT_COLUMNS} : ${quoted(word)}`;
}

const WORD = /^(\{heading text\} : )?"([^"\s]+)"$/u;

/** Takes an expression apart that looks for one word; `undefined` for all other. */
export function readWord(expression: string): { word: string; columns: Columns } | undefined {
  const [, columns, word] = WORD.exec(expression) ?? [];
  return word === undefined ? undefined : { word, columns: columns === undefined ? "all" : "exact" };
}

/** Holds where the expression does in headings alone. */
export function inHeading(expression: string): string {
  return `{heading} : (${expression})`;
}
