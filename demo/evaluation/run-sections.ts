import { type EvalComparison, type EvaluationReport, evaluationPlots, metricName } from "lodestore";
import { type Child, descriptionList, element } from "../element.ts";
import { formatCount, formatDuration } from "../quantities.ts";
import { type Column, dataTable } from "./data-table.ts";
import { formatDifference, formatMeasure, formatP, measuresOf, MODE_NAMES, runName } from "./measures.ts";
import { plotFigure } from "./plot-figure.ts";

/** Differences that are listed, and on each side. */
const NAMED = 50;

/** The plots of one run or two, each with its table. */
export function runSections(report: EvaluationReport): HTMLElement[] {
  const { runs, comparison } = report;
  const plots = evaluationPlots(report);
  const [{ run: first }] = runs;
  const names = runs.map(({ run }, at) => (runs.length > 1 ? `${"AB"[at] ?? ""}: ${runName(run)}` : runName(run)));
  const columns: Column[] = [
    { title: "" },
    ...names.map((title) => ({ title: runs.length > 1 ? title : "", isNumber: true })),
  ];
  const measures = runs.map(({ run }) => measuresOf(run));
  const { k, depth } = first.config;
  return [
    ...(runs.length > 1 ? [colourKey(names)] : []),
    ...(comparison === undefined ? [] : [comparisonSection(comparison, plots.differences)]),
    section(
      "Measures",
      plots.measures === null
        ? element(
            "p",
            { class: "hint" },
            "There are none: the run did not come to its end, or nothing is relevant to its queries.",
          )
        : plotFigure(
            plots.measures,
            `Means over ${formatCount(first.aggregates?.scored ?? 0)} queries with something relevant. MRR and MAP look at the first ${formatCount(depth)} documents, the others at ${formatCount(k)}.`,
            "measures-plot",
          ),
      plots.measures !== null &&
        dataTable(
          "Measures",
          columns,
          (measures[0] ?? []).map(({ name }, at) => [name, ...measures.map((one) => formatMeasure(one[at]?.value))]),
        ),
    ),
    section(
      "Time until the first hits",
      plots.latency !== null &&
        plotFigure(
          plots.latency,
          "Queries by the time until their first 50 hits were there, in milliseconds.",
          "latency-plot",
        ),
      dataTable(
        "Times",
        columns,
        (["mean", "p50", "p95", "p99", "max"] as const).map((name) => [
          name,
          ...runs.map(({ run }) => (run.aggregates === null ? "–" : formatDuration(run.aggregates.latency[name]))),
        ]),
      ),
      plots.latencyBins.length > 0 &&
        element(
          "details",
          {},
          element("summary", {}, "Queries by time"),
          dataTable(
            "Queries by time",
            [{ title: "Time" }, ...columns.slice(1)],
            plots.latencyBins.map(({ fromMs, toMs, counts }) => [
              toMs === null
                ? `${formatDuration(fromMs)} and more`
                : `${formatDuration(fromMs)} to ${formatDuration(toMs)}`,
              ...counts.map(formatCount),
            ]),
          ),
        ),
    ),
    ...runs.map(({ run }, at) => {
      const { config, aggregates, corpusRevision, endRevision } = run;
      const changed = endRevision !== null && endRevision !== corpusRevision ? ", changed during the run" : "";
      return element(
        "details",
        {},
        element("summary", {}, runs.length > 1 ? `How ${"AB"[at] ?? ""} was made` : "How it was made"),
        descriptionList([
          ["Suite", `${run.suite} (${run.suiteHash.slice(0, 8)})`],
          ["Search", MODE_NAMES[config.search.mode]],
          ["Model", config.model === null ? null : `${config.model.modelId} ${config.model.modelVersion}`],
          ["Corpus", `${formatCount(config.documents)} documents, revision ${formatCount(corpusRevision)}${changed}`],
          ["Relevant, but not in the store", aggregates === null ? null : formatCount(aggregates.missing)],
          ["Queries without hits", aggregates === null ? null : formatCount(aggregates.withoutHits)],
          ["Made by", `Lodestore ${config.packageVersion}, ${config.engine}`],
        ]),
      );
    }),
  ];
}

function comparisonSection(comparison: EvalComparison, plot: string | null): HTMLElement {
  const { metric, a, meanA, meanB, difference, interval, wins, ties, losses, randomisation, tTest } = comparison;
  const name = metricName(metric, a.config.k);
  const apart = comparison.differences.filter(({ difference: one }) => Math.abs(one) > 1e-9);
  const listed = apart.length <= 2 * NAMED ? apart : [...apart.slice(0, NAMED), ...apart.slice(-NAMED)];
  return section(
    `${name}: B against A`,
    dataTable(
      `${name} of both runs`,
      [{ title: "" }, { title: "", isNumber: true }],
      [
        ["Mean of A", formatMeasure(meanA)],
        ["Mean of B", formatMeasure(meanB)],
        ["Difference, B − A", formatDifference(difference)],
        ["95 % interval of it", `${formatDifference(interval.low)} to ${formatDifference(interval.high)}`],
        ["B better / equal / worse", [wins, ties, losses].map(formatCount).join(" / ")],
        ["p, paired randomisation test", formatP(randomisation.pValue)],
        ["p, paired t-test", tTest === null ? "–" : formatP(tTest.pValue)],
      ],
    ),
    plot !== null &&
      plotFigure(plot, "B − A for each query, sorted: gains above the line, losses below.", "differences-plot"),
    apart.length === 0
      ? element("p", { class: "hint" }, "No query differs.")
      : element(
          "details",
          {},
          element("summary", {}, `${formatCount(apart.length)} queries differ`),
          dataTable(
            `Queries that differ in ${name}, greatest gain first`,
            [{ title: "Query" }, { title: "Text" }, ...["A", "B", "B − A"].map((title) => ({ title, isNumber: true }))],
            listed.map((one) => [
              one.queryId,
              one.text,
              formatMeasure(one.a),
              formatMeasure(one.b),
              formatDifference(one.difference),
            ]),
          ),
        ),
  );
}

/** Which run has which colour. */
function colourKey(names: readonly string[]): HTMLElement {
  const items = names.map((name, at) =>
    element("li", {}, element("span", { class: at === 0 ? "key a" : "key b", "aria-hidden": "true" }), name),
  );
  return element("ul", { class: "colour-key", "data-testid": "colour-key" }, ...items);
}

/** A part of the page below a heading. */
export function section(title: string, ...children: Child[]): HTMLElement {
  return element("section", { class: "work-section" }, element("h3", {}, title), ...children);
}
