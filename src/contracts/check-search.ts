import { type CheckedFilter, checkDocumentFilter } from "./check-filter.ts";
import type { SearchMode, Stemming } from "./search.ts";
import { MAX_DIMENSIONS, MAX_VECTOR_EF, requireModelId } from "./check-vectors.ts";
import {
  type CallSite,
  invalidInput,
  requireBoolean,
  requireInteger,
  requireNumber,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";

/** Longest query, in UTF-16 units. */
export const MAX_QUERY_LENGTH = 4096;
/** Most hits a page. */
export const MAX_K = 1000;

const KEYS = [
  "text",
  "mode",
  "vector",
  "modelId",
  "weights",
  "collapse",
  "ef",
  "k",
  "filters",
  "cursor",
  "snippetLength",
  "explain",
  "fresh",
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
  vector: Float32Array | undefined;
  modelId: string | undefined;
  weights: { lexical: number | undefined; vector: number | undefined };
  collapse: boolean;
  ef: number | undefined;
  k: number;
  filters: CheckedFilter | undefined;
  cursor: string | undefined;
  snippetLength: number;
  explain: boolean;
  fresh: boolean;
  stemming: Stemming;
  plainText: boolean;
  prefixLast: boolean;
}

/** Checks a query whole; an unknown field is refused by name.
 *  @throws StorageError INVALID_INPUT */
export function checkSearchQuery(query: unknown): CheckedSearchQuery {
  const site: CallSite = { capability: "search", operation: "search" };
  const given = requireObject(site, "query", query, KEYS);
  const { filters, cursor, vector, modelId, ef } = given;
  return {
    // Half of a surrogate pair may be what a person is typing: it holds no word, and harms nothing.
    text: requireText(site, "text", wellFormed(given["text"] ?? (vector === undefined ? undefined : "")), {
      min: 0,
      max: MAX_QUERY_LENGTH,
    }),
    mode: requireOneOf(site, "mode", given["mode"] ?? "lexical", MODES),
    vector: vector === undefined ? undefined : requireQueryVector(site, vector),
    modelId: modelId === undefined ? undefined : requireModelId(site, "modelId", modelId),
    weights: checkWeights(site, given["weights"]),
    collapse: requireBoolean(site, "collapse", given["collapse"] ?? false),
    ef: ef === undefined ? undefined : requireInteger(site, "ef", ef, 10, MAX_VECTOR_EF),
    k: requireInteger(site, "k", given["k"] ?? 10, 1, MAX_K),
    filters: filters === undefined ? undefined : checkDocumentFilter(site, filters, "filters"),
    cursor: cursor === undefined ? undefined : requireText(site, "cursor", cursor, { max: 512 }),
    snippetLength: requireInteger(site, "snippetLength", given["snippetLength"] ?? 240, 40, 2000),
    explain: requireBoolean(site, "explain", given["explain"] ?? false),
    fresh: requireBoolean(site, "fresh", given["fresh"] ?? false),
    stemming: requireOneOf(site, "stemming", given["stemming"] ?? "rank", STEMMINGS),
    plainText: requireBoolean(site, "plainText", given["plainText"] ?? false),
    prefixLast: requireBoolean(site, "prefixLast", given["prefixLast"] ?? false),
  };
}

/** Its length is checked against the table's when that is known. */
function requireQueryVector(site: CallSite, value: unknown): Float32Array {
  if (!(value instanceof Float32Array)) throw invalidInput(site, "vector", value, "a Float32Array");
  if (value.length === 0 || value.length > MAX_DIMENSIONS) {
    throw invalidInput(site, "vector.length", value.length, `1 to ${MAX_DIMENSIONS}`);
  }
  const at = value.findIndex((one) => !Number.isFinite(one));
  if (at >= 0) throw invalidInput(site, `vector[${at}]`, value[at], "a finite number");
  return value;
}

function checkWeights(site: CallSite, value: unknown): CheckedSearchQuery["weights"] {
  if (value === undefined) return { lexical: undefined, vector: undefined };
  const given = requireObject(site, "weights", value, ["lexical", "vector"]);
  const weight = (field: "lexical" | "vector"): number | undefined =>
    given[field] === undefined ? undefined : requireNumber(site, `weights.${field}`, given[field], 0, 10);
  return { lexical: weight("lexical"), vector: weight("vector") };
}

/** Half of a surrogate pair, and U+0000, become spaces. */
export function wellFormed(text: unknown): unknown {
  return typeof text === "string" ? text.replaceAll(/[\p{Surrogate}\0]/gu, " ") : text;
}
