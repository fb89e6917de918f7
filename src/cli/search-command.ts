import type { SearchQuery, SearchResult } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { FILTER_OPTIONS, filterFrom } from "./filter-options.ts";
import { openExistingStore } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { explainLines, hitLines } from "./search-lines.ts";
import type { Terminal } from "./terminal.ts";

export const searchCommand: Command = {
  name: "search",
  summary: "Find passages by their words, best first",
  usage: "<query…> [options]",
  description: `Prints for each hit: title and headings; where the passage stands (path:lines,
which lodestore show takes); the part of it that matches. A hit holds at least
one of the words; those with more and rarer ones come first.

In the query "a phrase" finds words in this order, begin* words that begin so,
and -not or -"not this" leaves passages out. Put such a query in single quotes,
for the shell takes double quotes and stars away: '"blue glaze" kiln -raku'
A query that begins with a minus goes after "--".

Exits with 1 when nothing is found, like grep.`,
  options: [
    { name: "k", short: "k", value: "<n>", help: "Hits to print, 1 to 1000. Default: 10" },
    ...FILTER_OPTIONS,
    {
      name: "stemming",
      value: "<how>",
      help: "Other forms of English words: rank (raise the\nrank; default), match (flow finds flowing), off",
    },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
    { name: "explain", help: "Say how the answer was made" },
  ],
  examples: [
    ["lodestore search getting started", "Passages about getting started"],
    ['lodestore search kiln --path "guides/**" --lang en -k 3', "The three best, in English, in one folder"],
    ["lodestore search 'glaze -raku'", "With glaze and without raku"],
    ["lodestore search kiln --json | jq '.hits[].citation'", "For programs"],
  ],
  run: runSearch,
};

async function runSearch(args: Arguments, terminal: Terminal): Promise<number> {
  const text = args.positionals.join(" ");
  if (text.trim() === "")
    throw usageError(args.command, "no query is given", "Example: lodestore search getting started");
  const filters = filterFrom(args);
  const k = args.integer("k", 1, 1000);
  const stemming = args.oneOf("stemming", ["rank", "match", "off"]);
  const cursor = args.text("cursor");
  const query: SearchQuery = {
    text,
    ...(k === undefined ? {} : { k }),
    ...(filters === undefined ? {} : { filters }),
    ...(stemming === undefined ? {} : { stemming }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(args.has("explain") ? { explain: true } : {}),
  };
  const result = await ask(args, terminal, query);
  if (terminal.json) terminal.printJson(result);
  else print(result, text, terminal);
  return result.hits.length === 0 ? EXIT.wrong : EXIT.ok;
}

async function ask(args: Arguments, terminal: Terminal, query: SearchQuery): Promise<SearchResult> {
  await using store = await openExistingStore(args, terminal);
  return await store.search(query);
}

function print({ hits, nextCursor, explain }: SearchResult, text: string, terminal: Terminal): void {
  const scores = explain !== undefined;
  for (const [index, hit] of hits.entries()) terminal.print(...hitLines(hit, index + 1, scores, terminal), "");
  if (explain !== undefined) terminal.print(...explainLines(explain));
  if (hits.length === 0) terminal.note(`Nothing found for: ${text}`);
  if (nextCursor !== undefined) terminal.note(`There is more: the same command with --cursor ${nextCursor}`);
}
