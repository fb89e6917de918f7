import type { AnswerFilter, AnswerOutcome, NewAnswer, PackedChunk } from "./answers.ts";
import { checkCitation, type CheckedCitation, MAX_CITATIONS, MAX_MODEL_LENGTH, requireTurnText } from "./check-chat.ts";
import { MAX_METADATA_BYTES } from "./check-documents.ts";
import { requireJsonObject } from "./check-json.ts";
import { MAX_QUERY_LENGTH } from "./check-search.ts";
import { requireMillis } from "./check-time.ts";
import type { SearchMode } from "./search.ts";
import {
  type CallSite,
  invalidInput,
  refusal,
  requireInteger,
  requireList,
  requireLookupId,
  requireNumber,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";

/** Most chunks that are put before a model. */
export const MAX_PACKED_CHUNKS = 1000;
/** Most tokens of a chunk, */
const MAX_CHUNK_TOKENS = 10_000_000;
/** and of a prompt or an answer. */
const MAX_TOKENS = 1_000_000_000;
const MAX_LATENCY_MS = 1e9;
const MAX_REASON_LENGTH = 4096;

const OUTCOMES: readonly AnswerOutcome[] = ["grounded", "ungrounded", "refused"];
const MODES: readonly SearchMode[] = ["lexical", "vector", "hybrid"];
const ANSWER_KEYS: readonly (keyof NewAnswer)[] = [
  "query",
  "mode",
  "text",
  "outcome",
  "refusalReason",
  "citations",
  "packedChunks",
  "model",
  "usage",
  "latencyMs",
  "metadata",
  "sessionId",
  "turnId",
];
const PACKED_KEYS: readonly (keyof PackedChunk)[] = ["chunkId", "documentId", "number", "rank", "score", "tokens"];
const FILTER_KEYS: readonly (keyof AnswerFilter)[] = ["createdAfter", "createdBefore", "outcome", "model", "sessionId"];

/** An answer that was looked at whole: metadata as JSON text. */
export interface CheckedAnswer {
  query: string;
  mode: SearchMode;
  text: string;
  outcome: AnswerOutcome;
  refusalReason: string | null;
  citations: CheckedCitation[];
  packedChunks: PackedChunk[];
  model: string | null;
  promptTokens: number | null;
  completionTokens: number | null;
  latencyMs: number | null;
  metadata: string;
  sessionId: string | null;
  turnId: string | null;
}

/** Checks an answer as callers hand it in. */
export function checkNewAnswer(site: CallSite, value: unknown): CheckedAnswer {
  const given = requireObject(site, "answer", value, ANSWER_KEYS);
  const inner: CallSite = { ...site, within: "answer" };
  const citations = requireList(inner, "citations", given["citations"] ?? [], 0, MAX_CITATIONS).map((one, index) =>
    checkCitation({ ...site, within: `answer.citations[${index}]` }, one),
  );
  const { query, mode, text, model, latencyMs, metadata, sessionId, turnId } = given;
  return {
    query: requireText(inner, "query", query, { max: MAX_QUERY_LENGTH }),
    mode: requireOneOf(inner, "mode", mode, MODES),
    text: requireTurnText(inner, text),
    ...checkOutcome(inner, given, citations.length),
    citations,
    packedChunks: checkPacked(inner, given["packedChunks"] ?? []),
    model: orNull(model, (one) => requireText(inner, "model", one, { max: MAX_MODEL_LENGTH })),
    ...checkUsage(inner, given["usage"]),
    latencyMs: orNull(latencyMs, (one) => requireNumber(inner, "latencyMs", one, 0, MAX_LATENCY_MS)),
    metadata: metadata === undefined ? "{}" : requireJsonObject(inner, "metadata", metadata, MAX_METADATA_BYTES),
    sessionId: orNull(sessionId, (one) => requireLookupId(inner, "sessionId", one)),
    turnId: orNull(turnId, (one) => requireLookupId(inner, "turnId", one)),
  };
}

function orNull<T>(value: unknown, check: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : check(value);
}

function checkOutcome(
  site: CallSite,
  { outcome, refusalReason }: Record<string, unknown>,
  citations: number,
): Pick<CheckedAnswer, "outcome" | "refusalReason"> {
  const checked = requireOneOf(site, "outcome", outcome ?? (citations > 0 ? "grounded" : "ungrounded"), OUTCOMES);
  if (checked === "grounded" && citations === 0) {
    throw refusal(site, "answer.outcome is grounded, and answer.citations is empty: what is grounded cites something");
  }
  const reason = orNull(refusalReason, (one) => requireText(site, "refusalReason", one, { max: MAX_REASON_LENGTH }));
  if (reason !== null && checked !== "refused") {
    throw invalidInput(site, "refusalReason", reason, `no reason where the outcome is ${checked}`);
  }
  return { outcome: checked, refusalReason: reason };
}

function checkPacked(site: CallSite, value: unknown): PackedChunk[] {
  const packed = requireList(site, "packedChunks", value, 0, MAX_PACKED_CHUNKS).map((one, index) =>
    checkPackedChunk({ ...site, within: `answer.packedChunks[${index}]` }, one),
  );
  for (const field of ["chunkId", "number"] as const) {
    if (new Set(packed.map((one) => one[field])).size === packed.length) continue;
    throw invalidInput(site, "packedChunks", packed, `each ${field} once`);
  }
  return packed;
}

function checkPackedChunk(site: CallSite, value: unknown): PackedChunk {
  const { chunkId, documentId, number, rank, score, tokens } = requireObject(site, "", value, PACKED_KEYS);
  return {
    chunkId: requireLookupId(site, "chunkId", chunkId),
    documentId: requireLookupId(site, "documentId", documentId),
    number: requireInteger(site, "number", number, 1, Number.MAX_SAFE_INTEGER),
    rank: orNull(rank, (one) => requireInteger(site, "rank", one, 1, Number.MAX_SAFE_INTEGER)),
    score: orNull(score, (one) => requireNumber(site, "score", one, -Number.MAX_VALUE, Number.MAX_VALUE)),
    tokens: requireInteger(site, "tokens", tokens, 0, MAX_CHUNK_TOKENS),
  };
}

function checkUsage(site: CallSite, value: unknown): Pick<CheckedAnswer, "promptTokens" | "completionTokens"> {
  const { promptTokens, completionTokens } = requireObject(site, "usage", value ?? {}, [
    "promptTokens",
    "completionTokens",
  ]);
  const inner: CallSite = { ...site, within: "answer.usage" };
  return {
    promptTokens: orNull(promptTokens, (one) => requireInteger(inner, "promptTokens", one, 0, MAX_TOKENS)),
    completionTokens: orNull(completionTokens, (one) => requireInteger(inner, "completionTokens", one, 0, MAX_TOKENS)),
  };
}

/** A filter with its times as milliseconds since 1970 and its outcomes sorted: equal filters read the same. */
export interface CheckedAnswerFilter {
  createdAfter: number | null;
  createdBefore: number | null;
  outcomes: AnswerOutcome[] | null;
  model: string | null;
  sessionId: string | null;
}

/** Checks which answers are asked for. */
export function checkAnswerFilter(site: CallSite, value: unknown): CheckedAnswerFilter {
  const given = requireObject(site, "filter", value ?? {}, FILTER_KEYS);
  const inner: CallSite = { ...site, within: "filter" };
  const { createdAfter, createdBefore, outcome, model, sessionId } = given;
  return {
    createdAfter: createdAfter === undefined ? null : requireMillis(inner, "createdAfter", createdAfter),
    createdBefore: createdBefore === undefined ? null : requireMillis(inner, "createdBefore", createdBefore),
    outcomes: outcome === undefined ? null : checkOutcomes(inner, outcome),
    model: model === undefined ? null : requireText(inner, "model", model, { max: MAX_MODEL_LENGTH }),
    sessionId: sessionId === undefined ? null : requireLookupId(inner, "sessionId", sessionId),
  };
}

function checkOutcomes(site: CallSite, value: unknown): AnswerOutcome[] {
  const list = Array.isArray(value) ? requireList(site, "outcome", value, 1, OUTCOMES.length) : [value];
  return [...new Set(list.map((one) => requireOneOf(site, "outcome", one, OUTCOMES)))].sort();
}
