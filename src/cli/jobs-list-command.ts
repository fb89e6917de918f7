import type { JobStatus } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { counted } from "./format.ts";
import { jobRows } from "./job-lines.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

const STATUSES: readonly JobStatus[] = ["running", "completed", "failed", "cancelled", "interrupted"];

export const jobsListCommand: Command = {
  name: "jobs list",
  summary: "List the jobs of the store",
  usage: "[options]",
  description: `Prints a line for each job, the newest first: id, when it was made, kind, status
and how far it is. Every ingest, run of embeddings and reindex is a job, and
programs have jobs of their own. One is interrupted when whoever worked on it
ended: lodestore jobs resume goes on with it.`,
  options: [
    { name: "kind", value: "<kind>", help: "Only these: ingest, embed, reindex, or a program's" },
    {
      name: "status",
      value: "<status>",
      help: `Only ${STATUSES.slice(0, 3).join(", ")},\n${STATUSES.slice(3).join(" or ")} ones`,
    },
    { name: "limit", value: "<n>", help: "Jobs to print, 1 to 1000. Default: 50" },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended; same filter" },
  ],
  examples: [
    ["lodestore jobs list", "The 50 newest"],
    ["lodestore jobs list --status interrupted", "What was not brought to its end"],
  ],
  run: runJobsList,
};

async function runJobsList(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.positionals.length > 0) {
    throw usageError(args.command, `unexpected "${args.positionals.join(" ")}"`, "One job: lodestore jobs show <id>");
  }
  const kind = args.text("kind");
  const status = args.oneOf("status", STATUSES);
  const limit = args.integer("limit", 1, 1000);
  const cursor = args.text("cursor");
  const filter = { ...(kind === undefined ? {} : { kind }), ...(status === undefined ? {} : { status }) };
  const request = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
  const page = await useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    ({ jobs }) => jobs.list(filter, request),
  );
  if (terminal.json) {
    terminal.printJson(page);
    return EXIT.ok;
  }
  if (page.items.length > 0) terminal.print(...jobRows(page.items, terminal));
  terminal.note(counted(page.items.length, "job"));
  if (page.nextCursor !== undefined) {
    terminal.note(`There is more: the same command with --cursor ${page.nextCursor}`);
  }
  return EXIT.ok;
}
