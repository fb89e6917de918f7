import { type CheckedFilter, checkDocumentFilter } from "./check-filter.ts";
import type { SearchMode, Stemming } from "./search.ts";
import { type CallSite, requireBoolean, requireInteger, requireObject, requireOneOf, requireText } from "./validate.ts";

/** Longest query, in UTF-16 units. */
export const MAX_QUERY_LENGTH = 4096;
/** Most hits a page. */
export const MAX_K = 1000;

const KEYS = [
  "text",
  "mode",
  "k",
  "filters",
  "cursor",
  "snippetLength",
  "explain",
  "stemming",
  "plainText",
  "prefixLast",
];
const MODES: readonly SearchMode[] = ["lexical", "vector", "hybrid"];
const STEMMINGS: readonly Stemming[] = ["rank", "match", "off"];

/** A query with its defaults filled in. */
export interface CheckedSearchQuery {
  text: string;
  mode: SearchMode;
  k: number;
  filters: CheckedFilter | undefined;
  cursor: string | undefined;
  snippetLength: number;
  explain: boolean;
  stemming: Stemming;
  plainText: boolean;
  prefixLast: boolean;
}

/** Checks a query whole; an unknown field is refused by name.
 *  @throws StorageError INVALID_INPUT */
export function checkSearchQuery(query: unknown): CheckedSearchQuery {
  const site: CallSite = { capability: "search", operation: "search" };
  const given = requireObject(site, "query", query, KEYS);
  const { filters, cursor } = given;
  return {
    // Half of a surrogate pair may be what a person is typing: it holds no word, and harms nothing.
    text: requireText(site, "text", wellFormed(given["text"]), { min: 0, max: MAX_QUERY_LENGTH }),
    mode: requireOneOf(site, "mode", given["mode"] ?? "lexical", MODES),
    k: requireInteger(site, "k", given["k"] ?? 10, 1, MAX_K),
    filters: filters === undefined ? undefined : checkDocumentFilter(site, filters),
    cursor: cursor === undefined ? undefined : requireText(site, "cursor", cursor, { max: 512 }),
    snippetLength: requireInteger(site, "snippetLength", given["snippetLength"] ?? 240, 40, 2000),
    explain: requireBoolean(site, "explain", given["explain"] ?? false),
    stemming: requireOneOf(site, "stemming", given["stemming"] ?? "rank", STEMMINGS),
    plainText: requireBoolean(site, "plainText", given["plainText"] ?? false),
    prefixLast: requireBoolean(site, "prefixLast", given["prefixLast"] ?? false),
  };
}

function wellFormed(text: unknown): unknown {
  return typeof text === "string" ? text.replaceAll(/[\p{Surrogate}\0]/gu, " ") : text;
}
