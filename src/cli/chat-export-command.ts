import { useChatSession } from "./chat-id.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

export const chatExportCommand: Command = {
  name: "chat export",
  summary: "Write a conversation as JSON or Markdown",
  usage: "<id> [options]",
  description: `Writes the whole conversation to stdout: as JSON, with everything that is known
of it, or as Markdown for people, with what it cites as footnotes.`,
  options: [{ name: "markdown", help: "Markdown instead of JSON" }],
  examples: [
    ["lodestore chat export 0199f0c2a1b47d3e8f00112233445566 > chat.json", "With everything"],
    ["lodestore chat export 0199f0c2a1b47d3e8f00112233445566 --markdown > chat.md", "To read"],
  ],
  run: runChatExport,
};

async function runChatExport(args: Arguments, terminal: Terminal): Promise<number> {
  const markdown = args.has("markdown");
  if (markdown && terminal.json) throw usageError(args.command, "--markdown and --json are two formats; choose one");
  const format = markdown ? "markdown" : "json";
  const text = await useChatSession(args, terminal, ({ chat }, id) => chat.exportSession(id, format));
  if (terminal.json) terminal.printJson(JSON.parse(text) as object);
  else
    terminal.print(
      ...text
        .trimEnd()
        .split("\n")
        .map(terminal.isScreen ? printable : asItIs),
    );
  return EXIT.ok;
}

function asItIs(line: string): string {
  return line;
}
