import { resolve } from "node:path";
import { type CheckFinding, type OpenReport, StorageError, type Store, type StoreStats } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { counted, formatBytes, formatCount, formatDuration } from "./format.ts";
import { openExistingStore, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { reportError } from "./report-error.ts";
import type { Terminal } from "./terminal.ts";

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
}

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Look for damage, and say what is in the store",
  usage: "[options]",
  description: `Reads the whole store: integrity of the file, text index in step with the
passages, whole documents, bytes of the documents. What is derived, like the
text index, is repaired when a store is opened, and doctor says so. Exits with 1
when it found a problem, with 3 when the store could not even be opened.`,
  options: [],
  examples: [
    ["lodestore doctor", "Examine the store in ./.lodestore"],
    ["lodestore doctor --db ~/notes-store --json", "Another one, for programs"],
  ],
  run: runDoctor,
};

async function runDoctor(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  const folder = resolve(storeFolder(args, terminal));
  let failure: unknown;
  let examination: Examination;
  try {
    await using store = await openExistingStore(args, terminal);
    examination = await examine(store, folder);
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

function lines({ ok, folder, findings, openReport, stats }: Examination, terminal: Terminal): string[] {
  return [
    `Store in ${printable(folder)}`,
    ...findings.map(({ name, ok: fine, detail }) =>
      fine ? `  ok       ${printable(name)}` : terminal.bold(`  PROBLEM  ${printable(name)}: ${printable(detail)}`),
    ),
    ...(openReport === null ? [] : openLines(openReport)),
    ...(stats === null ? [] : statsLines(stats)),
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

function statsLines(stats: StoreStats): string[] {
  const languages = stats.languages.map(({ lang, documents }) => `${lang ?? "unknown"} ${formatCount(documents)}`);
  const kinds = stats.mediaTypes.map(({ mediaType, documents }) => `${mediaType} ${formatCount(documents)}`);
  const tags = stats.tags.slice(0, 10).map(({ tag, documents }) => `${tag} ${formatCount(documents)}`);
  const share = stats.textBytes === 0 ? "" : ` (${(stats.textIndexBytes / stats.textBytes).toFixed(2)} of the text)`;
  return [
    `${counted(stats.documents, "document")}, ${counted(stats.chunks, "passage")}, ${formatBytes(stats.sourceBytes)} of source`,
    `Database ${formatBytes(stats.databaseBytes)}, text index ${formatBytes(stats.textIndexBytes)}${share}`,
    `${stats.sql.engine}, schema ${stats.schemaVersion}, revision ${stats.corpusRevision}`,
    ...(languages.length === 0 ? [] : [`Languages: ${printable(languages.join(", "))}`]),
    ...(kinds.length === 0 ? [] : [`Kinds: ${printable(kinds.join(", "))}`]),
    ...(tags.length === 0 ? [] : [`Tags: ${printable(tags.join(", "))}`]),
  ];
}
