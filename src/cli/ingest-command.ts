import { resolve } from "node:path";
import type { IngestOptions, IngestProgress, IngestReport } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { embeddingJson, isWhole } from "./embedding-outcome.ts";
import { EXIT } from "./exit-code.ts";
import { compileFileGlob } from "./file-glob.ts";
import { counted, formatCount } from "./format.ts";
import { ingestOrigin } from "./ingest-origin.ts";
import { fileAttributes, ingestFiles } from "./ingest-files.ts";
import { summarize } from "./ingest-summary.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openingFrom, openOrCreateStore, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { finishIndexes, useStore } from "./use-store.ts";
import { FileWalk, type WalkOptions } from "./walk-files.ts";
import { findWalkRoots, realFolder } from "./walk-roots.ts";

export const ingestCommand: Command = {
  name: "ingest",
  summary: "Take folders or files into the store",
  usage: "<folder|file…> [options]",
  description: `Reads Markdown, HTML and every other kind of text, cuts it into passages and
indexes them. The store is made when there is none. Ingesting again is cheap:
files that did not change are skipped. A file that cannot be taken in (not text,
too large, unreadable) is named with its reason and stops nothing.

A file is stored under its path within the folder you name; a file you name
yourself, under the path you typed. Left out, and counted: hidden files and
folders, node_modules, files whose ending says they hold no text (images,
archives, PDF, …). A link to a folder elsewhere is followed once. Ctrl-C stops
after the document at hand; what is in stays.

Then the passages are embedded, for searches by meaning, with what --embedder
names. Where that fails or is stopped the documents are found by their words,
and lodestore embed goes on with it.`,
  options: [
    {
      name: "sweep",
      help: "Then remove the documents that this run did not see:\nof the whole store, or with --prefix of those under it",
    },
    {
      name: "prefix",
      value: "<path>",
      help: "Store the files under this path: --prefix docs. Keeps\nseveral folders in one store apart",
    },
    { name: "lang", value: "<xx>", help: "Language of the files: en, zh-cn. Guessed when absent" },
    { name: "tag", value: "<tag>", many: true, help: "Give the files this tag" },
    { name: "trust", value: "<n>", help: "How far to trust the files, 0 to 1. Default: 0.5" },
    { name: "include", value: "<glob>", many: true, help: 'Only these files: "*.md" (any folder), "guides/**"' },
    { name: "exclude", value: "<glob>", many: true, help: 'Not these files and folders: drafts, "old/**"' },
    { name: "hidden", help: "Take hidden files and folders, too (never .git)" },
    { name: "max-file-mb", value: "<n>", help: "Largest file in MiB, up to 512. Default: 16" },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    ["lodestore ingest ./docs", "Take in a folder. The store is made in ./.lodestore"],
    ["lodestore ingest ./docs --sweep", "Bring the store up to date with the folder, deletions included"],
    ["lodestore ingest ./docs --embedder none", "Only for searches by words"],
    [
      'lodestore ingest ~/notes --prefix notes --include "*.md" --tag private',
      "Only Markdown, under notes/, with a tag",
    ],
  ],
  run: runIngest,
};

async function runIngest(args: Arguments, terminal: Terminal): Promise<number> {
  const folder = storeFolder(args, terminal);
  const attributes = fileAttributes(args);
  const maxFileMb = args.number("max-file-mb", 0.001, 512);
  const walkOptions = await readWalkOptions(args, folder);
  const opening = await openingFrom(args, terminal);
  const { embedder } = opening;
  const progressLine = new ProgressLine(terminal.stderr);
  // With --json a program reads stderr for an error; a person watching gets the line nevertheless.
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  let progress: IngestProgress | undefined;
  /** When the files were in. */
  let filesMs: number | undefined;

  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    const atHand = progress?.embedding === undefined ? "document" : "batch";
    terminal.note(`Stopping after the ${atHand} at hand. Press Ctrl-C again to end at once.`);
  });
  const { signal } = interrupt;
  try {
    if (shown) progressLine.begin("Looking for files…");
    const ahead = await lookAhead({ ...walkOptions, signal });
    const sweep = args.has("sweep") && ahead.noSweep === undefined;
    const walk = new FileWalk({ ...walkOptions, signal });
    const files = ingestFiles(walk, attributes, () => {
      if (sweep && walk.notes.problems.length > 0) throw sweepStopped(args.command, walk);
    });
    const options: IngestOptions = {
      signal,
      total: ahead.files,
      embed: embedder === undefined ? "off" : "wait",
      origin: ingestOrigin(args),
      onProgress: (now) => {
        progress = now;
        if (now.embedding === undefined) filesMs = now.elapsedMs;
        if (shown && !signal.aborted) progressLine.update(now);
      },
      ...(sweep ? { sweep: { prefix: walkOptions.prefix } } : {}),
      ...(maxFileMb === undefined ? {} : { maxFileBytes: Math.floor(maxFileMb * 2 ** 20) }),
    };
    const report = await useStore(
      terminal,
      () => openOrCreateStore(folder, opening),
      async (store) => {
        const done = await store.ingest(files, options);
        if (shown) progressLine.begin("Linking vectors…");
        if (embedder !== undefined) await finishIndexes(store, terminal, signal);
        return done;
      },
    );
    progressLine.end();
    const notSwept = args.has("sweep") ? ahead.noSweep : undefined;
    return conclude({ report, walk, notSwept, folder, filesMs: filesMs ?? report.elapsedMs }, terminal);
  } catch (error) {
    progressLine.end();
    if (!signal.aborted) throw error;
    throw cancelled(args.command, progress, folder);
  }
}

/** Returns which files were named, and how they are walked.
 *  @throws CommandError (usage) */
export async function readWalkOptions(args: Arguments, folder: string): Promise<Omit<WalkOptions, "signal">> {
  if (args.positionals.length === 0) {
    throw usageError(args.command, "no folder or file is named", "Example: lodestore ingest ./docs");
  }
  const roots = await findWalkRoots(args.command, args.positionals);
  if (args.has("sweep") && roots.some((root) => root.kind === "file")) {
    throw usageError(args.command, "--sweep takes folders only: after a single file it would remove all others");
  }
  const prefix = (args.text("prefix") ?? "").normalize("NFC").replaceAll(/^\/+|\/+$/g, "");
  if (/(?:^|\/)\.{0,2}(?:\/|$)/.test(prefix) && prefix !== "") {
    throw usageError(
      args.command,
      `--prefix got "${prefix}"; it takes a path like docs/guides, without "." and ".." parts`,
    );
  }
  return {
    roots,
    include: (args.list("include") ?? []).map(compileFileGlob),
    exclude: (args.list("exclude") ?? []).map(compileFileGlob),
    hidden: args.has("hidden"),
    prefix: prefix === "" ? "" : `${prefix}/`,
    store: await realFolder(folder),
  };
}

/** Counts the files, so that the time left can be told, and finds out why sweeping would do harm. */
async function lookAhead(options: WalkOptions): Promise<{ files: number; noSweep: string | undefined }> {
  const walk = new FileWalk(options);
  const found = walk.files();
  let files = 0;
  while ((await found.next()).done !== true) files++;
  const unread = walk.notes.problems.length;
  if (unread > 0)
    return { files, noSweep: `${counted(unread, "entry", "entries")} could not be read, and may be there` };
  return { files, noSweep: files === 0 ? "there is no file to take in, so everything would be removed" : undefined };
}

/** A run that came to its end. */
interface Ended {
  report: IngestReport;
  walk: FileWalk;
  /** Why nothing was swept, where that was asked for. */
  notSwept: string | undefined;
  folder: string;
  /** When the files were in. */
  filesMs: number;
}

function conclude({ report, walk, notSwept, folder, filesMs }: Ended, terminal: Terminal): number {
  const { problems, ...leftOut } = walk.notes;
  const whole: IngestReport = { ...report, failures: [...report.failures, ...problems] };
  const embedding = embeddingJson(report.embedding);
  if (terminal.json) terminal.printJson({ ...whole, embedding, leftOut, notSwept: notSwept ?? null });
  else terminal.print(...summarize({ report: whole, notes: walk.notes, notSwept, folder, filesMs }));
  const fine = whole.failures.length === 0 && notSwept === undefined && isWhole(report.embedding);
  return fine ? EXIT.ok : EXIT.wrong;
}

/** Returns the error about a sweep that would remove what is there and cannot be read. */
export function sweepStopped(operation: string, walk: FileWalk): CommandError {
  const [first] = walk.notes.problems;
  return new CommandError(`nothing was swept: ${first?.path ?? ""} became unreadable (${first?.reason ?? ""})`, {
    code: "ABORTED",
    operation,
    exitCode: EXIT.wrong,
  });
}

function cancelled(operation: string, progress: IngestProgress | undefined, folder: string): CommandError {
  const taken = (progress?.added ?? 0) + (progress?.updated ?? 0);
  const skipped = progress?.skipped ?? 0;
  const embedding = progress?.embedding;
  return new CommandError(
    `cancelled: ${counted(taken, "document")} taken in, ${skipped} unchanged; all of them are whole, in ${resolve(folder)}`,
    {
      code: "ABORTED",
      operation,
      exitCode: EXIT.cancelled,
      hint:
        embedding === undefined
          ? "Run the same command again to go on: what is in is skipped."
          : `All files are in; ${formatCount(embedding.done)} of ${counted(embedding.total, "passage")} are embedded. To go on: lodestore embed`,
    },
  );
}
