import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type ArchiveImportReport, StorageError } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatBytes, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openingFrom, openOrCreateStore, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { finishIndexes, useStore } from "./use-store.ts";

/** File name that stands for stdin. */
const STREAM = "-";
/** Codes that are about the archive. */
const OF_ARCHIVE: ReadonlySet<string> = new Set([
  "BAD_FORMAT",
  "CORRUPT",
  "SCHEMA_TOO_NEW",
  "MIGRATION_CHANGED",
  "MIGRATION_MISSING",
  "MIGRATION_FAILED",
]);

export const importCommand: Command = {
  name: "import",
  summary: "Take in a file that export wrote",
  usage: "<file> [options]",
  description: `Takes an archive of lodestore export, or one that a browser's store wrote, into
a store that is empty or new. The archive is read and its checksums are verified
before anything is written; then it is in, whole. What fails, Ctrl-C and a crash
leave the store as it was. Vectors are carried over, not made anew.

- reads from stdin.`,
  options: [{ name: "quiet", short: "q", help: "No progress" }],
  examples: [
    ["lodestore import notes.tar --db notes", "Into the store in notes, made when it is not there"],
    ["zstd -dc notes.tar.zst | lodestore import -", "Through another program"],
  ],
  run: runImport,
};

async function runImport(args: Arguments, terminal: Terminal): Promise<number> {
  const file = await source(args);
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping. The store stays as it was. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  let report: ArchiveImportReport;
  try {
    report = await useStore(
      terminal,
      async () => openOrCreateStore(storeFolder(args, terminal), await openingFrom(args, terminal)),
      async (store) => {
        const done = await store.import(file === STREAM ? process.stdin : createReadStream(file), {
          signal,
          onProgress: (now) => {
            if (shown && !signal.aborted) progressLine.archive(now);
          },
        });
        if (shown) progressLine.begin("Linking vectors…");
        await finishIndexes(store, terminal, signal);
        return done;
      },
    );
  } catch (error) {
    if (signal.aborted) throw cancelled(args.command);
    throw named(args.command, file, error);
  } finally {
    progressLine.end();
    // Whoever writes to it may wait, and would keep the process waiting.
    if (file === STREAM) process.stdin.destroy();
  }
  if (terminal.json) terminal.printJson({ folder: resolve(storeFolder(args, terminal)), ...report });
  else terminal.print(...lines(report));
  return EXIT.ok;
}

async function source(args: Arguments): Promise<string> {
  const [file = "", ...rest] = args.positionals;
  if (file === "" || rest.length > 0) {
    const got = file === "" ? "no file is named" : `takes one file, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Example: lodestore import notes.tar");
  }
  if (file === STREAM) return file;
  let reason = "it is a folder";
  try {
    // Looked at first: a store should not be made for a file that is not there. A pipe is taken, too.
    if (!(await stat(file)).isDirectory()) return file;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw usageError(args.command, `${file} cannot be read: ${reason}`);
}

/** What is wrong with the archive is an error that names the file. */
function named(operation: string, file: string, error: unknown): unknown {
  if (!(error instanceof StorageError) || error.capability !== "archive") return error;
  const { code, message } = error;
  const name = file === STREAM ? "stdin" : file;
  if (OF_ARCHIVE.has(code)) {
    return new CommandError(`${name}: ${message} [${code}]`, { code, operation, exitCode: EXIT.wrong });
  }
  if (code !== "CONFLICT") return error;
  const hint = "Choose a folder in which there is none: --db <dir>";
  return new CommandError(`${message} [${code}]`, { code, operation, exitCode: EXIT.store, hint });
}

function lines(report: ArchiveImportReport): string[] {
  const { documents, chunks, embeddings, missing, bytes, elapsedMs, migrations, from } = report;
  const held = [counted(documents, "document"), counted(chunks, "passage"), counted(embeddings, "embedding")].join(
    ", ",
  );
  return [
    `${held} imported, ${formatBytes(bytes)} in ${formatDuration(elapsedMs)}`,
    `Exported ${printable(from.createdAt)} by lodestore ${printable(from.packageVersion)}`,
    ...(migrations.length === 0 ? [] : [`Brought up to date: ${migrations.join(", ")}`]),
    ...(missing === 0 ? [] : [`${counted(missing, "embedding")} could not be carried over: lodestore embed`]),
  ];
}

function cancelled(operation: string): CommandError {
  return new CommandError("cancelled: the store is as it was", {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
  });
}
