import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { EvalRun, EvalRunOptions, NewEvalSuite, SearchMode, Store } from "../node.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { embedderFor } from "./embedder-option.ts";
import { runLines, runRemarks } from "./eval-lines.ts";
import { allResults, evaluating } from "./eval-run-id.ts";
import { EXIT } from "./exit-code.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { openExistingStore } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { ProgressLine } from "./progress-line.ts";
import { readSuiteFile, readTrecSuite } from "./suite-file.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";
import { writeReport } from "./write-report.ts";

const MODES = ["lexical", "vector", "hybrid"] as const;

export const evalRunCommand: Command = {
  name: "eval run",
  summary: "Measure how well a suite of queries is answered",
  usage: "<suite> [options]",
  description: `Asks every query of a suite, keeps what came and prints nDCG, recall and
precision at k, MRR and MAP, as trec_eval defines them, and times. The suite is
a file, or the name of one that --save kept. A file is JSON,

  {"name":"kilns","queries":[
    {"id":"1","text":"how hot","expected":["guides/kiln.md"]},
    {"id":"2","text":"glaze","judgements":{"ash.md":2,"clay.md":0}}]}

or .jsonl with a query a line; "judged" may be "path" (default), "document" or
"chunk", and a query may have "filters" as a search has them. Judgements and
topics of TREC are taken with --qrels and --topics instead.

Queries are plain text: quotes and minus mean nothing unless --syntax is given.
What lodestore eval compare is to compare must have the same queries.`,
  options: [
    { name: "mode", value: "<mode>", many: true, help: "lexical (default), vector, hybrid: a run each" },
    { name: "k", short: "k", value: "<n>", help: "Documents that count, 1 to 1000. Default: 10" },
    { name: "depth", value: "<n>", help: "Documents that MRR and MAP look at. Default: 100" },
    { name: "label", value: "<text>", help: "What to call the run" },
    { name: "stemming", value: "<how>", help: "As in lodestore search: rank, match, off" },
    { name: "syntax", help: 'Take "phrases", -not and begin* for what they are' },
    { name: "qrels", value: "<file>", help: "Judgements of TREC: query, 0, document, grade" },
    { name: "topics", value: "<file>", help: "Queries of TREC: id, tab, text" },
    { name: "paths", value: "<text>", help: "Path of a judged document, {} for its id; with\n--qrels. Default: {}" },
    { name: "save", help: "Keep the suite in the store, under its name" },
    { name: "html", value: "<file>", help: "Write a report with plots; with one mode" },
    { name: "quiet", short: "q", help: "No progress" },
  ],
  examples: [
    ["lodestore eval run kilns.json", "By words"],
    ["lodestore eval run kilns.json --mode lexical --mode hybrid", "Two runs, to compare"],
    ["lodestore eval run --qrels qrels.txt --topics topics.tsv --paths 'docs/{}.txt'", "A TREC collection"],
  ],
  run: runEvalRun,
};

async function runEvalRun(args: Arguments, terminal: Terminal): Promise<number> {
  const suite = await suiteFrom(args);
  const modes = await modesFrom(args, terminal);
  const html = args.text("html");
  if (html !== undefined && modes.length > 1) throw usageError(args.command, "--html is of one run; choose one --mode");
  const options = optionsFrom(args);
  const progressLine = new ProgressLine(terminal.stderr);
  const shown = !args.has("quiet") && (!terminal.json || terminal.stderr.isTTY === true);
  using interrupt = listenForInterrupt(() => {
    progressLine.end();
    terminal.note("Stopping. Press Ctrl-C again to end at once.");
  });
  const { signal } = interrupt;
  const ask = async (store: Store): Promise<EvalRun[]> => {
    if (args.has("save") && typeof suite !== "string") await store.evaluations.putSuite(suite);
    const runs: EvalRun[] = [];
    for (const mode of modes) {
      const onProgress: EvalRunOptions["onProgress"] = ({ done, total, elapsedMs }) => {
        if (shown && !signal.aborted) progressLine.count(`queries, ${mode}`, done, total, elapsedMs);
      };
      const search = { ...options.search, mode };
      runs.push(await store.evaluations.run(suite, { ...options, search, signal, onProgress }));
    }
    const [run] = runs;
    if (html !== undefined && run !== undefined) {
      await writeReport(args.command, html, { runs: [{ run, results: await allResults(store, run.id) }] });
    }
    return runs;
  };
  let runs: EvalRun[];
  try {
    runs = await evaluating(args.command, () => useStore(terminal, () => openExistingStore(args, terminal), ask));
  } catch (error) {
    if (!signal.aborted) throw error;
    throw cancelled(args.command);
  } finally {
    progressLine.end();
  }
  print(runs, terminal);
  return EXIT.ok;
}

function print(runs: readonly EvalRun[], terminal: Terminal): void {
  if (terminal.json) {
    terminal.printJson({ runs });
    return;
  }
  for (const [index, run] of runs.entries()) {
    terminal.print(...(index === 0 ? [] : [""]), ...runLines(run, terminal));
    for (const remark of runRemarks(run)) terminal.note(remark);
  }
  const [a, b] = runs;
  if (a !== undefined && b !== undefined) terminal.note(`To compare them: lodestore eval compare ${a.id} ${b.id}`);
}

/** A suite from a file, or the name of one that is in the store. */
async function suiteFrom(args: Arguments): Promise<string | NewEvalSuite> {
  const { command, positionals } = args;
  const [given, ...rest] = positionals;
  const [qrels, topics] = [args.text("qrels"), args.text("topics")];
  if (qrels !== undefined || topics !== undefined) {
    if (qrels === undefined || topics === undefined) throw usageError(command, "--qrels and --topics go together");
    if (given !== undefined) throw usageError(command, `unexpected "${given}" beside --qrels and --topics`);
    return readTrecSuite(command, { qrels, topics, paths: args.text("paths") ?? "{}" });
  }
  if (args.has("paths")) throw usageError(command, "--paths goes with --qrels and --topics");
  if (given === undefined) throw usageError(command, "no suite is given", "Example: lodestore eval run kilns.json");
  if (rest.length > 0) throw usageError(command, `takes one suite, got ${positionals.length}`);
  if (existsSync(given) || [".json", ".jsonl"].includes(extname(given))) return readSuiteFile(command, given);
  if (args.has("save")) throw usageError(command, `--save keeps the suite of a file, and there is no file ${given}`);
  return given;
}

async function modesFrom(args: Arguments, terminal: Terminal): Promise<SearchMode[]> {
  const modes = (args.list("mode") ?? ["lexical"]).map((text) => {
    const mode = MODES.find((one) => one === text);
    if (mode === undefined) throw usageError(args.command, `--mode got "${text}"; it takes ${MODES.join(", ")}`);
    return mode;
  });
  const byVectors = modes.find((mode) => mode !== "lexical");
  if (byVectors !== undefined && (await embedderFor(args, terminal)) === undefined) {
    throw usageError(args.command, `--mode ${byVectors} embeds the queries, and the embedder is none`);
  }
  return [...new Set(modes)];
}

function optionsFrom(args: Arguments): EvalRunOptions {
  const k = args.integer("k", 1, 1000);
  const depth = args.integer("depth", k ?? 10, 1000);
  const label = args.text("label");
  const stemming = args.oneOf("stemming", ["rank", "match", "off"]);
  return {
    ...(k === undefined ? {} : { k }),
    ...(depth === undefined ? {} : { depth }),
    ...(label === undefined ? {} : { label }),
    search: { plainText: !args.has("syntax"), ...(stemming === undefined ? {} : { stemming }) },
  };
}

function cancelled(operation: string): CommandError {
  return new CommandError("cancelled: what is done stays, as a run that was cancelled", {
    code: "ABORTED",
    operation,
    exitCode: EXIT.cancelled,
    hint: "All runs: lodestore eval list",
  });
}
