import type { EvalMetric, EvalQueryResult, EvalRun } from "lodestore";
import { metricName } from "lodestore";
import { button, type Child, element } from "../element.ts";
import { formatCount, formatDuration } from "../quantities.ts";
import { dataTable } from "./data-table.ts";
import { formatMeasure, METRICS } from "./measures.ts";

type SortKey = EvalMetric | "order" | "elapsedMs";

const ROWS_A_PAGE = 50;

/** The queries of a run with their measures, which its headings sort. */
export function createQueryTable({ config }: EvalRun, results: readonly EvalQueryResult[]): HTMLElement {
  let key: SortKey = "ndcg";
  let isAscending = true;
  let shown = ROWS_A_PAGE;
  const place = element("div", { "data-testid": "query-table" });

  function draw(focused?: SortKey): void {
    const order = new Map(results.map((result, at) => [result, at]));
    const valueOf = (result: EvalQueryResult): number | null => {
      if (key === "order") return order.get(result) ?? 0;
      return key === "elapsedMs" ? result.elapsedMs : (result.metrics?.[key] ?? null);
    };
    // Queries without measures are last, whichever way.
    const sorted = results.toSorted((a, b) => {
      const [first, second] = [valueOf(a), valueOf(b)];
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      return isAscending ? first - second : second - first;
    });
    const head = (
      name: string,
      own: SortKey,
    ): { title: Child; isNumber: boolean; sort?: "ascending" | "descending" } => ({
      title: button(
        {
          class: "quiet sort",
          "data-testid": `sort-${own}`,
          onclick: () => {
            isAscending = key === own ? !isAscending : own !== "elapsedMs";
            key = own;
            draw(own);
          },
        },
        name,
        element("span", { "aria-hidden": "true" }, key === own ? (isAscending ? " ▲" : " ▼") : ""),
      ),
      isNumber: own !== "order",
      ...(key === own && { sort: isAscending ? "ascending" : "descending" }),
    });
    const columns = [
      head("Query", "order"),
      { title: "Text" },
      ...METRICS.map((metric) => head(metricName(metric, config.k), metric)),
      head("Time", "elapsedMs"),
      { title: "First found" },
    ];
    const rows = sorted
      .slice(0, shown)
      .map(({ queryId, text, metrics, elapsedMs, hits: [first] }): Child[] => [
        queryId,
        text,
        ...METRICS.map((metric) => formatMeasure(metrics?.[metric])),
        formatDuration(elapsedMs),
        first === undefined ? "nothing" : `${first.workspacePath}${(first.grade ?? 0) >= 1 ? " ✓" : ""}`,
      ]);
    place.replaceChildren(dataTable(`${formatCount(results.length)} queries; ✓ marks what is relevant`, columns, rows));
    if (shown < results.length) {
      const more = (): void => {
        shown += ROWS_A_PAGE;
        draw();
      };
      place.append(button({ class: "load-more", onclick: more }, `Show more of ${formatCount(results.length)}`));
    }
    if (focused !== undefined) place.querySelector<HTMLElement>(`[data-testid="sort-${focused}"]`)?.focus();
  }

  draw();
  return place;
}
