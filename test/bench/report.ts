import { cpus } from "node:os";

/** One figure of a benchmark. */
export interface Figure {
  suite: string;
  case: string;
  metric: string;
  value: number;
  unit: string;
  /** What the value is compared with, measured in the same run. */
  baseline?: number;
  /** `value / baseline`. */
  ratio?: number;
  recall?: number;
  dataset?: string;
  /** `node` or `chromium`. */
  platform?: string;
}

export type Report = (figure: Figure) => void;

/** What a suite is given. */
export interface BenchContext {
  report: Report;
  /** Says how far it is, on stderr. */
  progress(message: string): void;
  /** Folder of the data sets. */
  dataDir: string;
}

const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores`;

/** Prints figures as they come: one JSON object a line, or as a table row. */
export function printer(json: boolean): Report {
  return (figure) => {
    const full = { platform: `node ${process.versions.node}`, ...figure, machine };
    if (json) process.stdout.write(`${JSON.stringify(full)}\n`);
    else process.stdout.write(`${row(full)}\n`);
  };
}

function row(figure: Figure & { machine: string }): string {
  const name = `${figure.suite} / ${figure.case}`.padEnd(42);
  const value = `${format(figure.value)} ${figure.unit}`.padStart(18);
  const ratio =
    figure.ratio === undefined ? "" : `  ${format(figure.ratio)} × baseline ${format(figure.baseline ?? 0)}`;
  const recall = figure.recall === undefined ? "" : `  recall ${figure.recall.toFixed(3)}`;
  return `${name} ${figure.metric.padEnd(28)} ${value}${ratio}${recall}  [${figure.dataset ?? "-"}; ${figure.platform ?? ""}]`;
}

function format(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

/** Returns the `q` quantile (0 to 1) of the values, nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
