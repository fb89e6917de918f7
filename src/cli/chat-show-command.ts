import type { ChatSession, ChatTurn, Page } from "../node.ts";
import { useChatSession } from "./chat-id.ts";
import { citedSource } from "./cited-source.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatTime } from "./format.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

export const chatShowCommand: Command = {
  name: "chat show",
  summary: "Print a conversation",
  usage: "<id> [options]",
  description: `Prints what was said, turn by turn, with what each turn cites: title, headings
and path:lines, which lodestore show takes as long as the document is there.`,
  options: [
    { name: "limit", value: "<n>", help: "Turns to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended; same order" },
    { name: "newest", help: "The newest turn first" },
  ],
  examples: [
    ["lodestore chat show 0199f0c2a1b47d3e8f00112233445566", "From its beginning"],
    ["lodestore chat show 0199f0c2a1b47d3e8f00112233445566 --newest --limit 2", "What was said last"],
  ],
  run: runChatShow,
};

interface Shown {
  session: ChatSession;
  page: Page<ChatTurn>;
}

async function runChatShow(args: Arguments, terminal: Terminal): Promise<number> {
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const order = args.has("newest") ? "newest" : "oldest";
  const request = {
    order,
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  } as const;
  const { session, page } = await useChatSession<Shown>(args, terminal, async ({ chat }, id) => {
    const turns = await chat.listTurns(id, request);
    const found = await chat.getSession(id);
    if (found !== undefined) return { session: found, page: turns };
    throw new CommandError(`the conversation "${id}" was deleted just now`, {
      code: "NOT_FOUND",
      operation: args.command,
      exitCode: EXIT.wrong,
    });
  });
  if (terminal.json) {
    terminal.printJson({ session, ...page });
    return EXIT.ok;
  }
  terminal.print(...header(session, terminal), ...page.items.flatMap((turn) => ["", ...turnLines(turn, terminal)]));
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

function header({ id, title, createdAt, turnCount }: ChatSession, terminal: Terminal): string[] {
  const facts = `${id}, begun ${formatTime(createdAt)}, ${counted(turnCount, "turn")}`;
  return [terminal.bold(printable(title ?? "Conversation")), terminal.dim(printable(facts))];
}

function turnLines({ index, role, model, createdAt, text, citations }: ChatTurn, terminal: Terminal): string[] {
  const by = model === null ? role : `${role} (${model})`;
  return [
    `${terminal.bold(`${index + 1}. ${printable(by)}`)}  ${terminal.dim(formatTime(createdAt))}`,
    ...(text === "" ? [] : text.split("\n").map((line) => printable(line).trimEnd())),
    ...citations.map((citation, at) => terminal.dim(`[${at + 1}] ${citedSource(citation)}`)),
  ];
}
