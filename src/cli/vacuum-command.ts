import type { VacuumReport } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const vacuumCommand: Command = {
  name: "vacuum",
  summary: "Give back the room of what was deleted",
  usage: "[options]",
  description: `Merges what was deleted out of the text index, and gives free pages of the
database back to the file system, step by step: searches go on meanwhile, and it
needs no room. Ctrl-C ends it; what is given back is given back. Room that is
not given back is used by what is written next.

A store that an earlier version made is written anew once instead, which needs
room for two copies of it, and which --max-mb and --max-seconds cannot bound.`,
  options: [
    { name: "max-mb", value: "<n>", help: "Give back at most so many MiB" },
    { name: "max-seconds", value: "<n>", help: "Begin no further step after so many seconds" },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    ["lodestore vacuum", "Give back all that is free"],
    ["lodestore vacuum --max-seconds 5", "As much as goes in five seconds"],
  ],
  run: runVacuum,
};

const MOST = 1_000_000_000;

async function runVacuum(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  const maxMb = args.number("max-mb", 0, MOST);
  const maxSeconds = args.number("max-seconds", 0, MOST);
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  const start = performance.now();
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping after the step at hand. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  let report: VacuumReport;
  try {
    report = await useStore(
      terminal,
      () => openExistingStore(args, terminal),
      (store) =>
        store.vacuum({
          signal,
          onProgress: ({ phase, freedBytes, leftBytes }) => {
            if (!shown || signal.aborted) return;
            const doing = phase === "merge" ? "merging the text index" : "giving room back";
            progressLine.step(doing, freedBytes, freedBytes + leftBytes, performance.now() - start);
          },
          ...(maxMb === undefined ? {} : { maxBytes: Math.floor(maxMb * 2 ** 20) }),
          ...(maxSeconds === undefined ? {} : { maxMs: Math.floor(maxSeconds * 1000) }),
        }),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw cancelled(args.command);
  } finally {
    progressLine.end();
  }
  if (terminal.json) terminal.printJson(report);
  else terminal.print(...lines(report));
  return EXIT.ok;
}

function lines({ mode, freedBytes, leftBytes, databaseBytes, ended, elapsedMs }: VacuumReport): string[] {
  const bound = ended === "maxBytes" ? "--max-mb" : "--max-seconds";
  const left = leftBytes === 0 ? "" : `, ${formatBytes(leftBytes)} of it free`;
  return [
    `Gave back ${formatBytes(freedBytes)}, ${formatDuration(elapsedMs)}`,
    `Database ${formatBytes(databaseBytes)}${left}`,
    ...(ended === "done" ? [] : [`${bound} ended it: the same command goes on`]),
    ...(mode === "full" ? ["It was written anew, once; from now on it is shortened step by step"] : []),
  ];
}

function cancelled(operation: string): CommandError {
  return new CommandError("cancelled: what is given back stays so", {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "Run the same command again to go on.",
  });
}
