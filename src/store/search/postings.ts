import type { SqlDatabase } from "../../contracts/sql.ts";
import type { ChunkLengths } from "./chunk-lengths.ts";
import { COLUMN_WEIGHTS, type Columns, readWords, type WordExpression, wordExpression } from "./expressions.ts";
import type { Occurrences } from "./occurrences.ts";
import { TextSegments } from "./segments/text-segments.ts";

/** Constants of BM25 as FTS5 has them. */
const K1 = 1.2;
const B = 0.75;
/** Inverse document frequency of what stands in more than half of the chunks. */
const LEAST_IDF = 1e-6;

/** Room for the lists of about a thousand words that stand in 3,000 chunks each. */
const MOST_BYTES = 48 * 1024 * 1024;

/** What a list takes beside its numbers. */
const LIST_BYTES = 512;

/** Chunks for which an expression holds. */
export interface Posting {
  /** Their places in the chunk lengths, ascending. */
  places: Uint32Array;
  /** What the expression adds to the BM25 score of each; more is better. */
  scores: Float64Array;
}

/** One state of the text index, for scoring. */
export interface IndexState {
  lengths: ChunkLengths;
  /** Chunks that are there. */
  chunks: number;
  /** Mean of their tokens. */
  meanLength: number;
}

/**
 * What expressions add to the scores of chunks, read from the text index once and remembered while that stays as it is. BM25 adds up
 * over the phrases of a query, so the lists of its words are all that it needs, and words come again: while somebody types, and from
 * query to query.
 */
export class Postings {
  readonly #db: SqlDatabase;
  readonly #state: IndexState;
  /** The least recently used stands first. */
  readonly #lists = new Map<string, Promise<Posting>>();
  readonly #bytes = new Map<string, number>();
  readonly #mostBytes: number;
  readonly #segments: TextSegments;
  #total = 0;

  /** @param mostBytes Bytes of lists that are remembered. */
  constructor(db: SqlDatabase, state: IndexState, mostBytes: number = MOST_BYTES) {
    this.#db = db;
    this.#state = state;
    this.#mostBytes = mostBytes;
    this.#segments = new TextSegments(db, state.lengths);
  }

  /** Returns the chunks for which an FTS5 expression holds, with their scores. */
  async of(expression: string): Promise<Posting> {
    const known = this.#lists.get(expression);
    if (known !== undefined) {
      this.#lists.delete(expression);
      this.#lists.set(expression, known);
      return known;
    }
    const list = this.#read(expression);
    this.#lists.set(expression, list);
    try {
      this.#remember(expression, await list);
    } catch (error) {
      this.#lists.delete(expression);
      throw error;
    }
    return list;
  }

  async #read(expression: string): Promise<Posting> {
    const words = readWords(expression);
    if (words === undefined) return this.#scoredByFts(expression);
    const lists: Posting[] = [];
    for (const word of words) {
      const found = await this.#segments.occurrences(word.word, word.prefix, columnsToRead(word));
      if (found === undefined) return this.#scoredByFts(expression);
      if (found.filed) lists.push(this.#scoredAs(word, found));
    }
    // Words that unicode61 files otherwise than they are written here stand nowhere.
    if (lists.length === 0) return this.#scoredByFts(expression);
    return lists.length === 1 ? (lists[0] as Posting) : merged(lists, this.#state.lengths.size);
  }

  #scoredAs({ word, prefix, columns }: WordExpression, found: Occurrences): Posting {
    if (!prefix && columns !== "heading") {
      // A word often ranks by its forms, too, and must stand as it was written: both were read.
      const other = columns === "all" ? "exact" : "all";
      const otherExpression = wordExpression(word, other);
      if (!this.#lists.has(otherExpression)) {
        const list = this.#scored(found, other);
        this.#lists.set(otherExpression, Promise.resolve(list));
        this.#remember(otherExpression, list);
      }
    }
    return this.#scored(found, columns);
  }

  #scored(found: Occurrences, columns: Columns): Posting {
    const { places, frequencies } = weighted(found, columns);
    const { lengths, chunks, meanLength } = this.#state;
    const idf = inverseFrequency(places.length, chunks);
    const scores = new Float64Array(places.length);
    for (let at = 0; at < places.length; at++) {
      const frequency = frequencies[at] as number;
      const length = lengths.lengthAt(places[at] as number);
      scores[at] = idf * ((frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * length) / meanLength)));
    }
    return { places, scores };
  }

  /** Phrases, words that are not filed as they are written, and what the segments do not tell: FTS5 knows where they stand. */
  async #scoredByFts(expression: string): Promise<Posting> {
    const { heading, text, forms } = COLUMN_WEIGHTS;
    const row = await this.#db.get<{ keys: string; scores: string }>(
      `SELECT json_group_array(key) AS keys, json_group_array(score) AS scores FROM (
         SELECT rowid AS key, -bm25(chunks_fts, ${heading}.0, ${text}.0, ${forms}.0) AS score
         FROM chunks_fts WHERE chunks_fts MATCH $1 ORDER BY rowid)`,
      [expression],
    );
    const keys = JSON.parse(row?.keys ?? "[]") as number[];
    const found = JSON.parse(row?.scores ?? "[]") as number[];
    const { lengths } = this.#state;
    const places = new Uint32Array(keys.length);
    const scores = new Float64Array(keys.length);
    let count = 0;
    let place = 0;
    for (const [at, key] of keys.entries()) {
      place = lengths.placeFrom(place, key);
      // One that came after the lengths were read has no place.
      if (place === lengths.size || lengths.keyAt(place) !== key) continue;
      places[count] = place;
      scores[count++] = found[at] as number;
    }
    return { places: places.slice(0, count), scores: scores.slice(0, count) };
  }

  #remember(expression: string, { places, scores }: Posting): void {
    if (!this.#lists.has(expression)) return;
    const bytes = places.byteLength + scores.byteLength + 2 * expression.length + LIST_BYTES;
    this.#bytes.set(expression, bytes);
    this.#total += bytes;
    for (const oldest of this.#lists.keys()) {
      if (this.#total <= this.#mostBytes || oldest === expression) return;
      const size = this.#bytes.get(oldest);
      // It is still being read.
      if (size === undefined) continue;
      this.#total -= size;
      this.#lists.delete(oldest);
      this.#bytes.delete(oldest);
    }
  }
}

/** Columns stand in the order heading, text, forms. A word is read whole: it often ranks by all of them, too. */
function columnsToRead({ columns, prefix }: WordExpression): number {
  if (columns === "heading") return 1;
  return columns === "exact" && prefix ? 2 : 3;
}

/** As FTS5 computes it. */
function inverseFrequency(rows: number, chunks: number): number {
  const idf = Math.log((chunks - rows + 0.5) / (rows + 0.5));
  return idf > 0 ? idf : LEAST_IDF;
}

/** Returns the chunks that hold a word in these columns, and how often, each time with the weight of its column. */
function weighted(
  { places, heading, text, forms }: Occurrences,
  columns: Columns,
): { places: Uint32Array; frequencies: Float64Array } {
  const chosen = new Uint32Array(places.length);
  const frequencies = new Float64Array(places.length);
  let size = 0;
  for (let at = 0; at < places.length; at++) {
    let frequency = COLUMN_WEIGHTS.heading * (heading[at] as number);
    if (columns !== "heading") frequency += COLUMN_WEIGHTS.text * (text[at] as number);
    if (columns === "all") frequency += COLUMN_WEIGHTS.forms * (forms[at] as number);
    if (frequency === 0) continue;
    chosen[size] = places[at] as number;
    frequencies[size++] = frequency;
  }
  return { places: chosen.slice(0, size), frequencies };
}

/** Adds lists up, place by place. */
function merged(lists: readonly Posting[], size: number): Posting {
  const sums = new Float64Array(size);
  let count = 0;
  for (const { places, scores } of lists) {
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number;
      if (sums[place] === 0) count++;
      sums[place]! += scores[at] as number;
    }
  }
  const [places, scores] = [new Uint32Array(count), new Float64Array(count)];
  for (let place = 0, at = 0; at < count; place++) {
    if (sums[place] === 0) continue;
    places[at] = place;
    scores[at++] = sums[place] as number;
  }
  return { places, scores };
}
