import type { OptionSpec, Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** One command: what it is called, how it explains itself, what it does. */
export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** What follows the name: `<query…> [options]`. */
  usage: string;
  /** What it does, for someone who never used it; lines of at most 80 characters. */
  description: string;
  options: readonly OptionSpec[];
  /** Command lines, each with what it does. */
  examples: readonly (readonly [command: string, does: string])[];
  /** Runs it. @returns the exit code. */
  run: (args: Arguments, terminal: Terminal) => Promise<number>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "db", value: "<dir>", help: "Folder of the store. Default: $LODESTORE_DB\nor else ./.lodestore" },
  {
    name: "embedder",
    value: "<e>",
    help: "What makes embeddings: none, hashing (words, no\nmodel), or a JSON file that describes a model.\nDefault: $LODESTORE_EMBEDDER or else hashing",
  },
  {
    name: "vectors",
    value: "<v>",
    help: "What keeps vectors: lance (needs @lancedb/lancedb),\nhnsw, flat (compares all), or auto: lance where it\nis installed, else hnsw.\nDefault: $LODESTORE_VECTORS or else auto",
  },
  { name: "json", help: "Print one JSON object, errors as JSON on stderr" },
  { name: "help", short: "h", help: "Explain this command" },
];
