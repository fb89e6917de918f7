import type { EvalComparison, EvalMetric, EvalQueryResult, EvalRun } from "../../../contracts/evaluations.ts";

/** A run with what it found. */
export interface ReportedRun {
  run: EvalRun;
  /** All of its results, or as many as are at hand. */
  results: readonly EvalQueryResult[];
}

/** What a report is of: one run, or two and their comparison. */
export type EvaluationReport =
  | { runs: readonly [ReportedRun]; comparison?: undefined }
  | { runs: readonly [ReportedRun, ReportedRun]; comparison: EvalComparison };

/** The measures, in the order of reports. */
export const METRICS: readonly EvalMetric[] = ["ndcg", "recall", "precision", "reciprocalRank", "averagePrecision"];
