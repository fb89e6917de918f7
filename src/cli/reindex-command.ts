import type { ReindexedIndex, ReindexReport, Store } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";
import { suggest } from "./suggest.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

/** What `reindex` made anew. */
interface Made {
  /** `null` where only the text index was asked for. */
  vectors: ReindexReport | null;
  /** `null` where it was not asked for. */
  text: { elapsedMs: number } | null;
}

export const reindexCommand: Command = {
  name: "reindex",
  summary: "Make vector indexes, or the text index, anew",
  usage: "[options]",
  description: `Makes the index over the vectors of every model anew, each with its snapshot,
from which the store opens at once. Nothing is embedded: the vectors are there.
Searches go on meanwhile. Ctrl-C leaves the index at hand as it was.

Indexes follow what is written by themselves; this is for after an import, a
change of --vectors, or when an index answers badly. With --text it makes the
text index anew, and vector indexes only where --model names their model.`,
  options: [
    { name: "model", value: "<id>", help: "Vector indexes of this model only" },
    { name: "text", help: "The text index" },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    ["lodestore reindex", "All vector indexes"],
    ["lodestore reindex --model hashing", "Those of one model"],
    ["lodestore reindex --text", "The text index"],
  ],
  run: runReindex,
};

async function runReindex(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    const typed = args.positionals.join(" ");
    throw usageError(args.command, `unexpected "${typed}"`, `To name a model: lodestore reindex --model "${typed}"`);
  }
  const modelId = args.text("model");
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  let made: Made;
  try {
    made = await useStore(
      terminal,
      () => openExistingStore(args, terminal),
      async (store) => {
        if (modelId !== undefined) await requireModel(store, args.command, modelId);
        const line = shown ? progressLine : undefined;
        const text = args.has("text") ? await makeText(store, signal, line) : null;
        const withVectors = text === null || modelId !== undefined;
        return { text, vectors: withVectors ? await makeVectors(store, modelId, signal, line) : null };
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw cancelled(args.command);
  } finally {
    progressLine.end();
  }
  if (terminal.json) terminal.printJson(made);
  else terminal.print(...lines(made));
  return EXIT.ok;
}

async function makeText(
  store: Store,
  signal: AbortSignal,
  progressLine: ProgressLine | undefined,
): Promise<{ elapsedMs: number }> {
  progressLine?.begin("Making the text index…");
  const start = performance.now();
  await store.documents.rebuildChunksFts({
    signal,
    onProgress: ({ done, total }) => {
      if (!signal.aborted) progressLine?.step("text index", done, total, performance.now() - start);
    },
  });
  return { elapsedMs: performance.now() - start };
}

function makeVectors(
  store: Store,
  modelId: string | undefined,
  signal: AbortSignal,
  progressLine: ProgressLine | undefined,
): Promise<ReindexReport> {
  const start = performance.now();
  return store.embeddings.reindex({
    ...(modelId === undefined ? {} : { modelId }),
    signal,
    onProgress: ({ tableName, phase, done, total, indexesDone, indexes }) => {
      if (signal.aborted) return;
      const which = indexes > 1 ? ` (${indexesDone + 1} of ${indexes})` : "";
      progressLine?.step(`${tableName}${which}, ${phase}`, done, total, performance.now() - start);
    },
  });
}

function lines({ text, vectors }: Made): string[] {
  return [
    ...(text === null ? [] : [`The text index was made anew, ${formatDuration(text.elapsedMs)}`]),
    ...(vectors === null ? [] : vectors.indexes.map(indexLine)),
    ...(vectors?.indexes.length === 0 ? ["There are no vectors to make an index of: lodestore embed makes some"] : []),
  ];
}

function indexLine({ modelId, modelVersion, dimensions, vectors, elapsedMs }: ReindexedIndex): string {
  const model = `${printable(modelId)}, version ${printable(modelVersion)}, ${counted(dimensions, "dimension")}`;
  return `${model}: ${counted(vectors, "vector")} indexed anew, ${formatDuration(elapsedMs)}`;
}

/** @throws CommandError NOT_FOUND, naming the models whose vectors are in the store */
async function requireModel(store: Store, operation: string, modelId: string): Promise<void> {
  const { generations } = await store.embeddings.status();
  const there = new Set(generations.filter(({ committed }) => committed > 0).map((one) => one.modelId));
  if (there.has(modelId)) return;
  const named = there.size === 0 ? "it has none at all" : `it has those of ${[...there].join(", ")}`;
  const meant = suggest(modelId, there);
  throw new CommandError(`the store has no vectors of the model "${modelId}"; ${named}`, {
    code: "NOT_FOUND",
    operation,
    exitCode: EXIT.usage,
    ...(meant === undefined ? {} : { hint: `Did you mean: --model ${meant}` }),
  });
}

function cancelled(operation: string): CommandError {
  return new CommandError("cancelled: indexes that are done stay, the others serve as they were", {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "Run the same command again to make all of them anew.",
  });
}
