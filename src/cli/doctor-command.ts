import { resolve } from "node:path";
import { type CheckFinding, StorageError, type Store, type StoreStats } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { examinationLines } from "./doctor-lines.ts";
import type { Examination } from "./examination.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore, openStoreToRead, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import { reportError } from "./report-error.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look for damage and repair it, and say what is in the store",
  usage: "[options]",
  description: `Reads the whole store: integrity of the file, text index in step with the
passages, whole documents and their bytes, embeddings and their vectors, vector
indexes and their snapshots. Exits with 1 when it found a problem, with 3 when
the store could not even be opened.

With --fix it repairs what it can. What is derived is made anew: the text index,
vector indexes, snapshots. What belongs to nothing is deleted: rows and bytes
without a document, embeddings that a crash left half-written, that belong to
passages that are gone or to models that were replaced. What it cannot repair it
names, with what to do. A damaged file is not written to. Exits with 0 when all
is well after that, with 1 when something is left.`,
  options: [
    { name: "deep", help: "Also compare the bytes of every document with its hash" },
    { name: "fix", help: "Repair what can be repaired" },
    { name: "dry-run", help: "With --fix: only say what it would do" },
  ],
  examples: [
    ["lodestore doctor", "Examine the store in ./.lodestore"],
    ["lodestore doctor --db ~/notes-store --json", "Another one, for programs"],
    ["lodestore doctor --deep", "Read all bytes, too"],
    ["lodestore doctor --fix --dry-run", "Say what would be repaired and deleted"],
    ["lodestore doctor --fix", "Repair it"],
  ],
  run: runDoctor,
};

async function runDoctor(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  if (args.has("deep") && args.has("fix")) throw usageError(args.command, "--deep does not go with --fix");
  if (args.has("dry-run") && !args.has("fix")) throw usageError(args.command, "--dry-run goes with --fix");
  const folder = resolve(storeFolder(args, terminal));
  let failure: unknown;
  let examination: Examination;
  try {
    examination = await useStore(
      terminal,
      () => (args.has("fix") ? openExistingStore(args, terminal) : openStoreToRead(args, terminal)),
      (store) =>
        args.has("fix") ? fix(store, folder, args.has("dry-run"), terminal) : examine(store, folder, args.has("deep")),
    );
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof StorageError)) throw error;
    if (error.code === "ABORTED") throw cancelled(args.command, error);
    failure = error;
    const findings = [{ name: "opening", ok: false, detail: `${error.code}: ${error.message}` }];
    examination = { ok: false, folder, findings, openReport: null, stats: null };
  }
  if (terminal.json) terminal.printJson(examination);
  else terminal.print(...examinationLines(examination, terminal));
  if (failure instanceof StorageError) {
    reportError(failure, args.command, terminal.stderr, terminal.json);
    return exitCodeOf(failure.code);
  }
  return examination.ok ? EXIT.ok : EXIT.wrong;
}

async function examine(store: Store, folder: string, deep: boolean): Promise<Examination> {
  return describe(store, folder, (await store.check({ deep })).findings);
}

async function fix(store: Store, folder: string, dryRun: boolean, terminal: Terminal): Promise<Examination> {
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !terminal.json || terminal.stderr.isTTY === true;
  const start = performance.now();
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping after the step at hand. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  try {
    const { check, ...done } = await store.repair({
      dryRun,
      signal,
      onProgress: (now) => {
        if (shown && !signal.aborted) progressLine.step(now.doing, now.done, now.total, performance.now() - start);
      },
    });
    return { ...(await describe(store, folder, check.findings)), fix: done };
  } finally {
    progressLine.end();
  }
}

/** Adds to the findings what else there is to say of the store. */
async function describe(store: Store, folder: string, found: readonly CheckFinding[]): Promise<Examination> {
  const findings = [...found];
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

function cancelled(operation: string, { message }: StorageError): CommandError {
  return new CommandError(`cancelled: ${message}`, {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "Run the same command again to go on.",
  });
}
