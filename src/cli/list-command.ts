import type { Document, Page } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { FILTER_OPTIONS, filterFrom } from "./filter-options.ts";
import { counted, formatCount } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { displayWidth, padToWidth, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

/** Longer paths push their row to the right, alone. */
const MAX_PATH_COLUMNS = 56;

export const listCommand: Command = {
  name: "list",
  summary: "List the documents in the store",
  usage: "[options]",
  description: `Prints a line for each document: path, language, day it was taken in (UTC),
title. Sorted by path.`,
  options: [
    ...FILTER_OPTIONS,
    { name: "limit", value: "<n>", help: "Documents to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended; same filters" },
  ],
  examples: [
    ["lodestore list", "The first 50 documents"],
    ['lodestore list --path "guides/**" --lang en', "English ones in a folder and the folders in it"],
    ["lodestore list --json | jq -r '.items[].workspacePath'", "For programs"],
  ],
  run: runList,
};

async function runList(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    const glob = `${args.positionals[0] ?? ""}/**`;
    throw usageError(
      args.command,
      `unexpected "${args.positionals.join(" ")}"`,
      `To choose by path: lodestore list --path "${glob}"`,
    );
  }
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const { page, total } = await read(args, terminal, {
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  if (terminal.json) {
    terminal.printJson(page);
    return EXIT.ok;
  }
  if (page.items.length > 0) terminal.print(...rows(page.items, terminal));
  terminal.note(
    page.items.length === total
      ? counted(total, "document")
      : `${formatCount(page.items.length)} of ${counted(total, "document")}`,
  );
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}

async function read(
  args: Arguments,
  terminal: Terminal,
  request: { limit?: number; cursor?: string },
): Promise<{ page: Page<Document>; total: number }> {
  const filter = filterFrom(args);
  return useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    async ({ documents }) => ({
      page: await documents.listDocuments(filter, request),
      total: await documents.countDocuments(filter),
    }),
  );
}

function rows(documents: readonly Document[], terminal: Terminal): string[] {
  const paths = documents.map(({ workspacePath }) => printable(workspacePath));
  const pathColumns = Math.min(MAX_PATH_COLUMNS, Math.max(...paths.map(displayWidth)));
  const langColumns = Math.max(2, ...documents.map(({ lang }) => lang?.length ?? 0));
  return documents.map(({ lang, ingestedAt, title }, index) => {
    const path = padToWidth(paths[index] ?? "", pathColumns);
    const day = new Date(ingestedAt).toISOString().slice(0, 10);
    return `${path}  ${terminal.dim(`${(lang ?? "-").padEnd(langColumns)}  ${day}`)}  ${printable(title)}`.trimEnd();
  });
}
