import type { CheckFinding, EmbeddingSweepReport, OpenReport, RepairStep } from "../node.ts";
import type { Examination } from "./examination.ts";
import { counted, formatDuration } from "./format.ts";
import { printable } from "./printable.ts";
import { statsLines } from "./stats-lines.ts";
import type { Terminal } from "./terminal.ts";

/** Returns what `doctor` found and did, as lines for people. */
export function examinationLines(examination: Examination, terminal: Terminal): string[] {
  const { ok, folder, findings, openReport, stats, fix } = examination;
  return [
    `Store in ${printable(folder)}`,
    ...findings.map((finding) => findingLine(finding, terminal)),
    ...(openReport === null ? [] : openLines(openReport)),
    ...(stats === null ? [] : statsLines(stats)),
    ...(fix === undefined ? [] : fixLines(fix, terminal)),
    ok ? "All is well." : terminal.bold("Something is wrong."),
  ];
}

function findingLine({ name, ok, detail }: CheckFinding, terminal: Terminal): string {
  if (!ok) return terminal.bold(`  PROBLEM  ${printable(name)}: ${printable(detail)}`);
  const more = detail.replace(/^ok(?:; )?/, "");
  return `  ok       ${printable(name)}${more === "" ? "" : terminal.dim(`: ${printable(more)}`)}`;
}

function openLines({ elapsedMs, migrations, rebuilt }: OpenReport): string[] {
  return [
    `Opened in ${formatDuration(elapsedMs)}`,
    ...migrations.map((name) => `  brought up to date: ${printable(name)}`),
    ...rebuilt.map((what) => `  rebuilt: ${printable(what)}`),
  ];
}

function fixLines({ dryRun, steps, sweep }: NonNullable<Examination["fix"]>, terminal: Terminal): string[] {
  const of = (outcome: RepairStep["outcome"], title: string): string[] => {
    const lines = steps
      .filter((step) => step.outcome === outcome)
      .map(({ name, detail }) => `  ${printable(name)}: ${printable(detail)}`);
    return lines.length === 0 ? [] : [title, ...lines];
  };
  const left = of("left", "Not repaired:");
  const swept = sweep === null ? [] : sweepLines(sweep);
  const done = [...of("repaired", "Repaired:"), ...of("planned", "It would repair:"), ...swept];
  const nothing = dryRun ? "There is nothing to repair." : "There was nothing to repair.";
  return [...(done.length + left.length === 0 ? [nothing] : done), ...left.map((line) => terminal.bold(line))];
}

function sweepLines({ dryRun, tombstones, retired, pending, lost, orphans }: EmbeddingSweepReport): string[] {
  const parts = (
    [
      [tombstones, "embedding of a passage that is gone", "embeddings of passages that are gone"],
      [retired, "embedding of a model that was replaced", "embeddings of models that were replaced"],
      [pending, "embedding that a crash left half-written", "embeddings that a crash left half-written"],
      [lost, "record whose vector is lost", "records whose vectors are lost"],
      [orphans, "vector without a record", "vectors without a record"],
    ] as const
  ).flatMap(([count, one, many]) => (count === 0 ? [] : [`  ${counted(count, one, many)}`]));
  if (parts.length === 0) return [];
  return [
    dryRun ? "It would delete:" : "Deleted:",
    ...parts,
    ...(lost > 0 && !dryRun ? ["  lodestore embed makes anew what is lost"] : []),
  ];
}
