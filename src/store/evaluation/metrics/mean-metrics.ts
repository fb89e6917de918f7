import type { EvalLatency, EvalMetrics } from "../../../contracts/evaluations.ts";

/** Means of measures; null where there are none. */
export function meanMetrics(all: readonly EvalMetrics[]): EvalMetrics | null {
  if (all.length === 0) return null;
  const mean = (of: (one: EvalMetrics) => number): number => all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return {
    ndcg: mean((one) => one.ndcg),
    recall: mean((one) => one.recall),
    precision: mean((one) => one.precision),
    reciprocalRank: mean((one) => one.reciprocalRank),
    averagePrecision: mean((one) => one.averagePrecision),
  };
}

/** Mean and quantiles of times, each the smallest that so many do not exceed; zeros where there are none. */
export function latencyOf(times: readonly number[]): EvalLatency {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return {
    mean: sorted.length === 0 ? 0 : sorted.reduce((sum, time) => sum + time, 0) / sorted.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    max: sorted.at(-1) ?? 0,
  };
}
