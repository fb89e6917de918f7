import type { EvalQueryResult, EvalRun, Page } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { metricName, runLines, runRemarks } from "./eval-lines.ts";
import { allResults, evaluating } from "./eval-run-id.ts";
import { EXIT } from "./exit-code.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";
import { writeReport } from "./write-report.ts";

export const evalShowCommand: Command = {
  name: "eval show",
  summary: "Print an evaluation run, query by query",
  usage: "<run> [options]",
  description: `Prints the measures of a run, and for each query: id, nDCG, text, and the paths
of the documents that came first, + before those that are relevant.`,
  options: [
    { name: "limit", value: "<n>", help: "Queries to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
    { name: "html", value: "<file>", help: "Write a report with plots, of all queries" },
  ],
  examples: [
    ["lodestore eval show 0199f0c2a1b47d3e8f00112233445566", "The first 50 queries"],
    ["lodestore eval show 0199f0c2a1b47d3e8f00112233445566 --html run.html", "As a report"],
  ],
  run: runEvalShow,
};

interface Shown {
  run: EvalRun;
  page: Page<EvalQueryResult>;
}

async function runEvalShow(args: Arguments, terminal: Terminal): Promise<number> {
  const [id = "", ...rest] = args.positionals;
  if (id === "" || rest.length > 0) {
    const got = id === "" ? "no id of a run is given" : `takes one id, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Their ids: lodestore eval list");
  }
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const html = args.text("html");
  const request = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const read = async (): Promise<Shown> =>
    useStore(
      terminal,
      () => openStoreToRead(args, terminal),
      async (store) => {
        const run = await store.evaluations.getRun(id);
        if (run === undefined) throw noRun(args.command, id);
        const page = await store.evaluations.listResults(id, request);
        if (html !== undefined) {
          await writeReport(args.command, html, { runs: [{ run, results: await allResults(store, id) }] });
        }
        return { run, page };
      },
    );
  const { run, page } = await evaluating(args.command, read);
  if (terminal.json) {
    terminal.printJson({ run, ...page });
    return EXIT.ok;
  }
  terminal.print(
    ...runLines(run, terminal),
    ...page.items.flatMap((result) => ["", ...queryLines(result, run, terminal)]),
  );
  for (const remark of runRemarks(run)) terminal.note(remark);
  if (page.nextCursor !== undefined) terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  return EXIT.ok;
}

function queryLines({ queryId, text, metrics, hits }: EvalQueryResult, run: EvalRun, terminal: Terminal): string[] {
  const measured = metrics === null ? "not judged" : `${metricName("ndcg", run.config.k)} ${metrics.ndcg.toFixed(4)}`;
  return [
    `${terminal.bold(printable(queryId))}  ${terminal.dim(measured)}  ${printable(text)}`,
    ...hits.map(({ grade, workspacePath }) => `  ${(grade ?? 0) >= 1 ? "+" : " "} ${printable(workspacePath)}`),
  ];
}

function noRun(operation: string, id: string): CommandError {
  const hint = "All runs: lodestore eval list";
  return new CommandError(`the store has no evaluation run "${id}"`, {
    code: "NOT_FOUND",
    operation,
    exitCode: EXIT.wrong,
    hint,
  });
}
