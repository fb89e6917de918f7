import type { IngestFailure, IngestReport } from "../node.ts";
import { embeddingLines } from "./embedding-outcome.ts";
import { counted, formatBytes, formatCount, formatDuration } from "./format.ts";
import { printable } from "./printable.ts";
import type { WalkNotes } from "./walk-notes.ts";

/** Most failures that are printed; `--json` has all. */
const MAX_PRINTED_FAILURES = 100;

/** A run, and what was noted on its way. */
export interface IngestSummary {
  report: IngestReport;
  notes: WalkNotes;
  /** Why nothing was swept, where that was asked for. */
  notSwept: string | undefined;
  folder: string;
  /** Time until the files were in: what comes after is the embedding. */
  filesMs: number;
}

/** Returns what a run did, as lines for people. */
export function summarize({ report, notes, notSwept, folder, filesMs }: IngestSummary): string[] {
  const files = report.added + report.updated + report.skipped + report.failures.length;
  const rate = Math.round(files / Math.max(0.001, filesMs / 1000));
  const counts = [
    `${formatCount(report.added)} added`,
    `${formatCount(report.updated)} changed`,
    `${formatCount(report.skipped)} unchanged`,
    ...(report.removed > 0 ? [`${formatCount(report.removed)} removed`] : []),
    ...(report.deduplicated > 0 ? [`${formatCount(report.deduplicated)} with bytes that were there already`] : []),
    ...(report.failures.length > 0 ? [`${formatCount(report.failures.length)} failed`] : []),
  ];
  return [
    `${counted(files, "file")}: ${counts.join(", ")}`,
    `${formatBytes(report.bytes)} in ${counted(report.chunks, "passage")}, ${formatDuration(filesMs)}, ${formatCount(rate)} files/s, into ${printable(folder)}`,
    ...embeddingLines(report.embedding),
    ...leftOut(notes),
    ...(notSwept === undefined ? [] : [`Not swept: ${notSwept}`]),
    ...failures(report.failures),
  ];
}

function leftOut(notes: WalkNotes): string[] {
  const binary = Object.entries(notes.binary).toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const binaryCount = binary.reduce((sum, [, count]) => sum + count, 0);
  const endings = binary.slice(0, 5).map(([ending, count]) => `.${ending} ${formatCount(count)}`);
  if (binary.length > 5) endings.push("…");
  const parts = (
    [
      [notes.hiddenFolders, "hidden folder"],
      [notes.hiddenFiles, "hidden file"],
      [notes.nodeModules, "node_modules folder"],
      [binaryCount, `file without text (${endings.join(", ")})`, `files without text (${endings.join(", ")})`],
      [notes.excluded, "excluded entry", "excluded entries"],
      [notes.notIncluded, "file that --include does not name", "files that --include does not name"],
      [notes.linkedAgain, "link to a folder that is taken in anyway", "links to folders that are taken in anyway"],
      [notes.special, "special file"],
      [notes.stores, "store folder"],
    ] as const
  ).flatMap(([count, one, many]) => (count === 0 ? [] : [counted(count, one, many)]));
  return parts.length === 0 ? [] : [`Left out: ${parts.join(", ")}`];
}

function failures(failed: readonly IngestFailure[]): string[] {
  if (failed.length === 0) return [];
  const more = failed.length - MAX_PRINTED_FAILURES;
  return [
    "Failed:",
    ...failed.slice(0, MAX_PRINTED_FAILURES).map(({ path, reason }) => `  ${printable(path)}: ${printable(reason)}`),
    ...(more > 0 ? [`  … and ${formatCount(more)} more; --json lists all`] : []),
  ];
}
