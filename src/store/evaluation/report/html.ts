/** Markup that is safe to put into a document. Made by `html` alone. */
export interface Html {
  readonly markup: string;
}

type Part = Html | string | number | readonly Html[];

/** Puts markup together; every text between is escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: strings.reduce((all, text, index) => all + markupOf(parts[index - 1] ?? "") + text) };
}

function markupOf(part: Part): string {
  if (typeof part === "string") return escape(part);
  if (typeof part === "number") return String(part);
  return "markup" in part ? part.markup : part.map(({ markup }) => markup).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters have no place in a document, and those of direction would turn what follows around. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/gu;

function escape(text: string): string {
  return text.replaceAll(CONTROLS, "\uFFFD").replaceAll(/[&<>"']/gu, (character) => ENTITIES[character] ?? "");
}
