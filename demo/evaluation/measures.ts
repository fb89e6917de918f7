import type { EvalMetric, EvalMetrics, EvalRun, EvalRunStatus } from "lodestore";
import { metricName } from "lodestore";
import { formatTime } from "../quantities.ts";
import type { Mode } from "../url-state.ts";

/** The measures, in the order in which they are shown. */
export const METRICS: readonly EvalMetric[] = ["ndcg", "recall", "precision", "reciprocalRank", "averagePrecision"];

export const MODE_NAMES: Readonly<Record<Mode, string>> = { lexical: "Words", vector: "Meaning", hybrid: "Both" };

export const RUN_STATUS_NAMES: Readonly<Record<EvalRunStatus, string>> = {
  running: "Running",
  completed: "Completed",
  cancelled: "Stopped",
  failed: "Failed",
  interrupted: "Interrupted",
};

/** What a run is called: its label, else how it searched and when. */
export function runName({ label, config, startedAt }: EvalRun): string {
  return label ?? `${MODE_NAMES[config.search.mode]}, ${formatTime(startedAt)}`;
}

/** A measure from 0 to 1; what is not there is a dash. */
export function formatMeasure(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(4);
}

/** A difference with its sign. */
export function formatDifference(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(4)}`;
}

/** A probability: what is too small to print is said to be smaller. */
export function formatP(value: number): string {
  return value < 0.0001 ? "< 0.0001" : value.toFixed(4);
}

/** Names and values of the measures of a run. */
export function measuresOf({ config, aggregates }: EvalRun): { name: string; value: number | undefined }[] {
  const metrics: EvalMetrics | null | undefined = aggregates?.metrics;
  return METRICS.map((metric) => ({ name: metricName(metric, config.k), value: metrics?.[metric] }));
}
