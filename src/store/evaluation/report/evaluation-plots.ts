import { barPlot, type Bars } from "./bar-plot.ts";
import { differencePlot } from "./difference-plot.ts";
import { type LatencyBin, latencyBins } from "./latency-bins.ts";
import { latencyPlot } from "./latency-plot.ts";
import { metricName } from "./report-format.ts";
import { type EvaluationReport, METRICS, type ReportedRun } from "./reported-run.ts";

/** The plots of a report, each the markup of one `<svg>` with an `aria-label`, without a size and without colours: bars of the first run have
 *  the class `a`, of the second `b`, gains `good` and losses `bad`, lines `axis`, numbers `value`. */
export interface EvaluationPlots {
  /** Bars of the measures from 0 to 1; null where a run has none. */
  measures: string | null;
  /** Queries by the time until their first hits; null where no time is known. */
  latency: string | null;
  /** What {@link latency} shows. */
  latencyBins: LatencyBin[];
  /** A bar a query, greatest gain first; null without a comparison. */
  differences: string | null;
}

/**
 * Draws the plots of `evaluationReport`, for a page of one's own. What stands in queries and labels is escaped.
 *
 * @example
 *   const { measures } = evaluationPlots({ runs: [{ run, results }] });
 */
export function evaluationPlots({ runs, comparison }: EvaluationReport): EvaluationPlots {
  const bars = measureBars(runs);
  const bins = timeBins(runs);
  const name = comparison === undefined ? "" : metricName(comparison.metric, comparison.a.config.k);
  return {
    measures: bars.length === 0 ? null : barPlot("Measures of each run, as the table has them", bars).markup,
    latency:
      bins.length === 0 ? null : latencyPlot("Queries by the time they took, as the table has them", bins).markup,
    latencyBins: bins,
    differences:
      comparison === undefined
        ? null
        : differencePlot(
            `Differences in ${name}, a bar a query, greatest gain first`,
            comparison.differences.map(({ difference }) => difference),
          ).markup,
  };
}

/** Bars of each measure; none where a run has no measures. */
export function measureBars(runs: readonly ReportedRun[]): Bars[] {
  const measured = runs.flatMap(({ run }) => run.aggregates?.metrics ?? []);
  const [first] = runs;
  if (first === undefined || measured.length < runs.length) return [];
  return METRICS.map((metric) => ({
    name: metricName(metric, first.run.config.k),
    values: measured.map((one) => one[metric]),
  }));
}

/** How many queries of each run took how long. */
export function timeBins(runs: readonly ReportedRun[]): LatencyBin[] {
  return latencyBins(runs.map(({ results }) => results.map(({ elapsedMs }) => elapsedMs)));
}
