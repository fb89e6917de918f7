import type { ChatSession } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted, formatTime } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const chatListCommand: Command = {
  name: "chat list",
  summary: "List the conversations in the store",
  usage: "[options]",
  description: `Prints a line for each conversation: id, when something was last said in it,
number of turns, title. The most recently active first.`,
  options: [
    { name: "limit", value: "<n>", help: "Conversations to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
  ],
  examples: [
    ["lodestore chat list", "The 50 most recent"],
    ["lodestore chat list --json | jq -r '.items[].id'", "For programs"],
  ],
  run: runChatList,
};

async function runChatList(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(
      args.command,
      `unexpected "${args.positionals.join(" ")}"`,
      "To find what was said: lodestore chat search",
    );
  }
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const request = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const page = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ chat }) => chat.listSessions(request),
  );
  if (terminal.json) {
    terminal.printJson(page);
    return EXIT.ok;
  }
  if (page.items.length > 0) terminal.print(...rows(page.items, terminal));
  terminal.note(counted(page.items.length, "conversation"));
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

function rows(sessions: readonly ChatSession[], terminal: Terminal): string[] {
  const turns = sessions.map(({ turnCount }) => counted(turnCount, "turn"));
  const columns = Math.max(...turns.map(({ length }) => length));
  return sessions.map(({ id, lastActiveAt, title }, index) => {
    const facts = `${formatTime(lastActiveAt)}  ${(turns[index] ?? "").padStart(columns)}`;
    return `${printable(id)}  ${terminal.dim(facts)}  ${printable(title ?? "")}`.trimEnd();
  });
}
