import { inspectVectorFile, type VectorFileInspection } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatBytes, formatCount } from "./format.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { readInputFile, withFileName } from "./read-input-file.ts";
import type { Terminal } from "./terminal.ts";

/** Longest value of an envelope's field that is printed whole. */
const MAX_VALUE = 200;
const FORMATS = {
  lodestore: "snapshot of Lodestore (LHV1)",
  "coder-hnsw": "LHV1 with a graph of coder/hnsw",
  hnswlib: "index of hnswlib",
} as const;

export const lhv1InspectCommand: Command = {
  name: "lhv1 inspect",
  summary: "Say what is in a file with vectors",
  usage: "<file> [options]",
  description: `Reads a file to its end and prints what it says: a snapshot of a vector index
(in the folder blobs of a store), an LHV1 file with a graph of coder/hnsw, or an
index of hnswlib. Checks checksums, lengths, links and values; exits with 1 when
something is wrong with the file. No store is needed.`,
  options: [],
  examples: [
    ["lodestore lhv1 inspect hnswlib.index", "An index that hnswlib wrote"],
    ["lodestore lhv1 inspect graph.lhv1 --json | jq .envelope", "For programs"],
  ],
  run: runInspect,
};

async function runInspect(args: Arguments, terminal: Terminal): Promise<number> {
  const [file = "", ...rest] = args.positionals;
  if (file === "" || rest.length > 0) {
    const got = file === "" ? "no file is named" : `takes one file, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Example: lodestore lhv1 inspect hnswlib.index");
  }
  const bytes = await readInputFile(args.command, file);
  const inspection = withFileName(args.command, file, () => inspectVectorFile(bytes));
  if (terminal.json) terminal.printJson(inspection);
  else terminal.print(...lines(file, inspection, terminal));
  return inspection.problems.length === 0 ? EXIT.ok : EXIT.wrong;
}

function lines(file: string, inspection: VectorFileInspection, terminal: Terminal): string[] {
  const { format, sizeBytes, sections, problems } = inspection;
  const width = Math.max(0, ...sections.map(({ name }) => name.length));
  return [
    `${printable(file)}: ${FORMATS[format]}, ${formatBytes(sizeBytes)}`,
    ...facts(inspection).map(([name, value]) => `  ${name.padEnd(10)} ${printable(value)}`),
    "Sections:",
    ...sections.map(
      ({ name, offset, byteLength }) => `  ${name.padEnd(width)}  at ${offset}, ${formatCount(byteLength)} bytes`,
    ),
    ...envelopeLines(inspection.envelope),
    ...problems.map(({ code, message }) => terminal.bold(`PROBLEM  ${printable(message)} [${code}]`)),
    problems.length === 0 ? "Read to its end: all is well." : terminal.bold("Something is wrong with the file."),
  ];
}

function facts(inspection: VectorFileInspection): [string, string][] {
  const { vectors, deleted, unlinked, dimensions, metric, quantization, m, efConstruction, levels, checksums } =
    inspection;
  const notes = [
    ...(deleted > 0 ? [`${formatCount(deleted)} more are marked deleted`] : []),
    ...(unlinked > 0 ? [`${formatCount(unlinked)} not in the graph yet`] : []),
  ];
  const parameters = [
    ...(m === null ? [] : [`M ${m}`]),
    ...(efConstruction === null ? [] : [`efConstruction ${efConstruction}`]),
  ];
  return [
    ["version", String(inspection.version ?? "not told")],
    ["encoding", [inspection.encoding, ...(quantization === null ? [] : [quantization])].join(", ")],
    [
      "vectors",
      `${vectors === null ? "cannot be told" : formatCount(vectors)}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`,
    ],
    ["dimensions", dimensions === null ? "cannot be told" : formatCount(dimensions)],
    ["metric", metric ?? "not told"],
    ...(parameters.length === 0 ? [] : ([["graph", parameters.join(", ")]] as [string, string][])),
    ...(levels === null || levels.length === 0
      ? []
      : ([["levels", levels.map((nodes, level) => `${level}: ${formatCount(nodes)}`).join(", ")]] as [
          string,
          string,
        ][])),
    ...(inspection.revision === null ? [] : ([["revision", String(inspection.revision)]] as [string, string][])),
    ["checksums", `envelope ${checksums.envelope}, graph ${checksums.graph}`],
  ];
}

function envelopeLines(envelope: Record<string, unknown> | null): string[] {
  if (envelope === null) return [];
  const rows = Object.entries(envelope).map(([field, value]) => {
    const json = JSON.stringify(value);
    const shown =
      json.length > MAX_VALUE ? `${json.slice(0, MAX_VALUE)}… (${counted(json.length, "character")})` : json;
    return `  ${printable(field)}: ${printable(shown)}`;
  });
  return ["Envelope:", ...rows];
}
