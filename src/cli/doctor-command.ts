import { resolve } from "node:path";
import {
  type CheckFinding,
  type EmbeddingSweepReport,
  type OpenReport,
  StorageError,
  type Store,
  type StoreStats,
} from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { counted, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore, openStoreToRead, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { reportError } from "./report-error.ts";
import { statsLines } from "./stats-lines.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

/** Most records and vectors that a sweep deletes. */
const MAX_SWEEP = 1_000_000;

/** What `doctor` found. */
interface Examination {
  ok: boolean;
  /** Folder of the store, absolute. */
  folder: string;
  findings: CheckFinding[];
  /** `null` when the store could not be opened. */
  openReport: OpenReport | null;
  /** `null` when damage keeps it from being read. */
  stats: StoreStats | null;
  /** What the sweep did, where one was asked for. `null` where damage keeps the store from being swept. */
  sweep?: EmbeddingSweepReport | null;
}

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look for damage, and say what is in the store",
  usage: "[options]",
  description: `Reads the whole store: integrity of the file, text index in step with the
passages, whole documents, bytes of the documents. What is derived, like the
text index, is repaired when a store is opened, and doctor says so. Exits with 1
when it found a problem, with 3 when the store could not even be opened.

With --sweep it also deletes what nothing needs any more: embeddings of passages
that are gone and of models that were replaced, vectors without a record; and
repairs what a crash left. A damaged file is not swept.`,
  options: [
    { name: "sweep", help: "Delete what nothing needs any more" },
    { name: "dry-run", help: "With --sweep: only count it" },
  ],
  examples: [
    ["lodestore doctor", "Examine the store in ./.lodestore"],
    ["lodestore doctor --db ~/notes-store --json", "Another one, for programs"],
    ["lodestore doctor --sweep --dry-run", "Say what a sweep would delete"],
  ],
  run: runDoctor,
};

async function runDoctor(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  if (args.has("dry-run") && !args.has("sweep")) throw usageError(args.command, "--dry-run goes with --sweep");
  const folder = resolve(storeFolder(args, terminal));
  let failure: unknown;
  let examination: Examination;
  try {
    examination = await useStore(
      terminal,
      () => (args.has("sweep") ? openExistingStore(args, terminal) : openStoreToRead(args, terminal)),
      async (store) => {
        const found = await examine(store, folder);
        return args.has("sweep") ? sweep(store, found, args.has("dry-run"), terminal) : found;
      },
    );
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof StorageError)) throw error;
    failure = error;
    const findings = [{ name: "opening", ok: false, detail: `${error.code}: ${error.message}` }];
    examination = { ok: false, folder, findings, openReport: null, stats: null };
  }
  if (terminal.json) terminal.printJson(examination);
  else terminal.print(...lines(examination, terminal));
  if (failure instanceof StorageError) {
    reportError(failure, args.command, terminal.stderr, terminal.json);
    return exitCodeOf(failure.code);
  }
  return examination.ok ? EXIT.ok : EXIT.wrong;
}

async function examine(store: Store, folder: string): Promise<Examination> {
  const { findings } = await store.check();
  let stats: StoreStats | null = null;
  try {
    stats = await store.stats();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    findings.push({ name: "counts and sizes", ok: false, detail: `${error.code}: ${error.message}` });
  }
  const ok = findings.every((finding) => finding.ok);
  return { ok, folder, findings, openReport: await store.openReport(), stats };
}

/** Sweeps, and examines what is there after that. */
async function sweep(store: Store, before: Examination, dryRun: boolean, terminal: Terminal): Promise<Examination> {
  if (before.stats === null || before.findings.some(({ name, ok }) => name === "file integrity" && !ok))
    return { ...before, sweep: null };
  using interrupt = listenForInterrupt(() => terminal.note("Stopping after the batch at hand."));
  const report = await store.embeddings.sweep({ dryRun, maxDelete: MAX_SWEEP, signal: interrupt.signal });
  return { ...(dryRun ? before : await examine(store, before.folder)), sweep: report };
}

function lines({ ok, folder, findings, openReport, stats, sweep }: Examination, terminal: Terminal): string[] {
  return [
    `Store in ${printable(folder)}`,
    ...findings.map(({ name, ok: fine, detail }) =>
      fine ? `  ok       ${printable(name)}` : terminal.bold(`  PROBLEM  ${printable(name)}: ${printable(detail)}`),
    ),
    ...(openReport === null ? [] : openLines(openReport)),
    ...(stats === null ? [] : statsLines(stats)),
    ...(sweep === undefined ? [] : sweepLines(sweep)),
    ok ? "All is well." : terminal.bold("Something is wrong."),
  ];
}

function openLines({ elapsedMs, migrations, rebuilt }: OpenReport): string[] {
  return [
    `Opened in ${formatDuration(elapsedMs)}`,
    ...migrations.map((name) => `  brought up to date: ${printable(name)}`),
    ...rebuilt.map((what) => `  rebuilt: ${printable(what)}`),
  ];
}

function sweepLines(sweep: EmbeddingSweepReport | null): string[] {
  if (sweep === null) return ["Not swept: the file is damaged"];
  const { dryRun, tombstones, retired, pending, lost, orphans, more } = sweep;
  const parts = (
    [
      [tombstones, "embedding of a passage that is gone", "embeddings of passages that are gone"],
      [retired, "embedding of a model that was replaced", "embeddings of models that were replaced"],
      [pending, "embedding that a crash left half-written", "embeddings that a crash left half-written"],
      [lost, "record whose vector is lost", "records whose vectors are lost"],
      [orphans, "vector without a record", "vectors without a record"],
    ] as const
  ).flatMap(([count, one, many]) => (count === 0 ? [] : [`  ${counted(count, one, many)}`]));
  if (parts.length === 0) return ["Nothing to sweep"];
  return [
    dryRun ? "A sweep would delete:" : "Swept:",
    ...parts,
    ...(more ? ["  There is more: run it again"] : []),
    ...(lost > 0 && !dryRun ? ["  lodestore embed makes anew what is lost"] : []),
  ];
}
