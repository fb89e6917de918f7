import type { EvalMetric, EvalRun } from "../../../contracts/evaluations.ts";

/** Names of the measures, as people write them. @param k Places that the first three look at. */
export function metricName(metric: EvalMetric, k: number): string {
  switch (metric) {
    case "ndcg":
      return `nDCG@${k}`;
    case "recall":
      return `Recall@${k}`;
    case "precision":
      return `Precision@${k}`;
    case "reciprocalRank":
      return "MRR";
    case "averagePrecision":
      return "MAP";
  }
}

/** What a run is called: its label, else when it began. */
export function runName({ label, config, startedAt }: EvalRun): string {
  return label ?? `${config.search.mode}, ${formatTime(startedAt)}`;
}

export function formatTime(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function formatMeasure(value: number): string {
  return value.toFixed(4);
}

export function formatDifference(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(4)}`;
}

export function formatMs(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

/** A probability: what is too small to print is said to be smaller. */
export function formatP(value: number): string {
  return value < 0.0001 ? "< 0.0001" : value.toFixed(4);
}
