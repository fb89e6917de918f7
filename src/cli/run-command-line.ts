import { readFileSync } from "node:fs";
import { changesCommand } from "./changes-command.ts";
import { answersListCommand } from "./answers-list-command.ts";
import { answersShowCommand } from "./answers-show-command.ts";
import { chatExportCommand } from "./chat-export-command.ts";
import { chatListCommand } from "./chat-list-command.ts";
import { chatSearchCommand } from "./chat-search-command.ts";
import { chatShowCommand } from "./chat-show-command.ts";
import { COMMON_OPTIONS, type Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { doctorCommand } from "./doctor-command.ts";
import { embedCommand } from "./embed-command.ts";
import { evalCompareCommand } from "./eval-compare-command.ts";
import { evalListCommand } from "./eval-list-command.ts";
import { evalRunCommand } from "./eval-run-command.ts";
import { evalShowCommand } from "./eval-show-command.ts";
import { EXIT } from "./exit-code.ts";
import { exportCommand } from "./export-command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { importCommand } from "./import-command.ts";
import { ingestCommand } from "./ingest-command.ts";
import { jobsCancelCommand } from "./jobs-cancel-command.ts";
import { jobsListCommand } from "./jobs-list-command.ts";
import { jobsResumeCommand } from "./jobs-resume-command.ts";
import { jobsShowCommand } from "./jobs-show-command.ts";
import { listCommand } from "./list-command.ts";
import { lhv1ImportCommand } from "./lhv1-import-command.ts";
import { lhv1InspectCommand } from "./lhv1-inspect-command.ts";
import { parseArguments } from "./options.ts";
import { reindexCommand } from "./reindex-command.ts";
import { reportError } from "./report-error.ts";
import { searchCommand } from "./search-command.ts";
import { showCommand } from "./show-command.ts";
import { statsCommand } from "./stats-command.ts";
import { suggest } from "./suggest.ts";
import { Terminal } from "./terminal.ts";
import { vacuumCommand } from "./vacuum-command.ts";

const COMMANDS: readonly Command[] = [
  ingestCommand,
  searchCommand,
  listCommand,
  showCommand,
  embedCommand,
  reindexCommand,
  statsCommand,
  doctorCommand,
  vacuumCommand,
  exportCommand,
  importCommand,
  changesCommand,
  chatListCommand,
  chatShowCommand,
  chatSearchCommand,
  chatExportCommand,
  jobsListCommand,
  jobsShowCommand,
  jobsCancelCommand,
  jobsResumeCommand,
  answersListCommand,
  answersShowCommand,
  evalRunCommand,
  evalListCommand,
  evalShowCommand,
  evalCompareCommand,
  lhv1InspectCommand,
  lhv1ImportCommand,
];

/** Runs what was typed after `lodestore`.
 *  @returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const { command, first, rest } = chosen(argv);
  const end = argv.indexOf("--");
  // Known before the arguments are read: what is wrong with them is reported in the form that was asked for.
  const json = (end < 0 ? argv : argv.slice(0, end)).includes("--json");
  const terminal = new Terminal({ stdout: process.stdout, stderr: process.stderr, env: process.env, json });
  try {
    return command === undefined ? withoutCommand(first, rest, terminal) : await run(command, rest, terminal);
  } catch (error) {
    return reportError(error, command?.name ?? "", process.stderr, json);
  }
}

/** What was asked for: the name of a command is one word or two. */
interface Chosen {
  /** Absent where what was typed names none. */
  command: Command | undefined;
  first: string;
  rest: readonly string[];
}

function chosen([first = "", ...rest]: readonly string[]): Chosen {
  const two = COMMANDS.find(({ name }) => name === `${first} ${rest[0] ?? ""}`);
  if (two !== undefined) return { command: two, first: two.name, rest: rest.slice(1) };
  return { command: COMMANDS.find(({ name }) => name === first), first, rest };
}

async function run(command: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  const options = [...command.options, ...COMMON_OPTIONS];
  const parsed = parseArguments(command.name, options, args);
  if (parsed.has("help")) {
    terminal.print(commandHelp(command, options));
    return EXIT.ok;
  }
  return command.run(parsed, terminal);
}

function withoutCommand(first: string, rest: readonly string[], terminal: Terminal): number {
  if (first === "--version" || first === "-V") {
    terminal.print(version());
    return EXIT.ok;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const { command: topic } = chosen(rest);
    if (topic === undefined && rest[0] !== undefined) throw unknownCommand(rest[0]);
    terminal.print(
      topic === undefined ? generalHelp(COMMANDS) : commandHelp(topic, [...topic.options, ...COMMON_OPTIONS]),
    );
    return EXIT.ok;
  }
  if (first === "") {
    if (terminal.json) throw usageError("", "no command is given");
    terminal.note(generalHelp(COMMANDS));
    return EXIT.usage;
  }
  if (first.startsWith("-")) {
    throw usageError("", `unknown option ${first}`, "Options come after the command: lodestore <command> [options]");
  }
  throw unknownCommand(first);
}

function unknownCommand(typed: string): Error {
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${typed} `)).map(({ name }) => name);
  if (group.length > 0) {
    const commands = group.map((name) => `lodestore ${name}`).join(", ");
    return usageError("", `"${typed}" is the first word of several commands`, `They are: ${commands}`);
  }
  const meant = suggest(
    typed,
    COMMANDS.map(({ name }) => name),
  );
  const hint = meant === undefined ? "All commands: lodestore --help" : `Did you mean: lodestore ${meant}`;
  return usageError("", `unknown command "${typed}"`, hint);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}
