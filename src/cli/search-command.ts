import type { EmbeddingStatus, SearchQuery, SearchResult, Store } from "../node.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command-error.ts";
import { embedderFor } from "./embedder-option.ts";
import { EXIT } from "./exit-code.ts";
import { FILTER_OPTIONS, filterFrom } from "./filter-options.ts";
import { counted, formatCount } from "./format.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import { printable } from "./printable.ts";
import { explainLines, hitLines } from "./search-lines.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

export const searchCommand: Command = {
  name: "search",
  summary: "Find passages by words, by meaning or both, best first",
  usage: "<query…> [options]",
  description: `Prints for each hit: title and headings; where the passage stands (path:lines,
which lodestore show takes); the part of it that matches. A hit holds at least
one of the words; those with more and rarer ones come first.

In the query "a phrase" finds words in this order, begin* words that begin so,
and -not or -"not this" leaves passages out. Put such a query in single quotes,
for the shell takes double quotes and stars away: '"blue glaze" kiln -raku'
A query that begins with a minus goes after "--".

With --mode vector the passages come first whose embeddings are nearest to that
of the query; hybrid fuses both lists. Both need embeddings (lodestore embed) of
the same model. Where the model does not answer, hybrid stands on words alone
and says so.

Exits with 1 when nothing is found, like grep.`,
  options: [
    { name: "k", short: "k", value: "<n>", help: "Hits to print, 1 to 1000. Default: 10" },
    { name: "mode", value: "<mode>", help: "lexical (by words; default), vector, hybrid" },
    {
      name: "collapse",
      help: "Leave out hits whose text mostly stands in a better\nhit of the same document; with vector and hybrid",
    },
    ...FILTER_OPTIONS,
    {
      name: "stemming",
      value: "<how>",
      help: "Other forms of English words: rank (raise the\nrank; default), match (flow finds flowing), off",
    },
    { name: "cursor", value: "<text>", help: "Go on where the page before ended" },
    { name: "explain", help: "Say how the answer was made, with rank and score of\neach hit in each list" },
  ],
  examples: [
    ["lodestore search getting started", "Passages about getting started"],
    ['lodestore search kiln --path "guides/**" --lang en -k 3', "The three best, in English, in one folder"],
    ["lodestore search 'glaze -raku'", "With glaze and without raku"],
    ["lodestore search how hot must it be --mode hybrid", "By words and meaning"],
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
  const mode = args.oneOf("mode", ["lexical", "vector", "hybrid"]);
  const collapse = args.has("collapse");
  if (collapse && (mode === undefined || mode === "lexical"))
    throw usageError(args.command, "--collapse goes with --mode vector or hybrid");
  const stemming = args.oneOf("stemming", ["rank", "match", "off"]);
  const cursor = args.text("cursor");
  const query: SearchQuery = {
    text,
    ...(k === undefined ? {} : { k }),
    ...(mode === undefined ? {} : { mode }),
    ...(collapse ? { collapse } : {}),
    ...(filters === undefined ? {} : { filters }),
    ...(stemming === undefined ? {} : { stemming }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(args.has("explain") ? { explain: true } : {}),
  };
  const { result, unembedded } = await ask(args, terminal, query);
  if (terminal.json) terminal.printJson(result);
  else print(result, text, unembedded, terminal);
  return result.hits.length === 0 ? EXIT.wrong : EXIT.ok;
}

/** An answer, and what it could not see. */
interface Asked {
  result: SearchResult;
  /** What to say of passages without an embedding, where the answer is by embeddings. */
  unembedded: string | undefined;
}

async function ask(args: Arguments, terminal: Terminal, query: SearchQuery): Promise<Asked> {
  const byVectors = query.mode === "vector" || query.mode === "hybrid";
  if (byVectors && (await embedderFor(args, terminal)) === undefined) {
    throw usageError(args.command, `--mode ${query.mode ?? ""} embeds the query, and the embedder is none`);
  }
  return useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    async (store) => ({
      result: await store.search(query),
      unembedded: byVectors && !terminal.json ? await unembeddedIn(store) : undefined,
    }),
  );
}

async function unembeddedIn(store: Store): Promise<string | undefined> {
  const { model, missing, chunks }: EmbeddingStatus = await store.embeddings.status();
  if (model === null || missing === 0) return undefined;
  const name = `${printable(model.modelId)}, version ${printable(model.modelVersion)}`;
  return `${formatCount(missing)} of ${counted(chunks, "passage")} ${chunks === 1 ? "has" : "have"} no embedding of ${name} yet: lodestore embed`;
}

function print(
  { hits, nextCursor, explain, withoutVectors }: SearchResult,
  text: string,
  unembedded: string | undefined,
  terminal: Terminal,
): void {
  const scores = explain !== undefined;
  for (const [index, hit] of hits.entries()) terminal.print(...hitLines(hit, index + 1, scores, terminal), "");
  if (explain !== undefined) terminal.print(...explainLines(explain));
  if (hits.length === 0) terminal.note(`Nothing found for: ${text}`);
  if (withoutVectors !== undefined) {
    const { message, code } = withoutVectors;
    terminal.note(`By words alone, for the query could not be embedded: ${printable(message)} [${code}]`);
  }
  if (unembedded !== undefined) terminal.note(unembedded);
  if (nextCursor !== undefined) terminal.note(`There is more: the same command with --cursor ${nextCursor}`);
}
