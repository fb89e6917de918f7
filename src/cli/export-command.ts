import { existsSync, realpathSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openStoreToRead, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";
import { writeArchiveFile, writeArchiveTo } from "./write-archive.ts";

/** File name that stands for stdout and stdin. */
const STREAM = "-";

export const exportCommand: Command = {
  name: "export",
  summary: "Write the whole store into one file",
  usage: "<file> [options]",
  description: `Writes documents with their bytes, passages, embeddings with their vectors and
all else into one archive, which lodestore import and the store of a browser
take in. It is a tar: lodestore.json says what is in it, lodestore.db is a
SQLite database, checksums.json has the SHA-256 of both. Searches and other
commands go on meanwhile.

The file is written aside and renamed: it is whole or absent.

- writes to stdout.`,
  options: [
    { name: "force", short: "f", help: "Replace the file when it is there" },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    ["lodestore export notes.tar", "Back the store up"],
    ["lodestore export - | zstd > notes.tar.zst", "Through another program"],
  ],
  run: runExport,
};

/** What `export` tells. */
interface Written {
  /** Absolute; `-` for stdout. */
  file: string;
  bytes: number;
  elapsedMs: number;
}

async function runExport(args: Arguments, terminal: Terminal): Promise<number> {
  const file = target(args, terminal);
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping. The file is not written. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  const start = performance.now();
  let bytes: number;
  try {
    bytes = await useStore(
      terminal,
      () => openStoreToRead(args, terminal),
      (store) => {
        const archive = store.export({
          signal,
          onProgress: (now) => {
            if (shown && !signal.aborted) progressLine.archive(now);
          },
        });
        return file === STREAM
          ? writeArchiveTo(args.command, process.stdout, archive)
          : writeArchiveFile(args.command, file, archive);
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CommandError("cancelled: the file is not written", {
      code: "ABORTED",
      operation: args.command,
      exitCode: EXIT.cancelled,
    });
  } finally {
    progressLine.end();
  }
  report({ file, bytes, elapsedMs: performance.now() - start }, terminal);
  return EXIT.ok;
}

function target(args: Arguments, terminal: Terminal): string {
  const [file = "", ...rest] = args.positionals;
  if (file === "" || rest.length > 0) {
    const got = file === "" ? "no file is named" : `takes one file, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Example: lodestore export notes.tar");
  }
  if (file === STREAM) {
    if (terminal.json) throw usageError(args.command, "with - the archive goes to stdout, and --json prints there too");
    if (process.stdout.isTTY) {
      throw usageError(
        args.command,
        "the archive is no text for a terminal",
        "Example: lodestore export - > notes.tar",
      );
    }
    return file;
  }
  const path = resolve(file);
  if (!existsSync(path)) return path;
  if (!args.has("force")) throw usageError(args.command, `${file} is there already`, "To replace it: --force");
  // Behind a link: the file is replaced, and the link stays.
  const replaced = realpathSync(path);
  if (!statSync(replaced).isFile()) {
    throw usageError(args.command, `${file} is no file that could be replaced`, "To write into a pipe: -");
  }
  if (isOfStore(replaced, storeFolder(args, terminal))) {
    throw usageError(args.command, `${file} is in the folder of the store`);
  }
  return replaced;
}

function isOfStore(path: string, folder: string): boolean {
  return existsSync(folder) && `${path}${sep}`.startsWith(`${realpathSync(folder)}${sep}`);
}

function report(written: Written, terminal: Terminal): void {
  const { file, bytes, elapsedMs } = written;
  const line = `${formatBytes(bytes)} written in ${formatDuration(elapsedMs)}`;
  if (file === STREAM) terminal.note(line);
  else if (terminal.json) terminal.printJson(written);
  else terminal.print(`${line}: ${printable(file)}`);
}
