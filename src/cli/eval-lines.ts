import type { EvalComparison, EvalMetric, EvalRun } from "../node.ts";
import { counted, formatCount, formatTime } from "./format.ts";
import { padToWidth, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** The measures, as options and JSON name them. */
export const METRICS: readonly EvalMetric[] = ["ndcg", "recall", "precision", "reciprocalRank", "averagePrecision"];

/** What people call a measure. */
export function metricName(metric: EvalMetric, k: number): string {
  switch (metric) {
    case "ndcg":
      return `nDCG@${k}`;
    case "recall":
      return `recall@${k}`;
    case "precision":
      return `precision@${k}`;
    case "reciprocalRank":
      return "MRR";
    case "averagePrecision":
      return "MAP";
  }
}

/** A run and what it says of all its queries. */
export function runLines(run: EvalRun, terminal: Terminal): string[] {
  const { id, suite, label, status, config, aggregates, startedAt, doneCount, queryCount, error } = run;
  const name = label === null ? suite : `${suite}, ${label}`;
  const facts = `${id}, ${config.search?.mode ?? "?"}, ${formatTime(startedAt)}, ${formatCount(doneCount)}/${counted(queryCount, "query", "queries")}`;
  const lines = [terminal.bold(printable(name)), terminal.dim(facts)];
  if (aggregates === null) return [...lines, printable(error === null ? status : `${status}: ${error}`)];
  const { metrics, latency, scored } = aggregates;
  if (metrics === null) return [...lines, "nothing is relevant to its queries: no measures"];
  return [
    ...lines,
    ...METRICS.map((metric) => `${padToWidth(metricName(metric, config.k), 14)} ${metrics[metric].toFixed(4)}`),
    terminal.dim(
      `over ${counted(scored, "query", "queries")}; p50 ${latency.p50.toFixed(1)} ms, p95 ${latency.p95.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`,
    ),
  ];
}

/** What may make the measures of a run other than they seem. */
export function runRemarks({ aggregates, corpusRevision, endRevision }: EvalRun): string[] {
  if (aggregates === null) return [];
  const { missing, withoutVectors, withoutHits } = aggregates;
  return [
    ...(missing > 0
      ? [`${counted(missing, "relevant document")} ${missing === 1 ? "is" : "are"} not in the store`]
      : []),
    ...(withoutHits > 0 ? [`${counted(withoutHits, "query", "queries")} found nothing`] : []),
    ...(withoutVectors > 0 ? [`${counted(withoutVectors, "query", "queries")} stood on words alone`] : []),
    ...(endRevision === corpusRevision ? [] : ["the corpus changed during the run"]),
  ];
}

/** Two runs beside each other. */
export function comparisonLines(comparison: EvalComparison, terminal: Terminal): string[] {
  const { metric, a, b, meanA, meanB, difference, wins, ties, losses, tTest, randomisation, interval } = comparison;
  const name = metricName(metric, a.config.k);
  const called = ({ label, id }: EvalRun): string => printable(label ?? id);
  const how = randomisation.exact ? "all signs" : `${formatCount(randomisation.permutations)} draws`;
  return [
    terminal.bold(`${name} over ${counted(comparison.queries, "query", "queries")}`),
    `A  ${meanA.toFixed(4)}  ${called(a)}`,
    `B  ${meanB.toFixed(4)}  ${called(b)}`,
    `B - A  ${signed(difference)}  95 % of ${signed(interval.low)} to ${signed(interval.high)}`,
    `B is better in ${formatCount(wins)}, equal in ${formatCount(ties)}, worse in ${formatCount(losses)}`,
    `p ${randomisation.pValue.toFixed(4)} (paired randomisation, ${how})${tTest === null ? "" : `, ${tTest.pValue.toFixed(4)} (paired t-test)`}`,
  ];
}

/** Returns `+0.0123`. */
export function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(4)}`;
}
