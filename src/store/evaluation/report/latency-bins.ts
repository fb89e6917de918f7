/** How many queries took how long. */
export interface LatencyBin {
  /** Milliseconds, `fromMs` included; the last bin has no end. */
  fromMs: number;
  toMs: number | null;
  /** Queries of each run. */
  counts: number[];
}

const BINS = 20;

/** Bins of equal width for the times of one run or two, up to the 99th percentile; what took longer is in the last. */
export function latencyBins(runs: readonly (readonly number[])[]): LatencyBin[] {
  const all = runs.flat().sort((a, b) => a - b);
  const end = all[Math.max(0, Math.ceil(0.99 * all.length) - 1)] ?? 0;
  if (end <= 0) return [];
  const width = niceWidth(end / BINS);
  const count = Math.ceil(end / width) + 1;
  const bins = Array.from({ length: count }, (_, index): LatencyBin => {
    const isLast = index === count - 1;
    return { fromMs: index * width, toMs: isLast ? null : (index + 1) * width, counts: runs.map(() => 0) };
  });
  for (const [run, times] of runs.entries()) {
    for (const time of times) bins[Math.min(count - 1, Math.floor(time / width))]!.counts[run]!++;
  }
  return bins;
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceWidth(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}
