import type { EmbeddingProgress, EmbeddingReport } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { embedderFor } from "./embedder-option.ts";
import { embeddingLines, isWhole } from "./embedding-outcome.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatCount } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";
import { finishIndexes, useStore } from "./use-store.ts";

export const embedCommand: Command = {
  name: "embed",
  summary: "Make the embeddings that are missing",
  usage: "[options]",
  description: `Embeds every passage that has no embedding of the model that --embedder names,
in batches. Ctrl-C stops after the batch at hand; what is embedded stays, and
the next run goes on from there. Searches go on meanwhile.

Another version of a model takes over when every passage has its embedding or
was refused; until then, and where it refused all of them, the version before
is searched. A passage that the model refuses is named, is found by its words,
and is tried again by the next run; the command then exits with 1.`,
  options: [{ name: "quiet", short: "q", help: "No progress" }],
  examples: [
    ["lodestore embed", "Go on with what an ingest did not embed"],
    ["lodestore embed --embedder model.json", "With a model: its embeddings stand beside the others"],
  ],
  run: runEmbed,
};

async function runEmbed(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "The store is named by --db <dir>");
  }
  if ((await embedderFor(args, terminal)) === undefined) {
    throw usageError(args.command, "the embedder is none, and it embeds nothing");
  }
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  let progress: EmbeddingProgress | undefined;
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping after the batch at hand. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  let report: EmbeddingReport;
  try {
    report = await useStore(
      terminal,
      () => openExistingStore(args, terminal),
      async (store) => {
        const done = await store.embeddings.run({
          signal,
          onProgress: (now) => {
            progress = now;
            if (shown && !signal.aborted) progressLine.embedding(now);
          },
        });
        if (shown) progressLine.begin("Linking vectors…");
        await finishIndexes(store, terminal, signal);
        return done;
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw cancelled(args.command, progress);
  } finally {
    progressLine.end();
  }
  if (terminal.json) terminal.printJson(report);
  else terminal.print(...lines(report));
  return isWhole(report) ? EXIT.ok : EXIT.wrong;
}

function lines(report: EmbeddingReport): string[] {
  const { modelVersion, serving } = report;
  const other = serving !== null && serving !== modelVersion;
  return [
    ...embeddingLines(report),
    ...(other ? [`Searches still read version ${printable(serving)}: this one has no embedding`] : []),
  ];
}

function cancelled(operation: string, progress: EmbeddingProgress | undefined): CommandError {
  const kept =
    progress === undefined
      ? ""
      : `: ${formatCount(progress.done)} of ${counted(progress.total, "passage")} are embedded, and stay`;
  return new CommandError(`cancelled${kept}`, {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "Run the same command again to go on.",
  });
}
