import type { Answer, AnswerFilter, AnswerOutcome } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatTime } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

const OUTCOMES: readonly AnswerOutcome[] = ["grounded", "ungrounded", "refused"];

export const answersListCommand: Command = {
  name: "answers list",
  summary: "List the answers that programs keep in the store",
  usage: "[options]",
  description: `Prints a line for each answer, the newest first: id, when it was given, whether
it is grounded (cites what it stands on), ungrounded or refused, its model and
the question.`,
  options: [
    { name: "outcome", value: "<o>", help: "Only grounded, ungrounded or refused ones" },
    { name: "model", value: "<name>", help: "Only those of this model" },
    { name: "after", value: "<time>", help: "Only those of this time or later: 2026-11-21" },
    { name: "before", value: "<time>", help: "Only those of before this time" },
    { name: "limit", value: "<n>", help: "Answers to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended; same filter" },
  ],
  examples: [
    ["lodestore answers list", "The 50 newest"],
    ["lodestore answers list --outcome refused --after 2026-11-01", "What nothing answered"],
  ],
  run: runAnswersList,
};

async function runAnswersList(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    const hint = "One answer: lodestore answers show <id>";
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, hint);
  }
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const request = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const filter = filterOf(args);
  const page = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ answers }) => answers.list(filter, request),
  );
  if (terminal.json) {
    terminal.printJson(page);
    return EXIT.ok;
  }
  if (page.items.length > 0) terminal.print(...page.items.map((answer) => row(answer, terminal)));
  terminal.note(counted(page.items.length, "answer"));
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

function filterOf(args: Arguments): AnswerFilter {
  const outcome = args.oneOf("outcome", OUTCOMES);
  const [model, createdAfter, createdBefore] = [args.text("model"), args.text("after"), args.text("before")];
  return {
    ...(outcome === undefined ? {} : { outcome }),
    ...(model === undefined ? {} : { model }),
    ...(createdAfter === undefined ? {} : { createdAfter }),
    ...(createdBefore === undefined ? {} : { createdBefore }),
  };
}

function row({ id, createdAt, outcome, model, query }: Answer, terminal: Terminal): string {
  const facts = `${formatTime(createdAt)}  ${outcome.padEnd(10)}`;
  const by = model === null ? "" : `(${printable(model)}) `;
  return `${printable(id)}  ${terminal.dim(facts)}  ${by}${printable(query)}`;
}
