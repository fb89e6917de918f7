import type { EvalComparison, EvalDifference } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { comparisonLines, METRICS, signed } from "./eval-lines.ts";
import { allResults, evaluating } from "./eval-run-id.ts";
import { EXIT } from "./exit-code.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";
import { writeReport } from "./write-report.ts";

/** Queries that are named on each side. */
const NAMED = 5;

export const evalCompareCommand: Command = {
  name: "eval compare",
  summary: "Compare two evaluation runs, with significance",
  usage: "<a> <b> [options]",
  description: `Compares two complete runs of the same queries: means, in how many queries B is
better, and how likely such a difference is by chance (p, two-sided), by a
paired randomisation test and a paired t-test, with the 95 % interval of the
difference. Then the queries that gained and lost most.`,
  options: [
    {
      name: "metric",
      value: "<name>",
      help: "ndcg (default), recall, precision, reciprocalRank,\naveragePrecision",
    },
    { name: "seed", value: "<n>", help: "Seed of the random numbers. Default: 1" },
    { name: "html", value: "<file>", help: "Write a report with plots" },
  ],
  examples: [
    ["lodestore eval compare <a> <b>", "By nDCG; the ids are those of lodestore eval list"],
    ["lodestore eval compare <a> <b> --metric recall --html compare.html", "As a report"],
  ],
  run: runEvalCompare,
};

async function runEvalCompare(args: Arguments, terminal: Terminal): Promise<number> {
  const [a, b, ...rest] = args.positionals;
  if (a === undefined || b === undefined || rest.length > 0) {
    throw usageError(
      args.command,
      `takes two ids of runs, got ${args.positionals.length}`,
      "Their ids: lodestore eval list",
    );
  }
  const metric = args.oneOf("metric", METRICS);
  const seed = args.integer("seed", 0, 2 ** 32 - 1);
  const html = args.text("html");
  const options = { ...(metric === undefined ? {} : { metric }), ...(seed === undefined ? {} : { seed }) };
  const comparison = await evaluating(args.command, () =>
    useStore(
      terminal,
      () => openStoreToRead(args, terminal),
      async (store): Promise<EvalComparison> => {
        const compared = await store.evaluations.compare(a, b, options);
        if (html !== undefined) {
          const [ofA, ofB] = [await allResults(store, a), await allResults(store, b)];
          const runs = [
            { run: compared.a, results: ofA },
            { run: compared.b, results: ofB },
          ] as const;
          await writeReport(args.command, html, { runs, comparison: compared });
        }
        return compared;
      },
    ),
  );
  if (terminal.json) terminal.printJson(comparison);
  else terminal.print(...comparisonLines(comparison, terminal), ...extremes(comparison));
  return EXIT.ok;
}

function extremes({ differences }: EvalComparison): string[] {
  const gained = differences.filter(({ difference }) => difference > 1e-9).slice(0, NAMED);
  const lost = differences
    .filter(({ difference }) => difference < -1e-9)
    .slice(-NAMED)
    .toReversed();
  return [
    ...(gained.length === 0 ? [] : ["", "Gained most:", ...gained.map(line)]),
    ...(lost.length === 0 ? [] : ["", "Lost most:", ...lost.map(line)]),
  ];
}

function line({ queryId, text, difference }: EvalDifference): string {
  return `  ${signed(difference)}  ${printable(queryId)}  ${printable(text)}`;
}
