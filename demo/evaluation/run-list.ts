import type { EvalRun } from "lodestore";
import { element } from "../element.ts";
import { formatCount, formatTime } from "../quantities.ts";
import type { ViewState } from "../url-state.ts";
import { dataTable } from "./data-table.ts";
import { formatMeasure, MODE_NAMES, RUN_STATUS_NAMES, runName } from "./measures.ts";

interface RunLinks {
  hrefOf: (change: Partial<ViewState>) => string;
  onGo: (change: Partial<ViewState>) => void;
}

/** Runs as a table, each a link to what it says. */
export function runList(runs: readonly EvalRun[], { hrefOf, onGo }: RunLinks): HTMLElement {
  const rows = runs.map((run) => {
    const { id, suite, status, config, aggregates, startedAt, doneCount, queryCount } = run;
    const link = element(
      "a",
      { href: hrefOf({ run: id, against: null }), "data-testid": "run-link", "data-run": id },
      runName(run),
    );
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onGo({ run: id, against: null });
    });
    const isWhole = status === "completed";
    return [
      link,
      suite,
      isWhole
        ? RUN_STATUS_NAMES[status]
        : `${RUN_STATUS_NAMES[status]}, ${formatCount(doneCount)} of ${formatCount(queryCount)}`,
      MODE_NAMES[config.search.mode],
      formatCount(config.k),
      ...(["ndcg", "recall", "reciprocalRank"] as const).map((metric) => formatMeasure(aggregates?.metrics?.[metric])),
      formatTime(startedAt),
    ];
  });
  const columns = [
    { title: "Run" },
    { title: "Suite" },
    { title: "Status" },
    { title: "By" },
    ...["k", "nDCG@k", "Recall@k", "MRR"].map((title) => ({ title, isNumber: true })),
    { title: "Begun" },
  ];
  return dataTable("Runs, the last begun first", columns, rows);
}
