import { checkDocumentFilter } from "../contracts/check-filter.ts";
import type { DocumentFilter } from "../contracts/documents.ts";
import type { SqlFunctions, SqlValue } from "../contracts/sql.ts";
import { type CallSite, describe, refusal } from "../contracts/validate.ts";
import { compileGlob, type GlobMatcher, GlobTooWide, literalPrefix } from "./path-glob.ts";

/** A filter as SQL. */
export interface CompiledFilter {
  /** A boolean expression over the alias `d` of `documents`; `1` when there is no condition. */
  sql: string;
  /** Values of its parameters, the first of which is `$<firstParam>`. */
  params: SqlValue[];
}

/** Compiles a document filter into a boolean SQL expression over the alias `d` of `documents`.
 *  Equal filters give equal SQL and parameters, whatever the order of their lists.
 *  @param firstParam Number of the first parameter it may use.
 *  @throws StorageError INVALID_INPUT, naming the field; unknown fields and empty lists are refused */
export function compileDocumentFilter(
  filter: DocumentFilter | undefined,
  firstParam: number,
  site: CallSite = { capability: "documents", operation: "listDocuments" },
): CompiledFilter {
  const checked = checkDocumentFilter(site, filter);
  const params: SqlValue[] = [];
  const bind = (value: SqlValue): string => `$${firstParam + params.push(value) - 1}`;
  const conditions: string[] = [];
  if (checked.docId !== undefined) conditions.push(oneOf("d.document_id", checked.docId, bind));
  if (checked.tagsAny !== undefined) {
    const tag = oneOf("t.tag", checked.tagsAny, bind);
    conditions.push(`d.document_key IN (SELECT t.document_key FROM document_tags t WHERE ${tag})`);
  }
  if (checked.lang !== undefined) {
    conditions.push(
      anyMatches(checked.lang, bind, (lang) => `(d.lang = ${lang} OR ${startsWith("d.lang", `${lang} || '-'`)})`),
    );
  }
  if (checked.pathGlob !== undefined) conditions.push(pathCondition(checked.pathGlob, bind, site));
  if (checked.trustMin !== undefined) conditions.push(`d.trust >= ${bind(checked.trustMin)}`);
  if (checked.media !== undefined) conditions.push(mediaCondition(checked.media, bind));
  if (checked.ingestedAfter !== undefined) conditions.push(`d.ingested_at > ${bind(checked.ingestedAfter)}`);
  if (checked.sourceType !== undefined) conditions.push(oneOf("d.source_type", checked.sourceType, bind));
  return { sql: conditions.length === 0 ? "1" : `(${conditions.join(" AND ")})`, params };
}

type Bind = (value: SqlValue) => string;

/** One parameter however long the list: SQL text stays the same, and no engine limit is met. */
function oneOf(column: string, values: readonly string[], bind: Bind): string {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return `${column} = ${bind(only)}`;
  return `${column} IN (SELECT value FROM json_each(${bind(JSON.stringify(values))}))`;
}

function anyMatches(values: readonly string[], bind: Bind, condition: (value: string) => string): string {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return condition(bind(only));
  return `EXISTS (SELECT 1 FROM json_each(${bind(JSON.stringify(values))}) j WHERE ${condition("j.value")})`;
}

function startsWith(column: string, prefix: string): string {
  return `substr(${column}, 1, length(${prefix})) = ${prefix}`;
}

function mediaCondition(media: readonly string[], bind: Bind): string {
  const ranges = media.filter((one) => one.endsWith("/*")).map((one) => one.slice(0, -1));
  const exact = media.filter((one) => !one.endsWith("/*"));
  const parts: string[] = [];
  if (exact.length > 0) parts.push(oneOf("d.media_type", exact, bind));
  if (ranges.length > 0) parts.push(anyMatches(ranges, bind, (range) => startsWith("d.media_type", range)));
  return `(${parts.join(" OR ")})`;
}

/** The glob itself, and before it the range of paths that share its literal beginning, which the index can answer. */
function pathCondition(globs: readonly string[], bind: Bind, site: CallSite): string {
  for (const glob of globs) compileChecked(glob, site);
  const prefixes = globs.map(literalPrefix);
  const [first] = prefixes;
  if (globs.length === 1 && first !== undefined && first.whole) return `d.workspace_path = ${bind(first.prefix)}`;
  const conditions: string[] = [];
  const prefix = commonPrefix(prefixes.map((one) => one.prefix));
  if (prefix !== "") {
    conditions.push(`d.workspace_path >= ${bind(prefix)}`);
    const end = successor(prefix);
    if (end !== undefined) conditions.push(`d.workspace_path < ${bind(end)}`);
  }
  conditions.push(anyMatches(globs, bind, (glob) => `lodestore_glob(${glob}, d.workspace_path)`));
  return conditions.join(" AND ");
}

function compileChecked(glob: string, site: CallSite): void {
  try {
    compileCached(glob);
  } catch (error) {
    if (!(error instanceof GlobTooWide)) throw error;
    throw refusal(site, `filter.pathGlob got ${describe(glob)}: ${error.message}`);
  }
}

/** Longest common beginning, in whole characters. */
function commonPrefix(texts: readonly string[]): string {
  const [first = "", ...others] = texts;
  let prefix = "";
  for (const character of first) {
    const longer = prefix + character;
    if (!others.every((other) => other.startsWith(longer))) break;
    prefix = longer;
  }
  return prefix;
}

/** Smallest text, by code point, that is greater than every text beginning with `prefix`. */
function successor(prefix: string): string | undefined {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) ?? 0;
    if (code === 0x10ffff) continue;
    return characters.join("") + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

/** Compiled globs, most recent last; a listing asks for the same few once per row. */
const compiled = new Map<string, GlobMatcher>();
const MAX_COMPILED = 1000;

function compileCached(glob: string): GlobMatcher {
  const known = compiled.get(glob);
  if (known !== undefined) return known;
  const matcher = compileGlob(glob);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(glob, matcher);
  return matcher;
}

/** The SQL functions that compiled filters call: `lodestore_glob(pattern, path)` is 1 or 0. */
export const filterFunctions: SqlFunctions = {
  lodestore_glob: (pattern, path) =>
    typeof pattern === "string" && typeof path === "string" && compileCached(pattern)(path) ? 1 : 0,
};
