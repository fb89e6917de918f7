import type { SearchExplain, SearchHit, Snippet } from "../node.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

type Styles = Pick<Terminal, "bold" | "dim">;

/** Returns a hit as lines: rank, title and headings; path and lines; snippet.
 *  @param position Rank where the hit has none of its own. */
export function hitLines(hit: SearchHit, position: number, scores: boolean, styles: Styles): string[] {
  const { workspacePath, headingPath, span } = hit.citation;
  const rank = String(hit.lexicalRank ?? position);
  const indent = " ".repeat(rank.length + 2);
  const score = scores ? `  ${hit.scoreKind} ${hit.score.toPrecision(4)}` : "";
  return [
    `${rank}. ${styles.bold(breadcrumbs(hit.title, headingPath))}`,
    `${indent}${printable(workspacePath)}:${span.start}-${span.end}${styles.dim(score)}`,
    `${indent}${highlighted(hit.snippet, styles)}`,
  ];
}

/** Returns `title › heading › heading`, without a first heading that is the title. */
export function breadcrumbs(title: string, headingPath: readonly string[]): string {
  const headings = headingPath[0] === title ? headingPath.slice(1) : headingPath;
  return [title, ...headings]
    .filter((part) => part !== "")
    .map(printable)
    .join(" › ");
}

/** Returns the snippet on one line, its matches in bold. */
export function highlighted({ text, highlights }: Snippet, styles: Styles): string {
  const line = printable(text);
  let result = "";
  let at = 0;
  for (const [start, end] of highlights) {
    result += line.slice(at, start) + styles.bold(line.slice(start, end));
    at = end;
  }
  return result + line.slice(at);
}

/** Returns how an answer was made, as lines. */
export function explainLines({ mode, stemming, tiers, commonWords, steps }: SearchExplain): string[] {
  return [
    `Mode ${mode}, stemming ${stemming}.${commonWords.length === 0 ? "" : ` Words in very many passages: ${printable(commonWords.join(", "))}.`}`,
    ...tiers.flatMap(({ name, ranking, must }) => [
      `  ${name}: ranked by ${printable(ranking)}`,
      ...(must === null ? [] : [`    among passages with ${printable(must)}`]),
    ]),
    `Time: ${steps.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(", ")}`,
  ];
}
