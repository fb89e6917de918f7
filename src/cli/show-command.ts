import type { Store } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { findShown, type Shown } from "./find-shown.ts";
import { counted, formatBytes, formatTime } from "./format.ts";
import { type LineRange, linesOf, parseLineRange } from "./line-range.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { breadcrumbs } from "./search-lines.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const showCommand: Command = {
  name: "show",
  summary: "Print a document, or the lines of a hit",
  usage: "<path|id> [options]",
  description: `Takes what search and list print: a path (guides/kiln.md), a path with lines
(guides/kiln.md:12-18), or the id of a document or passage. Prints what is known
of the document, then its lines with their numbers, as they were taken in: the
file itself is not needed any more.`,
  options: [{ name: "lines", value: "<a-b>", help: "Only these lines: 12-18, 12, 12- (to the end)" }],
  examples: [
    ["lodestore show guides/kiln.md", "The whole document"],
    ["lodestore show guides/kiln.md:12-18", "The lines that a hit names"],
    ["lodestore show 29aef175b43b92c31cb518e67badae92 --json", "A passage or a document by its id, for programs"],
  ],
  run: runShow,
};

async function runShow(args: Arguments, terminal: Terminal): Promise<number> {
  const [what = "", ...rest] = args.positionals;
  if (what === "" || rest.length > 0) {
    const got = what === "" ? "no path or id is given" : `takes one path or id, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Example: lodestore show guides/kiln.md");
  }
  const given = args.text("lines");
  const asked = given === undefined ? undefined : parseLineRange(given);
  if (given !== undefined && asked === undefined) {
    throw usageError(args.command, `--lines got "${given}"; it takes lines like 12-18, 12 or 12-`);
  }
  const shown = await find(args, terminal, what);
  const lines = linesOf(shown.text);
  const range = asked ?? shown.lines ?? { start: 1, end: lines.length };
  if (lines.length > 0 && range.start > lines.length) {
    throw usageError(
      args.command,
      `line ${range.start} is asked for; ${shown.document.workspacePath} has ${counted(lines.length, "line")}`,
    );
  }
  const end = Math.min(range.end, lines.length);
  const cut = lines.slice(range.start - 1, end);
  if (terminal.json) {
    const { document, chunk, asset } = shown;
    const span = { start: range.start, end, total: lines.length };
    terminal.printJson({ document, asset: asset ?? null, chunk: chunk ?? null, lines: span, text: cut.join("\n") });
  } else {
    terminal.print(...header(shown, lines.length, terminal), "", ...numbered(cut, range, end, terminal));
  }
  return EXIT.ok;
}

async function find(args: Arguments, terminal: Terminal, what: string): Promise<Shown> {
  const open = (): Promise<Store> => openStoreToRead(args, terminal);
  const found = await useStore(terminal, open, ({ documents }) => findShown(documents, what));
  if (found.kind === "found") return found.shown;
  throw new CommandError(`the store has no document or passage "${what}"`, {
    code: "NOT_FOUND",
    operation: args.command,
    exitCode: EXIT.wrong,
    hint: found.near === undefined ? "All documents: lodestore list" : `Did you mean: lodestore show ${found.near}`,
  });
}

function header({ document, chunk, asset }: Shown, lineCount: number, terminal: Terminal): string[] {
  const { title, workspacePath, id, mediaType, lang, trust, tags, metadata, ingestedAt } = document;
  const size = `${asset === undefined ? "" : `${formatBytes(asset.byteLength)}, `}${counted(lineCount, "line")}`;
  const rows: [string, string][] = [
    ["path", workspacePath],
    ["document", id],
    ...(chunk === undefined
      ? []
      : ([["passage", `${chunk.id}, number ${chunk.ordinal + 1}, about ${counted(chunk.tokenCount, "token")}`]] as [
          string,
          string,
        ][])),
    ["kind", [mediaType, lang ?? "language unknown", `trust ${trust}`].join(", ")],
    ["size", size],
    ["taken in", formatTime(ingestedAt)],
  ];
  if (tags.length > 0) rows.push(["tags", tags.join(", ")]);
  if (Object.keys(metadata).length > 0) rows.push(["metadata", JSON.stringify(metadata)]);
  return [
    terminal.bold(breadcrumbs(title, chunk?.headingPath ?? [])),
    ...rows.map(([name, value]) => `${terminal.dim(name.padEnd(9))} ${printable(value)}`),
  ];
}

function numbered(lines: readonly string[], { start }: LineRange, end: number, terminal: Terminal): string[] {
  const width = String(end).length;
  return lines.map((line, index) =>
    `${terminal.dim(String(start + index).padStart(width))}  ${printable(line)}`.trimEnd(),
  );
}
