import type { SearchExplain, SearchHit, Snippet } from "../node.ts";
import { counted, formatCount } from "./format.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

type Styles = Pick<Terminal, "bold" | "dim">;

/** Returns a hit as lines: rank, title and headings; path and lines; snippet.
 *  @param position Place on the page: a fused hit has no rank of its own.
 *  @param scores Whether to say the rank and score in each list. */
export function hitLines(hit: SearchHit, position: number, scores: boolean, styles: Styles): string[] {
  const { workspacePath, headingPath, span } = hit.citation;
  const rank = String(rankOf(hit) ?? position);
  const indent = " ".repeat(rank.length + 2);
  const score = scores ? `  ${scoresOf(hit).join(" · ")}` : "";
  return [
    `${rank}. ${styles.bold(breadcrumbs(hit.title, headingPath))}`,
    `${indent}${printable(workspacePath)}:${span.start}-${span.end}${styles.dim(score)}`,
    `${indent}${highlighted(hit.snippet, styles)}`,
    ...(hit.collapsed === undefined
      ? []
      : [`${indent}${styles.dim(`and ${counted(hit.collapsed.length, "passage")} that mostly say the same`)}`]),
  ];
}

function rankOf({ scoreKind, lexicalRank, vectorRank }: SearchHit): number | null {
  if (scoreKind === "rrf") return null;
  return scoreKind === "bm25" ? lexicalRank : vectorRank;
}

/** The score of a hit, and where it comes from two lists, its place in both. */
function scoresOf({ scoreKind, score, lexicalRank, lexicalScore, vectorRank, vectorScore }: SearchHit): string[] {
  const own = `${scoreKind} ${score.toPrecision(4)}`;
  if (scoreKind !== "rrf") return [own];
  const listed = (name: string, rank: number | null, value: number | null): string =>
    rank === null || value === null ? `not by ${name}` : `number ${rank} by ${name} (${value.toPrecision(4)})`;
  return [own, listed("words", lexicalRank, lexicalScore), listed("vectors", vectorRank, vectorScore)];
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
export function explainLines(explain: SearchExplain): string[] {
  const { mode, stemming, tiers, commonWords, steps } = explain;
  return [
    `Mode ${mode}, stemming ${stemming}.${commonWords.length === 0 ? "" : ` Words in very many passages: ${printable(commonWords.join(", "))}.`}`,
    ...tiers.flatMap(({ name, ranking, must }) => [
      `  ${name}: ranked by ${printable(ranking)}`,
      ...(must === null ? [] : [`    among passages with ${printable(must)}`]),
    ]),
    ...vectorLines(explain),
    `Time: ${steps.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(", ")}`,
  ];
}

function vectorLines({ vector, lists, weights }: SearchExplain): string[] {
  if (vector === undefined) return [];
  const { kind, allowed, total, unlinked, ef, evaluations, fellBack } = vector.plan;
  const model = `${printable(vector.modelId)}, version ${printable(vector.modelVersion)}, ${counted(vector.dimensions, "dimension")}`;
  const way =
    kind === "scan"
      ? `scan of ${formatCount(allowed)} of ${counted(total, "vector")}${fellBack ? ", after a walk gave up" : ""}`
      : `walk over ${counted(total, "vector")} (${formatCount(allowed)} allowed, ${formatCount(unlinked)} not in the graph), ef ${ef}`;
  return [
    `Vectors: ${model}`,
    `  ${way}; ${counted(evaluations, "evaluation")}`,
    ...(lists === undefined || weights === undefined
      ? []
      : [
          `Fused: ${formatCount(lists.lexical.length)} by words (weight ${weights.lexical}), ${formatCount(lists.vector.length)} by vectors (weight ${weights.vector})`,
        ]),
  ];
}
