import type { EvalComparison, EvalMetrics, EvalQueryResult, EvalRun } from "../../../contracts/evaluations.ts";
import { barPlot } from "./bar-plot.ts";
import { differencePlot } from "./difference-plot.ts";
import { measureBars, timeBins } from "./evaluation-plots.ts";
import { html, type Html } from "./html.ts";
import { latencyPlot } from "./latency-plot.ts";
import {
  formatDifference,
  formatMeasure,
  formatMs,
  formatP,
  formatTime,
  metricName,
  runName,
} from "./report-format.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { type Cell, reportTable } from "./report-table.ts";
import { type EvaluationReport, METRICS, type ReportedRun } from "./reported-run.ts";

/** Queries that a table names, and on each side of a comparison. */
const NAMED = 100;
const number = (text: string): Cell => ({ number: text });

/** Names of the runs, as A and B where there are two. */
function namesOf(runs: readonly ReportedRun[]): string[] {
  return runs.map(({ run }, index) => (runs.length > 1 ? `${"AB"[index] ?? ""}: ${runName(run)}` : runName(run)));
}

/**
 * Returns a report as one HTML document: aggregates, differences query by query, and times, each as a plot with its table beside it. It has
 * nothing from elsewhere and no scripts; what stands in queries and paths is escaped.
 *
 * @example
 *   const results = (await store.evaluations.listResults(run.id, { limit: 1000 })).items;
 *   const page = evaluationReport({ runs: [{ run, results }] });
 */
export function evaluationReport(report: EvaluationReport): string {
  const { runs, comparison } = report;
  const [{ run }] = runs;
  const title = `Evaluation of ${run.suite}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${{ markup: REPORT_STYLE }}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${header(runs)} ${comparison === undefined ? [] : [compared(comparison)]} ${aggregates(runs)} ${latency(runs)}
          ${configuration(runs)} ${queries(runs)}
        </main>
      </body>
    </html> `;
  return page.markup;
}

function header(runs: readonly ReportedRun[]): Html {
  const lines = runs.map(
    ({ run }, index) =>
      html`<p>
        <span class="key ${index === 0 ? "a" : "b"}" aria-hidden="true"></span>
        ${namesOf(runs)[index] ?? ""}, ${run.status}, ${run.doneCount} of ${run.queryCount} queries, begun
        ${formatTime(run.startedAt)}
      </p>`,
  );
  return html`${lines}`;
}

function aggregates(runs: readonly ReportedRun[]): Html {
  const groups = measureBars(runs);
  if (groups.length === 0)
    return html`<h2>Measures</h2>
      <p>There are none: the run is not complete, or nothing is relevant to its queries.</p>`;
  const rows = groups.map(({ name, values }) => [name, ...values.map((value) => number(formatMeasure(value)))]);
  return html`<h2>Measures</h2>
    <figure>
      ${barPlot("Measures of each run, as the table below has them", groups)}
      <figcaption>
        Means over ${runs[0]!.run.aggregates!.scored} queries with something relevant. MRR and MAP look at the first
        ${runs[0]!.run.config.depth} documents.
      </figcaption>
    </figure>
    ${reportTable("Measures", ["Measure", ...namesOf(runs).map(number)], rows)}`;
}

function compared(comparison: EvalComparison): Html {
  const { metric, a, meanA, meanB, difference, wins, ties, losses, tTest, randomisation, interval, differences } =
    comparison;
  const name = metricName(metric, a.config.k);
  const how = randomisation.exact ? "all signs" : `${randomisation.permutations.toLocaleString("en-US")} draws`;
  const rows: Cell[][] = [
    ["Mean of A", number(formatMeasure(meanA))],
    ["Mean of B", number(formatMeasure(meanB))],
    ["Difference, B − A", number(formatDifference(difference))],
    ["95 % interval of it", number(`${formatDifference(interval.low)} to ${formatDifference(interval.high)}`)],
    ["B better / equal / worse", number(`${wins} / ${ties} / ${losses}`)],
    [`p, paired randomisation test (${how})`, number(formatP(randomisation.pValue))],
    ["p, paired t-test", number(tTest === null ? "–" : formatP(tTest.pValue))],
  ];
  const apart = differences.filter(({ difference: one }) => Math.abs(one) > 1e-9);
  const gains = apart.filter(({ difference: one }) => one > 0).slice(0, NAMED);
  const drops = apart.filter(({ difference: one }) => one < 0).slice(-NAMED);
  const shown = [...gains, ...drops];
  const caption = `Queries that differ in ${name}, greatest gain first${shown.length < apart.length ? ` (${shown.length} of ${apart.length})` : ""}`;
  const columns = ["Query", "Text", number("A"), number("B"), number("B − A")];
  return html`<h2>${name}: B against A</h2>
    ${reportTable(`${name} of both runs`, ["", number("")], rows)}
    <figure>
      ${differencePlot(
        `Differences in ${name}, a bar a query, greatest gain first`,
        differences.map((one) => one.difference),
      )}
      <figcaption>B − A for each query, sorted: gains above the line, losses below.</figcaption>
    </figure>
    <details>
      <summary>${caption}</summary>
      ${reportTable(
        caption,
        columns,
        shown.map((one) => [
          one.queryId,
          one.text,
          number(formatMeasure(one.a)),
          number(formatMeasure(one.b)),
          number(formatDifference(one.difference)),
        ]),
      )}
    </details>`;
}

function latency(runs: readonly ReportedRun[]): Html {
  const bins = timeBins(runs);
  const rows = (["mean", "p50", "p95", "p99", "max"] as const).map((name): Cell[] => [
    name,
    ...runs.map(({ run }) => number(run.aggregates === null ? "–" : formatMs(run.aggregates.latency[name]))),
  ]);
  const binRows = bins.map(({ fromMs, toMs, counts }): Cell[] => [
    toMs === null ? `${formatMs(fromMs)} and more` : `${formatMs(fromMs)} to ${formatMs(toMs)}`,
    ...counts.map((count) => number(String(count))),
  ]);
  const names = namesOf(runs).map(number);
  return html`<h2>Time until the first hits</h2>
    <figure>
      ${latencyPlot("Queries by the time they took, as the table below has them", bins)}
      <figcaption>Queries by the time until their first 50 hits were there, in milliseconds.</figcaption>
    </figure>
    ${reportTable("Times", ["", ...names], rows)}
    <details>
      <summary>Queries by time</summary>
      ${reportTable("Queries by time", ["Time", ...names], binRows)}
    </details>`;
}

function configuration(runs: readonly ReportedRun[]): Html {
  const row = (name: string, of: (run: EvalRun) => string): Cell[] => [name, ...runs.map(({ run }) => of(run))];
  const rows = [
    row("Run", ({ id }) => id),
    row("Suite", ({ suite, suiteHash }) => `${suite} (${suiteHash})`),
    row("Search", ({ config }) => JSON.stringify(config.search)),
    row("Model", ({ config: { model } }) =>
      model === null ? "–" : `${model.modelId}, version ${model.modelVersion}, ${model.dimensions} dimensions`,
    ),
    row("Corpus", ({ config, corpusRevision, endRevision }) => {
      const changed = endRevision !== null && endRevision !== corpusRevision ? ", changed during the run" : "";
      return `${config.documents} documents, ${config.chunks} chunks, revision ${corpusRevision}${changed}`;
    }),
    row(
      "Made by",
      ({ config }) => `Lodestore ${config.packageVersion}, schema ${config.schemaVersion}, ${config.engine}`,
    ),
    row("Relevant but not in the store", ({ aggregates: all }) => (all === null ? "–" : String(all.missing))),
    row("Queries without hits", ({ aggregates: all }) => (all === null ? "–" : String(all.withoutHits))),
    row("Hybrid queries by words alone", ({ aggregates: all }) => (all === null ? "–" : String(all.withoutVectors))),
  ];
  return html`<h2>How it was made</h2>
    ${reportTable("Configuration", ["", ...namesOf(runs)], rows)}`;
}

function queries(runs: readonly ReportedRun[]): Html {
  const parts = runs.map(({ run, results }) => {
    const { k } = run.config;
    const scored = results.flatMap((result) => (result.metrics === null ? [] : [{ result, metrics: result.metrics }]));
    const worst = scored.sort((a, b) => a.metrics.ndcg - b.metrics.ndcg).slice(0, NAMED);
    const caption = `${runName(run)}: ${worst.length} of ${scored.length} queries, lowest nDCG@${k} first`;
    const columns = ["Query", "Text", ...METRICS.map((metric) => number(metricName(metric, k))), "First found"];
    return html`<details>
      <summary>${caption}</summary>
      ${reportTable(
        caption,
        columns,
        worst.map(({ result, metrics }) => queryRow(result, metrics)),
      )}
    </details>`;
  });
  return html`<h2>Queries</h2>
    ${parts}`;
}

function queryRow({ queryId, text, hits }: EvalQueryResult, metrics: EvalMetrics): Cell[] {
  const [first] = hits;
  return [
    queryId,
    text,
    ...METRICS.map((metric) => number(formatMeasure(metrics[metric]))),
    first === undefined ? "nothing" : `${first.workspacePath}${(first.grade ?? 0) >= 1 ? " ✓" : ""}`,
  ];
}
