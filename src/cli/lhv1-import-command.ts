import { dirname, join, parse, resolve } from "node:path";
import { existsSync } from "node:fs";
import {
  type ImportProgress,
  type ImportReport,
  importVectors,
  type ImportVectorsOptions,
  parseChunkMap,
  parseDocstore,
  readVectorFile,
  type Store,
  type VectorFile,
  type VectorMetric,
} from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatCount, formatDuration } from "./format.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore, openingFrom, openOrCreateStore, storeFolder } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress-line.ts";
import { readInputFile, readInputText, withFileName } from "./read-input-file.ts";
import type { Terminal } from "./terminal.ts";
import { finishIndexes, useStore } from "./use-store.ts";

const METRICS = ["cosine", "dot", "l2"] as const;
/** What hnswlib calls its spaces. */
const SPACES: Readonly<Record<string, VectorMetric>> = { cosine: "cosine", ip: "dot", l2: "l2" };
/** File beside an index that LangChain wrote: what hnswlib's own file does not say. */
const ARGUMENTS_FILE = "args.json";

export const lhv1ImportCommand: Command = {
  name: "lhv1 import",
  summary: "Take the vectors of another program's index",
  usage: "<file> --model <id> [options]",
  description: `Reads an LHV1 file with a graph of coder/hnsw, or an index of hnswlib, and puts
its vectors into the store as embeddings of the model that made them. The links
of the file are checked and left: the store builds a graph of its own.

What a label stands for, --texts says: each text becomes a document under
--prefix, and the store is made when there is none. Or --map: chunks of the
store. Without either the labels are ids of chunks. All is checked before the
first is written; importing again replaces what is there. Ctrl-C stops after the
batch at hand; what is in stays.

To search them by meaning, name the same model: --embedder model.json`,
  options: [
    { name: "model", value: "<id>", help: "Model that made the vectors. Needed" },
    { name: "model-version", value: "<v>", help: "Its version. Default: 1" },
    {
      name: "texts",
      value: "<json>",
      help: "docstore.json as LangChain writes it:\n[[label, {pageContent, metadata}], …]",
    },
    { name: "map", value: "<json>", help: 'Chunks by label: {"0": "29aef175…", …}' },
    { name: "prefix", value: "<path>", help: "Where --texts go. Default: imported/<folder>/<file>" },
    {
      name: "metric",
      value: "<m>",
      help: "cosine, dot or l2: what an index of hnswlib was made\nwith. Default: what args.json beside it says, or else\ncosine",
    },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    [
      "lodestore lhv1 import hnswlib.index --model ada-002 --texts docstore.json",
      "An index of LangChain, with its texts",
    ],
    ["lodestore lhv1 import graph.lhv1 --model bge-small --map ids.json", "Vectors of passages that are in the store"],
  ],
  run: runImport,
};

async function runImport(args: Arguments, terminal: Terminal): Promise<number> {
  const [file = "", ...rest] = args.positionals;
  if (file === "" || rest.length > 0) {
    const got = file === "" ? "no file is named" : `takes one file, got ${args.positionals.length}`;
    throw usageError(
      args.command,
      got,
      "Example: lodestore lhv1 import hnswlib.index --model ada-002 --texts docstore.json",
    );
  }
  const modelId = args.text("model");
  if (modelId === undefined) throw usageError(args.command, "--model is missing: which model made the vectors?");
  if (args.has("map") && args.has("texts")) throw usageError(args.command, "--map and --texts are either or");
  if (args.has("prefix") && !args.has("texts")) throw usageError(args.command, "--prefix goes with --texts");
  const vectors = await vectorsOf(args, file);
  const labels = await readLabels(args);
  const modelVersion = args.text("model-version");
  const prefix = (args.text("prefix") ?? defaultPrefix(file)).replaceAll(/^\/+|\/+$/g, "");
  const options: ImportVectorsOptions = {
    modelId,
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...labels,
    ...(labels.texts === undefined ? {} : { prefix }),
  };
  const report = await importInto(args, terminal, vectors, options);
  if (terminal.json) terminal.printJson(report);
  else terminal.print(...lines(report, prefix));
  return report.unmatched.count + report.unknown.count === 0 ? EXIT.ok : EXIT.wrong;
}

async function importInto(
  args: Arguments,
  terminal: Terminal,
  vectors: VectorFile,
  options: ImportVectorsOptions,
): Promise<ImportReport> {
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  let progress: ImportProgress | undefined;
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping after the batch at hand. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  try {
    const open = async (): Promise<Store> =>
      options.texts === undefined
        ? openExistingStore(args, terminal)
        : openOrCreateStore(storeFolder(args, terminal), await openingFrom(args, terminal));
    return await useStore(terminal, open, async (store) => {
      const done = await importVectors(store, vectors, {
        ...options,
        signal,
        onProgress: (now) => {
          progress = now;
          if (shown && !signal.aborted) progressLine.count("vectors", now.done, now.total, now.elapsedMs);
        },
      });
      if (shown) progressLine.begin("Linking vectors…");
      await finishIndexes(store, terminal, signal);
      return done;
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw cancelled(args.command, progress);
  } finally {
    progressLine.end();
  }
}

async function vectorsOf(args: Arguments, file: string): Promise<VectorFile> {
  const typed = args.oneOf("metric", METRICS);
  const bytes = await readInputFile(args.command, file);
  const told = typed === undefined ? await metricBeside(args.command, file) : undefined;
  const metric = typed ?? told?.metric;
  const read = (given: VectorMetric | undefined): VectorFile =>
    withFileName(args.command, file, () => readVectorFile(bytes, given === undefined ? {} : { metric: given }));
  if (told === undefined) return read(metric);
  // It stands beside an index of hnswlib, which does not say: a file that says is not asked.
  const isHnswlib = bytes.subarray(0, 4).every((byte) => byte === 0);
  const vectors = read(isHnswlib ? metric : undefined);
  if (isHnswlib && told.dimensions !== undefined && told.dimensions !== vectors.dimensions) {
    throw usageError(
      args.command,
      `${told.path} is not of this index: it says ${told.dimensions} dimensions, and the index has ${vectors.dimensions}`,
      "Say how the vectors are compared: --metric cosine",
    );
  }
  return vectors;
}

/** What `args.json` in the same folder says. */
interface Told {
  path: string;
  metric: VectorMetric;
  dimensions: number | undefined;
}

async function metricBeside(command: string, file: string): Promise<Told | undefined> {
  const path = join(dirname(file), ARGUMENTS_FILE);
  if (!existsSync(path)) return undefined;
  const text = await readInputText(command, path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { space, numDimensions } = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const metric = typeof space === "string" && Object.hasOwn(SPACES, space) ? SPACES[space] : undefined;
  if (metric === undefined) {
    throw usageError(
      command,
      `${path} names no space of hnswlib (cosine, ip or l2)`,
      "Say how the vectors are compared: --metric cosine",
    );
  }
  return { path, metric, dimensions: typeof numDimensions === "number" ? numDimensions : undefined };
}

async function readLabels(args: Arguments): Promise<Pick<ImportVectorsOptions, "texts" | "chunks">> {
  const texts = args.text("texts");
  if (texts !== undefined) {
    const json = await readInputText(args.command, texts);
    return { texts: withFileName(args.command, texts, () => parseDocstore(json)) };
  }
  const map = args.text("map");
  if (map === undefined) return {};
  const json = await readInputText(args.command, map);
  return { chunks: withFileName(args.command, map, () => parseChunkMap(json)) };
}

/** Two indexes with the same labels rarely have the same name in folders of the same name. */
function defaultPrefix(file: string): string {
  const path = resolve(file);
  const folder = parse(dirname(path)).name;
  return ["imported", folder, parse(path).name]
    .filter((part) => part !== "")
    .map((part) => part.normalize("NFC"))
    .join("/");
}

function lines(report: ImportReport, prefix: string): string[] {
  const { modelId, modelVersion, dimensions, metric, vectors, stored, documents, unmatched, unknown, unused } = report;
  const { added, replaced, unchanged } = documents;
  const model = `${printable(modelId)}, version ${printable(modelVersion)}, ${counted(dimensions, "dimension")}, ${metric}`;
  return [
    `${formatCount(stored)} of ${counted(vectors, "vector")} imported, ${formatDuration(report.elapsedMs)} (${model})`,
    ...(added + replaced + unchanged === 0
      ? []
      : [
          `${counted(added, "document")} added, ${formatCount(replaced)} replaced, ${formatCount(unchanged)} unchanged, under ${printable(prefix)}/`,
        ]),
    ...labelLines("No text or chunk for", unmatched),
    ...labelLines("The store has not the chunk of", unknown),
    ...(unused === 0 ? [] : [`${counted(unused, "text or chunk", "texts or chunks")} without a vector`]),
  ];
}

function labelLines(what: string, { count, labels }: ImportReport["unmatched"]): string[] {
  if (count === 0) return [];
  const named = labels.slice(0, 5).map((label) => printable(JSON.stringify(label)));
  return [`${what} ${counted(count, "label")}: ${named.join(", ")}${count > named.length ? ", …" : ""}`];
}

function cancelled(operation: string, progress: ImportProgress | undefined): CommandError {
  const kept =
    progress === undefined
      ? ""
      : `: ${formatCount(progress.done)} of ${counted(progress.total, "vector")} are in, and stay`;
  return new CommandError(`cancelled${kept}`, {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "Run the same command again: it goes over what is in, and on.",
  });
}
