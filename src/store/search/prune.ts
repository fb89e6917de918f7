import { allOf, anyOf, type Term } from "./query.ts";
import type { CorpusStatistics } from "./statistics.ts";

/** A part of the rows that match a query. */
export interface RowSet {
  /** Expression that they match. */
  rows: string;
  /** No other row scores more than this, by BM25 as a positive number. */
  most: number;
}

/** A term of a query in this corpus. */
interface CountedTerm {
  ranking: string;
  /** Rows that hold it. */
  rows: number;
  /** What it can add to a score at most. */
  most: number;
  /** Not so what begins with something: that is several terms, and nothing is known of each. */
  single: boolean;
}

/** Below this many postings all rows are scored: that takes about a millisecond. */
const FEW_POSTINGS = 2000;
/** A term adds less than k1 + 1 times its inverse document frequency, k1 = 1.2 as FTS5 has it, however often it stands in a row. */
const MOST_OF_IDF = 2.2;
/** Of more frequent terms than this the rows with two of them are not found fast. */
const MOST_PAIRED = 5;
/** Share of the smaller of two terms' rows that hold both, for a guess at the cost. */
const TOGETHER = 0.4;
/** A part of the rows that costs more than this share of all is not worth looking at alone. */
const WORTHWHILE = 0.6;

/**
 * Finds the best rows without scoring all. What a row can reach at most that holds none of the rarer terms is known; as soon as enough
 * rows score more, the others need not be looked at. A first look at few rows shows what score that is. The idea is MaxScore's; the
 * answer is the same as that of all rows.
 *
 * @see Turtle & Flood 1995, Query evaluation: strategies and optimizations
 */
export class Pruning {
  /** Rarest first; what is not single comes before. */
  readonly #terms: readonly CountedTerm[];
  readonly #postings: number;

  private constructor(terms: readonly CountedTerm[], postings: number) {
    this.#terms = terms;
    this.#postings = postings;
  }

  /** Counts the terms. @returns `undefined` where there is nothing to win. */
  static async of(terms: readonly Term[], statistics: CorpusStatistics): Promise<Pruning | undefined> {
    const chunks = await statistics.chunks();
    const counted = new Map<string, CountedTerm>();
    for (const { ranking } of terms) {
      const rows = await statistics.matches(ranking);
      const most = MOST_OF_IDF * inverseFrequency(rows, chunks);
      const known = counted.get(ranking);
      // What is written twice counts twice.
      if (known === undefined) counted.set(ranking, { ranking, rows, most, single: !ranking.includes(" OR ") });
      else known.most += most;
    }
    const postings = [...counted.values()].reduce((sum, { rows }) => sum + rows, 0);
    if (counted.size < 2 || postings < FEW_POSTINGS) return undefined;
    const sorted = [...counted.values()].sort((a, b) => Number(a.single) - Number(b.single) || a.rows - b.rows);
    return new Pruning(sorted, postings);
  }

  /** Rows for a first look, among which there are likely `wanted` good ones. */
  probe(wanted: number): RowSet | undefined {
    let rows = 0;
    for (const [at, term] of this.#terms.entries()) {
      rows += term.rows;
      const next = this.#terms[at + 1];
      if (next === undefined || !next.single || rows > WORTHWHILE * this.#postings) break;
      if (rows >= 2 * wanted) return this.#withRare(at + 1);
    }
    const [first, second] = this.#terms;
    return first?.single === true && second !== undefined
      ? { rows: allOf([first.ranking, second.ranking]), most: Number.POSITIVE_INFINITY }
      : undefined;
  }

  /** The cheapest rows beside which none scores `floor`; `undefined` where it is as well to look at all. */
  above(floor: number): RowSet | undefined {
    let best: RowSet | undefined;
    let cost = WORTHWHILE * this.#postings;
    let rareRows = 0;
    for (const [rare, term] of this.#terms.entries()) {
      if (term.single) {
        const frequent = this.#terms.slice(rare);
        const apart = rare > 0 ? this.#withRare(rare) : undefined;
        if (apart !== undefined && apart.most < floor && rareRows < cost) [best, cost] = [apart, rareRows];
        const paired = rareRows + pairedRows(frequent);
        if (frequent.length > 1 && frequent.length <= MOST_PAIRED && term.most < floor && paired < cost) {
          const rows = anyOf([...this.#terms.slice(0, rare).map(({ ranking }) => ranking), ...pairsOf(frequent)]);
          [best, cost] = [{ rows, most: term.most }, paired];
        }
      }
      rareRows += term.rows;
    }
    return best;
  }

  /** Rows with one of the rarest terms: without them the others add up. */
  #withRare(rare: number): RowSet {
    const most = this.#terms.slice(rare).reduce((sum, term) => sum + term.most, 0);
    return { rows: anyOf(this.#terms.slice(0, rare).map(({ ranking }) => ranking)), most };
  }
}

/** A guess at the rows that hold two of the terms. */
function pairedRows(terms: readonly CountedTerm[]): number {
  // Rarest first: of a pair the former has fewer rows.
  return terms.reduce((sum, { rows }, at) => sum + TOGETHER * rows * (terms.length - 1 - at), 0);
}

function pairsOf(terms: readonly CountedTerm[]): string[] {
  return terms.flatMap(({ ranking }, at) => terms.slice(at + 1).map((other) => allOf([ranking, other.ranking])));
}

/** As FTS5 computes it: never zero. */
function inverseFrequency(rows: number, chunks: number): number {
  return Math.max(1e-6, Math.log((chunks - rows + 0.5) / (rows + 0.5)));
}
