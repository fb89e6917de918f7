import { StorageError } from "../../errors.ts";

/** Where a page of hits ended. */
export interface SearchCursor {
  /** Fingerprint of the query it belongs to. */
  query: string;
  tier: number;
  score: number;
  key: number;
  /** Hits before it. */
  rank: number;
}

/** Encodes a position as opaque text. */
export function encodeCursor(cursor: SearchCursor): string {
  const values = [cursor.query, cursor.tier, cursor.score, cursor.key, cursor.rank];
  return btoa(JSON.stringify(values)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Decodes a position and checks that it belongs to the query.
 *  @throws StorageError INVALID_INPUT */
export function decodeCursor(text: string, query: string): SearchCursor {
  const values = parse(text);
  const [fingerprint, tier, score, key, rank] = values;
  if (
    values.length !== 5 ||
    typeof fingerprint !== "string" ||
    !isCount(tier) ||
    typeof score !== "number" ||
    !Number.isFinite(score) ||
    !isCount(key) ||
    !isCount(rank)
  ) {
    throw invalid("cursor is not one that a search returned");
  }
  if (fingerprint !== query)
    throw invalid("cursor belongs to another query: text, filters, mode and stemming must stay the same");
  return { query, tier, score, key, rank };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parse(text: string): unknown[] {
  try {
    const values: unknown = JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    return Array.isArray(values) ? (values as unknown[]) : [];
  } catch (cause) {
    throw new StorageError("INVALID_INPUT", "cursor is not one that a search returned", {
      capability: "search",
      operation: "search",
      cause,
    });
  }
}

function invalid(message: string): StorageError {
  return new StorageError("INVALID_INPUT", message, { capability: "search", operation: "search" });
}
