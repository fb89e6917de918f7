import type { Answer } from "../node.ts";
import { citedSource } from "./cited-source.ts";
import type { Command } from "./command.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatDuration, formatTime } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const answersShowCommand: Command = {
  name: "answers show",
  summary: "Print an answer and what it stands on",
  usage: "<id> [options]",
  description: `Prints an answer: the question, what was answered, what it cites (headings and
path:lines, which lodestore show takes as long as the document is there), and
how many passages were put before the model.`,
  options: [],
  examples: [["lodestore answers show 0199f0c2a1b47d3e8f00112233445566 --json", "For programs"]],
  run: runAnswersShow,
};

async function runAnswersShow(args: Arguments, terminal: Terminal): Promise<number> {
  const [id = "", ...rest] = args.positionals;
  if (id === "" || rest.length > 0) {
    const got = id === "" ? "no id of an answer is given" : `takes one id, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Their ids: lodestore answers list");
  }
  const answer = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ answers }) => answers.get(id),
  );
  if (answer === undefined) {
    throw new CommandError(`the store has no answer "${id}"`, {
      code: "NOT_FOUND",
      operation: args.command,
      exitCode: EXIT.wrong,
      hint: "All answers: lodestore answers list",
    });
  }
  if (terminal.json) terminal.printJson(answer);
  else terminal.print(...answerLines(answer, terminal));
  return EXIT.ok;
}

function answerLines(answer: Answer, terminal: Terminal): string[] {
  const { query, text, outcome, refusalReason, model, createdAt, latencyMs, packedChunks, citations } = answer;
  const facts = [
    `${outcome}${model === null ? "" : ` by ${printable(model)}`}`,
    formatTime(createdAt),
    ...(latencyMs === null ? [] : [formatDuration(latencyMs)]),
    `${counted(packedChunks.length, "passage")} before the model`,
    `corpus revision ${answer.corpusRevision}`,
  ];
  return [
    terminal.bold(printable(query)),
    terminal.dim(facts.join(", ")),
    ...(refusalReason === null ? [] : [`refused because: ${printable(refusalReason)}`]),
    ...(text === "" ? [] : ["", ...text.split("\n").map((line) => printable(line).trimEnd())]),
    ...citations.map((citation, at) => terminal.dim(`[${at + 1}] ${citedSource(citation)}`)),
  ];
}
