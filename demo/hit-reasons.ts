import type { SearchHit } from "lodestore";
import { descriptionList, element } from "./element.ts";
import { formatCount } from "./quantities.ts";

const SCORES: Readonly<Record<string, string>> = {
  bm25: "BM25",
  cosine: "cosine similarity",
  dot: "dot product",
  l2: "minus the distance",
  rrf: "fused",
};

/** Why a hit stands where it does: its rank and score in each list. */
export function hitReasons(hit: SearchHit): HTMLElement {
  const place = (rank: number | null, score: number | null, what: string): string | null =>
    rank === null ? null : `rank ${formatCount(rank)}, ${what} ${formatScore(score ?? 0)}`;
  return element(
    "details",
    { class: "reasons", "data-testid": "why" },
    element("summary", {}, "Why this hit"),
    descriptionList([
      ["Score", `${formatScore(hit.score)} (${SCORES[hit.scoreKind] ?? hit.scoreKind})`],
      [
        "Words",
        place(hit.lexicalRank, hit.lexicalScore, "BM25") ?? (hit.scoreKind === "rrf" ? "not in this list" : null),
      ],
      [
        "Meaning",
        place(hit.vectorRank, hit.vectorScore, "score") ?? (hit.scoreKind === "rrf" ? "not in this list" : null),
      ],
      ["Folded into it", hit.collapsed === undefined ? null : `${formatCount(hit.collapsed.length)} near-duplicates`],
    ]),
  );
}

/** Four significant digits. */
export function formatScore(score: number): string {
  return Number(score.toPrecision(4)).toString();
}
