import type { EvalRun, EvalSuiteInfo, Page } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { metricName } from "./eval-lines.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatTime } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const evalListCommand: Command = {
  name: "eval list",
  summary: "List evaluation runs, or suites",
  usage: "[options]",
  description: `Prints a line for each run, the last begun first: id, when it began, mode,
nDCG or how it ended, suite and label. With --suites a line for each suite that
is kept: name, number of queries, how it is judged.`,
  options: [
    { name: "suites", help: "Suites instead of runs" },
    { name: "suite", value: "<name>", help: "Only runs of this suite" },
    { name: "status", value: "<status>", help: "Only running, completed, cancelled, failed or\ninterrupted runs" },
    { name: "limit", value: "<n>", help: "Lines to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
  ],
  examples: [
    ["lodestore eval list", "The last 50 runs"],
    ["lodestore eval list --suite kilns --json | jq -r '.items[].id'", "For programs"],
  ],
  run: runEvalList,
};

async function runEvalList(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    const typed = args.positionals.join(" ");
    throw usageError(
      args.command,
      `unexpected "${typed}"`,
      `To choose a suite: lodestore eval list --suite "${typed}"`,
    );
  }
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const suite = args.text("suite");
  const status = args.oneOf("status", ["running", "completed", "cancelled", "failed", "interrupted"]);
  const request = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const filter = { ...(suite === undefined ? {} : { suite }), ...(status === undefined ? {} : { status }) };
  const open = (): ReturnType<typeof openStoreToRead> => openStoreToRead(args, terminal);
  if (args.has("suites")) {
    if (Object.keys(filter).length > 0)
      throw usageError(args.command, "--suite and --status choose runs, not --suites");
    const page = await useStore(terminal, open, ({ evaluations }) => evaluations.listSuites(request));
    return print(page, page.items.map(suiteLine), "suite", terminal);
  }
  const page = await useStore(terminal, open, ({ evaluations }) => evaluations.listRuns(filter, request));
  return print(
    page,
    page.items.map((run) => runLine(run, terminal)),
    "run",
    terminal,
  );
}

function print(page: Page<unknown>, lines: readonly string[], one: string, terminal: Terminal): number {
  if (terminal.json) {
    terminal.printJson(page);
    return EXIT.ok;
  }
  if (lines.length > 0) terminal.print(...lines);
  terminal.note(counted(lines.length, one));
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

function suiteLine({ name, queryCount, judged }: EvalSuiteInfo): string {
  return `${printable(name)}  ${counted(queryCount, "query", "queries")}, judged by ${judged}`;
}

function runLine({ id, startedAt, config, aggregates, status, suite, label }: EvalRun, terminal: Terminal): string {
  const measured = aggregates?.metrics ?? null;
  const outcome = measured === null ? status : `${metricName("ndcg", config.k)} ${measured.ndcg.toFixed(4)}`;
  const facts = `${formatTime(startedAt)}  ${(config.search?.mode ?? "?").padEnd(7)}  ${outcome.padEnd(14)}`;
  return `${id}  ${terminal.dim(facts)}  ${printable(label === null ? suite : `${suite}, ${label}`)}`;
}
