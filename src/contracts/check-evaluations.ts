import { checkDocumentFilter } from "./check-filter.ts";
import { MAX_K, MAX_QUERY_LENGTH, checkSearchQuery } from "./check-search.ts";
import type { DocumentFilter } from "./documents.ts";
import type {
  EvalCompareOptions,
  EvalMetric,
  EvalQuery,
  EvalRunFilter,
  EvalRunOptions,
  EvalRunStatus,
  EvalSearchOptions,
  JudgedBy,
  NewEvalQuery,
  NewEvalSuite,
} from "./evaluations.ts";
import type { SearchMode, SearchQuery } from "./search.ts";
import {
  type CallSite,
  invalidInput,
  isPlainObject,
  named,
  refusal,
  requireInteger,
  requireList,
  requireObject,
  requireOneOf,
  requireSignal,
  requireText,
} from "./validate.ts";

/** Most queries of a suite, */
export const MAX_SUITE_QUERIES = 10_000;
/** judgements of a query, */
export const MAX_JUDGEMENTS = 10_000;
/** and characters of a suite as JSON. */
export const MAX_SUITE_LENGTH: number = 16 * 1024 * 1024;
/** Longest name of a suite or label of a run, in UTF-16 units. */
export const MAX_EVAL_NAME_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 4096;
/** Longest path or id. */
const MAX_KEY_LENGTH = 1024;
const MAX_GRADE = 1000;
const DEFAULT_K = 10;
const DEFAULT_DEPTH = 100;
const MAX_SEED = 2 ** 32 - 1;

const JUDGED: readonly JudgedBy[] = ["path", "document", "chunk"];
const STATUSES: readonly EvalRunStatus[] = ["running", "completed", "cancelled", "failed", "interrupted"];
export const EVAL_METRICS: readonly EvalMetric[] = [
  "ndcg",
  "recall",
  "precision",
  "reciprocalRank",
  "averagePrecision",
];
const SUITE_KEYS: readonly (keyof NewEvalSuite)[] = ["name", "description", "judged", "queries"];
const QUERY_KEYS: readonly (keyof NewEvalQuery)[] = ["id", "text", "judgements", "expected", "filters"];
const RUN_KEYS: readonly (keyof EvalRunOptions)[] = [
  "k",
  "depth",
  "search",
  "vectors",
  "label",
  "signal",
  "onProgress",
];
const SEARCH_KEYS: readonly (keyof EvalSearchOptions)[] = [
  "mode",
  "modelId",
  "weights",
  "collapse",
  "ef",
  "stemming",
  "plainText",
];
const FILTER_KEYS: readonly (keyof EvalRunFilter)[] = ["suite", "status"];
const COMPARE_KEYS: readonly (keyof EvalCompareOptions)[] = ["metric", "seed", "signal"];

/** A suite that was looked at whole; what was expected has become judgements. */
export interface CheckedSuite {
  name: string;
  description: string | null;
  judged: JudgedBy;
  queries: EvalQuery[];
}

/** Checks a suite as callers hand it in. */
export function checkNewSuite(site: CallSite, value: unknown): CheckedSuite {
  const { name, description, judged, queries } = requireObject(site, "suite", value, SUITE_KEYS);
  const inner: CallSite = { ...site, within: "suite" };
  const suite: CheckedSuite = {
    name: requireEvalName(inner, "name", name),
    description:
      description === undefined || description === null
        ? null
        : requireText(inner, "description", description, { max: MAX_DESCRIPTION_LENGTH }),
    judged: requireOneOf(inner, "judged", judged ?? "path", JUDGED),
    queries: requireList(inner, "queries", queries, 1, MAX_SUITE_QUERIES).map((query, index) =>
      checkQuery({ ...site, within: `suite.queries[${index}]` }, query),
    ),
  };
  const ids = new Set<string>();
  for (const [index, { id }] of suite.queries.entries()) {
    if (ids.has(id))
      throw invalidInput(inner, `queries[${index}].id`, id, "an id that no other query of the suite has");
    ids.add(id);
  }
  const { length } = JSON.stringify(suite.queries);
  if (length > MAX_SUITE_LENGTH) {
    throw refusal(site, `suite has ${length} characters as JSON; it takes at most ${MAX_SUITE_LENGTH}`);
  }
  return suite;
}

/** Returns the value as the name of a suite or the label of a run. */
export function requireEvalName(site: CallSite, field: string, value: unknown): string {
  return requireText(site, field, value, { max: MAX_EVAL_NAME_LENGTH });
}

function checkQuery(site: CallSite, value: unknown): EvalQuery {
  const { id, text, judgements, expected, filters } = requireObject(site, "", value, QUERY_KEYS);
  if ((judgements === undefined) === (expected === undefined)) {
    throw refusal(site, `${named(site, "")} takes either judgements or expected`);
  }
  if (filters !== undefined) checkDocumentFilter(site, filters, "filters");
  return {
    id: requireText(site, "id", id, { max: 256 }),
    text: requireText(site, "text", text, { min: 0, max: MAX_QUERY_LENGTH }),
    judgements: judgements === undefined ? checkExpected(site, expected) : checkJudgements(site, judgements),
    ...(filters === undefined ? {} : { filters: filters as DocumentFilter }),
  };
}

/** What is expected, as judgements. */
function checkExpected(site: CallSite, value: unknown): Record<string, number> {
  const list = requireList(site, "expected", value, 0, MAX_JUDGEMENTS);
  return gradesOf(
    list.map((key, index) => [requireText(site, `expected[${index}]`, key, { max: MAX_KEY_LENGTH }), 1] as const),
  );
}

function checkJudgements(site: CallSite, value: unknown): Record<string, number> {
  if (!isPlainObject(value)) throw invalidInput(site, "judgements", value, "an object of grades by path or id");
  const entries = Object.entries(value);
  if (entries.length > MAX_JUDGEMENTS) {
    throw refusal(site, `${named(site, "judgements")} has ${entries.length}; it takes at most ${MAX_JUDGEMENTS}`);
  }
  return gradesOf(
    entries.map(([key, grade]) => {
      requireText(site, "judgements", key, { max: MAX_KEY_LENGTH });
      return [key, requireInteger(site, `judgements["${key}"]`, grade, -MAX_GRADE, MAX_GRADE)] as const;
    }),
  );
}

/** The same for the same grades, in whatever order they came. */
function gradesOf(entries: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Options of a run with their defaults filled in. */
export interface CheckedRunOptions {
  k: number;
  depth: number;
  search: EvalSearchOptions & { mode: SearchMode; plainText: boolean };
  vectors: ReadonlyMap<string, Float32Array> | undefined;
  label: string | null;
  signal: AbortSignal | undefined;
  onProgress: EvalRunOptions["onProgress"];
}

/** Checks how a suite is to be run. */
export function checkRunOptions(site: CallSite, value: unknown): CheckedRunOptions {
  const given = requireObject(site, "options", value ?? {}, RUN_KEYS);
  const inner: CallSite = { ...site, within: "options" };
  const { search, vectors, label, onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalidInput(inner, "onProgress", onProgress, "a function");
  }
  const k = requireInteger(inner, "k", given["k"] ?? DEFAULT_K, 1, MAX_K);
  return {
    k,
    depth: requireInteger(inner, "depth", given["depth"] ?? Math.max(k, DEFAULT_DEPTH), k, MAX_K),
    search: checkSearch(inner, search),
    vectors: vectors === undefined ? undefined : checkVectors(inner, vectors),
    label: label === undefined || label === null ? null : requireEvalName(inner, "label", label),
    signal: requireSignal(site, given),
    onProgress: onProgress as EvalRunOptions["onProgress"],
  };
}

/** What the search itself refuses is refused here, before anything is written. */
function checkSearch(site: CallSite, value: unknown): CheckedRunOptions["search"] {
  const search = requireObject(site, "search", value ?? {}, SEARCH_KEYS);
  const { mode, plainText } = checkSearchQuery({ plainText: true, ...search, text: "x" });
  const given = Object.fromEntries(Object.entries(search).filter(([, one]) => one !== undefined));
  return { ...(given as Pick<SearchQuery, keyof EvalSearchOptions>), mode, plainText };
}

function checkVectors(site: CallSite, value: unknown): ReadonlyMap<string, Float32Array> {
  if (!isPlainObject(value)) throw invalidInput(site, "vectors", value, "an object of vectors by query id");
  const entries = Object.entries(value);
  if (entries.length > MAX_SUITE_QUERIES) throw invalidInput(site, "vectors", value, `at most ${MAX_SUITE_QUERIES}`);
  return new Map(
    entries.map(([id, vector]) => {
      if (!(vector instanceof Float32Array)) throw invalidInput(site, `vectors["${id}"]`, vector, "a Float32Array");
      checkSearchQuery({ vector });
      return [id, vector];
    }),
  );
}

/** Checks which runs are asked for. */
export function checkRunFilter(site: CallSite, value: unknown): { suite: string | null; status: EvalRunStatus | null } {
  const { suite, status } = requireObject(site, "filter", value ?? {}, FILTER_KEYS);
  const inner: CallSite = { ...site, within: "filter" };
  return {
    suite: suite === undefined ? null : requireEvalName(inner, "suite", suite),
    status: status === undefined ? null : requireOneOf(inner, "status", status, STATUSES),
  };
}

/** Options of a comparison with their defaults filled in. */
export interface CheckedCompareOptions {
  metric: EvalMetric;
  seed: number;
  signal: AbortSignal | undefined;
}

/** Checks how runs are to be compared. */
export function checkCompareOptions(site: CallSite, value: unknown): CheckedCompareOptions {
  const given = requireObject(site, "options", value ?? {}, COMPARE_KEYS);
  const inner: CallSite = { ...site, within: "options" };
  return {
    metric: requireOneOf(inner, "metric", given["metric"] ?? "ndcg", EVAL_METRICS),
    seed: requireInteger(inner, "seed", given["seed"] ?? 1, 0, MAX_SEED),
    signal: requireSignal(site, given),
  };
}
