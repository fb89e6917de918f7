import type { RankedChunk, SearchExplain, SearchHit, VectorPlan } from "lodestore";
import { descriptionList, element } from "./element.ts";
import { formatScore } from "./hit-reasons.ts";
import { formatCount, formatDuration } from "./quantities.ts";

const SHOWN = 20;

/** How a whole answer was made: what was asked, the plan, the time of every step, and both lists. */
export function answerReport(explain: SearchExplain, hits: readonly SearchHit[]): HTMLElement {
  const { vector, lists, weights, steps } = explain;
  return element(
    "details",
    { class: "report", "data-testid": "report" },
    element("summary", {}, "How this answer was made"),
    descriptionList([
      ["Steps", steps.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(" · ")],
      ["Words", explain.tiers.map(({ name, ranking }) => `${name}: ${ranking}`).join(" · ")],
      ["Very common", explain.commonWords.join(", ")],
      [
        "Model",
        vector === undefined ? null : `${vector.modelId} ${vector.modelVersion}, ${vector.dimensions} dimensions`,
      ],
      ["Plan", vector === undefined ? null : planText(vector.plan)],
      [
        "Weights",
        weights === undefined ? null : `words ${formatScore(weights.lexical)}, meaning ${formatScore(weights.vector)}`,
      ],
    ]),
    lists === undefined
      ? null
      : element(
          "div",
          { class: "both-lists" },
          rankedList("By words", lists.lexical, hits),
          rankedList("By meaning", lists.vector, hits),
        ),
  );
}

/** What a search of the vectors did. */
function planText(plan: VectorPlan): string {
  const among =
    plan.allowed === plan.total
      ? `${formatCount(plan.total)} vectors`
      : `${formatCount(plan.allowed)} of ${formatCount(plan.total)} vectors that the filters allow`;
  const how = plan.kind === "scan" ? "compared all" : `walked the graph, width ${plan.ef}`;
  const waiting = plan.kind === "walk" && plan.unlinked > 0 ? `; ${formatCount(plan.unlinked)} not linked yet` : "";
  const fellBack = plan.fellBack ? "; the walk gave up and all allowed were compared" : "";
  return `${how}: ${among}, ${formatCount(plan.evaluations)} distances${waiting}${fellBack}`;
}

function rankedList(title: string, list: readonly RankedChunk[], hits: readonly SearchHit[]): HTMLElement {
  const titles = new Map(hits.map((hit) => [hit.chunkId, hit.title || hit.citation.workspacePath]));
  return element(
    "section",
    {},
    element("h4", {}, `${title} (${formatCount(list.length)})`),
    element(
      "ol",
      {},
      ...list.slice(0, SHOWN).map(({ chunkId, score }) => {
        const known = titles.get(chunkId);
        return element(
          "li",
          {},
          known === undefined ? element("code", {}, chunkId.slice(0, 8)) : element("span", {}, known),
          element("span", { class: "score" }, formatScore(score)),
        );
      }),
    ),
  );
}
