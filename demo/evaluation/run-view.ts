import {
  type EvalMetric,
  type EvalQueryResult,
  type EvalRun,
  type EvaluationReport,
  evaluationReport,
  metricName,
  type Store,
} from "lodestore";
import { confirmDialog } from "../confirm-dialog.ts";
import { downloadText, fileName } from "../download-text.ts";
import { button, element } from "../element.ts";
import { errorText } from "../error-text.ts";
import { formatCount, formatTime } from "../quantities.ts";
import type { ViewState } from "../url-state.ts";
import { METRICS, MODE_NAMES, RUN_STATUS_NAMES, runName } from "./measures.ts";
import { createQueryTable } from "./query-table.ts";
import { runSections, section } from "./run-sections.ts";

export interface RunView {
  readonly element: HTMLElement;
  /** Shows a run, or two beside each other. */
  show(run: string, against: string | null): Promise<void>;
  /** Whether what is shown still runs. */
  isRunning(): boolean;
  focus(): void;
}

interface RunViewOptions {
  store: Store;
  hrefOf: (change: Partial<ViewState>) => string;
  onGo: (change: Partial<ViewState>) => void;
  onError: (error: unknown) => void;
}

const RESULTS_A_PAGE = 1000;

/** One run of a suite, and what it is compared with. */
export function createRunView({ store, hrefOf, onGo, onError }: RunViewOptions): RunView {
  const heading = element("h2", { tabindex: "-1", "data-testid": "run-title" });
  const body = element("div", { class: "run-body" });
  const view = element("div", { class: "work", hidden: true, "data-testid": "run" }, backLink(), heading, body);
  let metric: EvalMetric = "ndcg";
  let shown: EvalRun | undefined;
  let wanted = 0;

  function backLink(): HTMLElement {
    const change = { run: null, against: null };
    const link = element("a", { href: hrefOf(change), "data-testid": "all-runs" }, "‹ All runs");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onGo(change);
    });
    return element("p", {}, link);
  }

  async function show(id: string, against: string | null): Promise<void> {
    const mine = ++wanted;
    view.setAttribute("aria-busy", "true");
    try {
      const [run, other] = await Promise.all([
        store.evaluations.getRun(id),
        against === null ? undefined : store.evaluations.getRun(against),
      ]);
      if (run === undefined || (against !== null && other === undefined)) {
        if (mine === wanted) fail("This run is not in the store any more.");
        return;
      }
      const report = await reportOf(run, other);
      const others = (await store.evaluations.listRuns({ status: "completed", suite: run.suite }, { limit: 200 }))
        .items;
      if (mine !== wanted) return;
      shown = run;
      heading.textContent = other === undefined ? runName(run) : `${runName(run)} → ${runName(other)}`;
      body.replaceChildren(
        facts(run),
        tools(run, other, others, report),
        ...runSections(report),
        ...report.runs.map((one, at) =>
          section(
            report.runs.length > 1 ? `Queries of ${"AB"[at] ?? ""}` : "Queries",
            createQueryTable(one.run, one.results),
          ),
        ),
      );
    } catch (error) {
      if (mine === wanted) fail(errorText(error));
    } finally {
      if (mine === wanted) view.removeAttribute("aria-busy");
    }
  }

  function fail(text: string): void {
    shown = undefined;
    heading.textContent = "Run";
    body.replaceChildren(element("p", { class: "error", role: "alert" }, text));
  }

  async function reportOf(run: EvalRun, other: EvalRun | undefined): Promise<EvaluationReport> {
    const a = { run, results: await resultsOf(run.id) };
    if (other === undefined) return { runs: [a] };
    const b = { run: other, results: await resultsOf(other.id) };
    return { runs: [a, b], comparison: await store.evaluations.compare(run.id, other.id, { metric }) };
  }

  async function resultsOf(id: string): Promise<EvalQueryResult[]> {
    const results: EvalQueryResult[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.evaluations.listResults(id, {
        limit: RESULTS_A_PAGE,
        ...(cursor !== undefined && { cursor }),
      });
      results.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return results;
  }

  function facts({ suite, status, error, config, doneCount, queryCount, startedAt }: EvalRun): HTMLElement {
    const said = [
      `Suite ${suite}`,
      RUN_STATUS_NAMES[status],
      `${formatCount(doneCount)} of ${formatCount(queryCount)} queries`,
      `by ${MODE_NAMES[config.search.mode].toLowerCase()}`,
      `begun ${formatTime(startedAt)}`,
    ];
    return element(
      "div",
      {},
      element("p", { class: "facts", "data-testid": "run-facts" }, said.join(" · ")),
      error !== null && element("p", { class: "error" }, error),
    );
  }

  function tools(
    run: EvalRun,
    other: EvalRun | undefined,
    all: readonly EvalRun[],
    report: EvaluationReport,
  ): HTMLElement {
    const { k, depth } = run.config;
    const alike = all.filter(
      (one) => one.id !== run.id && one.suiteHash === run.suiteHash && one.config.k === k && one.config.depth === depth,
    );
    const compare = element(
      "select",
      { "data-testid": "compare-with" },
      element("option", { value: "" }, alike.length === 0 ? "No other run of this suite" : "Nothing"),
      ...alike.map((one) => element("option", { value: one.id, selected: one.id === other?.id }, runName(one))),
    );
    compare.disabled = run.status !== "completed" || alike.length === 0;
    compare.addEventListener("change", () =>
      onGo({ run: run.id, against: compare.value === "" ? null : compare.value }),
    );
    const measure = element(
      "select",
      { "data-testid": "compare-metric" },
      ...METRICS.map((one) => element("option", { value: one, selected: one === metric }, metricName(one, k))),
    );
    measure.addEventListener("change", () => {
      metric = measure.value as EvalMetric;
      void show(run.id, other?.id ?? null).then(() =>
        body.querySelector<HTMLElement>("[data-testid=compare-metric]")?.focus(),
      );
    });
    return element(
      "div",
      { class: "run-tools" },
      element("label", {}, element("span", {}, "Compare with"), compare),
      other !== undefined && element("label", {}, element("span", {}, "in"), measure),
      button(
        {
          "data-testid": "download-report",
          onclick: () =>
            downloadText(fileName(`evaluation ${run.suite}`, "html"), "text/html", evaluationReport(report)),
        },
        "Download report (HTML)",
      ),
      run.status !== "running" &&
        button({ class: "danger", "data-testid": "delete-run", onclick: () => void remove(run) }, "Delete run…"),
    );
  }

  async function remove(run: EvalRun): Promise<void> {
    try {
      const isSure = await confirmDialog({
        title: "Delete this run?",
        detail: `“${runName(run)}” and the results of its queries leave the store. The suite stays.`,
        action: "Delete the run",
      });
      if (!isSure) return;
      await store.evaluations.deleteRun(run.id);
      onGo({ run: null, against: null });
    } catch (error) {
      onError(error);
    }
  }

  return { element: view, show, isRunning: () => shown?.status === "running", focus: () => heading.focus() };
}
