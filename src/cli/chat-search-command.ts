import type { ChatSearchHit } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { formatTime } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { highlighted } from "./search-lines.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const chatSearchCommand: Command = {
  name: "chat search",
  summary: "Find what was said in conversations, best first",
  usage: "<query…> [options]",
  description: `Prints for each turn that holds at least one of the words: title of the
conversation; its id, number of the turn, role and time; the part that matches.
"a phrase", begin*, -not and -"not this" mean what they do in lodestore search.
Exits with 1 when nothing is found, like grep.`,
  options: [
    { name: "k", short: "k", value: "<n>", help: "Hits to print, 1 to 1000. Default: 10" },
    { name: "session", value: "<id>", help: "Only in this conversation" },
    { name: "role", value: "<role>", help: "Only system, user, assistant or tool" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
  ],
  examples: [
    ["lodestore chat search how hot", "Turns about how hot it must be"],
    ["lodestore chat search kiln --role assistant -k 3", "The three best answers"],
  ],
  run: runChatSearch,
};

async function runChatSearch(args: Arguments, terminal: Terminal): Promise<number> {
  const text = args.positionals.join(" ");
  if (text.trim() === "") throw usageError(args.command, "no query is given", "Example: lodestore chat search how hot");
  const k = args.integer("k", 1, 1000);
  const sessionId = args.text("session");
  const role = args.oneOf("role", ["system", "user", "assistant", "tool"]);
  const cursor = args.text("cursor");
  const query = {
    text,
    ...(k === undefined ? {} : { k }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(role === undefined ? {} : { role }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  const result = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ chat }) => chat.searchTurns(query),
  );
  if (terminal.json) terminal.printJson(result);
  else {
    for (const hit of result.hits) terminal.print(...hitLines(hit, terminal), "");
    if (result.hits.length === 0) terminal.note(`Nothing found for: ${printable(text)}`);
    if (result.nextCursor !== undefined) {
      terminal.note(`There is more: the same command with --cursor ${result.nextCursor}`);
    }
  }
  return result.hits.length === 0 ? EXIT.wrong : EXIT.ok;
}

function hitLines(
  { sessionId, sessionTitle, index, role, createdAt, snippet }: ChatSearchHit,
  terminal: Terminal,
): string[] {
  return [
    terminal.bold(printable(sessionTitle ?? "Conversation")),
    `  ${printable(sessionId)}  ${terminal.dim(`turn ${index + 1}, ${role}, ${formatTime(createdAt)}`)}`,
    `  ${highlighted(snippet, terminal)}`,
  ];
}
