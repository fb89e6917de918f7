import { StorageError } from "../../errors.ts";

/** Where a page of hits by words ended. */
export interface LexicalCursor {
  tier: number;
  score: number;
  key: number;
  /** Hits before it. */
  rank: number;
}

/** Where a page of a fused or vector list ended. */
export interface RankedCursor {
  /** Depth of the lists of the first page. */
  first: number;
  /** Hits before it, those that were left out included. */
  from: number;
  /** Whether vectors take part: what the first page stands on, all pages stand on. */
  vectors: boolean;
}

/** Encodes a position as opaque text.
 *  @param query Fingerprint of the query it belongs to. */
export function encodeLexicalCursor(query: string, { tier, score, key, rank }: LexicalCursor): string {
  return encode([query, tier, score, key, rank]);
}

/** @throws StorageError INVALID_INPUT */
export function decodeLexicalCursor(text: string, query: string): LexicalCursor {
  const [tier, score, key, rank, ...more] = decode(text, query);
  if (!isCount(tier) || !isNumber(score) || !isCount(key) || !isCount(rank) || more.length > 0) throw notOurs();
  return { tier, score, key, rank };
}

/** Encodes a position as opaque text.
 *  @param query Fingerprint of the query it belongs to. */
export function encodeRankedCursor(query: string, { first, from, vectors }: RankedCursor): string {
  return encode([query, first, from, vectors]);
}

/** @param most Greatest depth of a list.
 *  @throws StorageError INVALID_INPUT */
export function decodeRankedCursor(text: string, query: string, most: number): RankedCursor {
  const [first, from, vectors, ...more] = decode(text, query);
  if (!isCount(first) || !isCount(from) || typeof vectors !== "boolean") throw notOurs();
  if (more.length > 0 || first < 1 || first > most) throw notOurs();
  return { first, from, vectors };
}

function encode(values: readonly unknown[]): string {
  return btoa(JSON.stringify(values)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What follows the fingerprint. */
function decode(text: string, query: string): unknown[] {
  const [fingerprint, ...values] = parse(text);
  if (typeof fingerprint !== "string") throw notOurs();
  if (fingerprint !== query)
    throw invalid("cursor belongs to another query: text, filters, mode and stemming must stay the same");
  return values;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parse(text: string): unknown[] {
  try {
    const values: unknown = JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    return Array.isArray(values) ? (values as unknown[]) : [];
  } catch (cause) {
    throw notOurs(cause);
  }
}

function notOurs(cause?: unknown): StorageError {
  return invalid("cursor is not one that a search returned", cause);
}

function invalid(message: string, cause?: unknown): StorageError {
  return new StorageError("INVALID_INPUT", message, {
    capability: "search",
    operation: "search",
    ...(cause === undefined ? {} : { cause }),
  });
}
