import type { Command } from "./command.ts";
import type { OptionSpec } from "./options.ts";

const INTRODUCTION = `Lodestore keeps documents where you are and finds them by words and meaning.

  lodestore ingest ./docs               take a folder in; repeat to update
  lodestore search "getting started"    find passages, best first
  lodestore show guides/kiln.md:12-18   read the lines that a hit names

Usage: lodestore <command> [options]`;

const EXIT_CODES = `Exit codes:
  0    all went well
  1    it ran, but files or embeddings failed (ingest, embed), nothing was
       found (search, show, chat, jobs, …) or there are problems (doctor)
  2    the command was typed wrong; nothing was done
  3    the store is not there, cannot be opened or written, or is damaged, or
       the model does not answer; the error's code is printed
  70   a defect in lodestore
  130  cancelled (Ctrl-C); what was taken in until then is whole and stays`;

/** Returns the help of the whole command. */
export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    INTRODUCTION,
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Options:",
    "  --db <dir>     Folder of the store. Default: $LODESTORE_DB or ./.lodestore",
    "  --embedder <e> What makes embeddings: none, hashing, or a JSON file that",
    "                 describes a model. Default: $LODESTORE_EMBEDDER or hashing",
    "  --vectors <v>  What keeps vectors: auto, lance, hnsw or flat.",
    "                 Default: $LODESTORE_VECTORS or auto",
    "  --json         Print one JSON object, errors as JSON on stderr",
    "  -h, --help     Explain a command: lodestore <command> --help",
    "  -V, --version  Print the version",
    "",
    EXIT_CODES,
  ].join("\n");
}

/** Returns the help of one command. */
export function commandHelp(command: Command, options: readonly OptionSpec[]): string {
  const labels = options.map(label);
  const width = Math.max(...labels.map((text) => text.length));
  return [
    `Usage: lodestore ${command.name} ${command.usage}`,
    "",
    command.description,
    "",
    "Options:",
    ...options.flatMap(({ help, many }, index) => {
      const [first = "", ...more] = `${help}${many === true ? " (+)" : ""}`.split("\n");
      const indent = " ".repeat(width + 4);
      return [`  ${(labels[index] ?? "").padEnd(width)}  ${first}`, ...more.map((line) => indent + line)];
    }),
    ...(options.some(({ many }) => many) ? ["  (+) may be given more than once"] : []),
    "",
    "Examples:",
    ...command.examples.flatMap(([line, does]) => [`  ${line}`, `      ${does}`]),
    "",
    EXIT_CODES,
  ].join("\n");
}

function label({ name, short, value }: OptionSpec): string {
  // An option of one letter is its own short form.
  const names = name.length === 1 ? `-${name}` : `${short === undefined ? "    " : `-${short}, `}--${name}`;
  return value === undefined ? names : `${names} ${value}`;
}
