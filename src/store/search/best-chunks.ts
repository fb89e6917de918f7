import type { ChunkLengths } from "./chunk-lengths.ts";
import type { Posting } from "./postings.ts";

/** A chunk with its score. */
export interface ScoredChunk {
  chunkKey: number;
  /** BM25, more is better. */
  score: number;
}

/** Which chunks may be among the best, each list being of places that ascend. */
export interface Conditions {
  /** A chunk must stand in one of these; where there are none, in any list that scores. */
  any: readonly Uint32Array[] | undefined;
  /** in each of these, */
  all: readonly Uint32Array[];
  /** and in none of these. */
  none: readonly Uint32Array[];
}

const ANY = 0x8000;
const NONE = 0x4000;

/** Adds up scores and finds the best. Its arrays are used again by every search; nothing is waited for between two uses. */
export class BestChunks {
  readonly #lengths: ChunkLengths;
  #scores = new Float64Array();
  /** How many of the lists of `all` hold a chunk, so far one after the other, with the flags of the other conditions. */
  #marks = new Uint16Array();

  constructor(lengths: ChunkLengths) {
    this.#lengths = lengths;
  }

  /** Returns the best chunks, those of equal score by key.
   *  @param lists Each counts as often as it is there.
   *  @param limit Most chunks.
   *  @param after Only chunks that stand behind this one. */
  find(
    lists: readonly Posting[],
    conditions: Conditions,
    limit: number,
    after: ScoredChunk | undefined,
  ): ScoredChunk[] {
    const { size } = this.#lengths;
    if (this.#scores.length < size) {
      this.#scores = new Float64Array(size + (size >> 1));
      this.#marks = new Uint16Array(size + (size >> 1));
    } else {
      this.#scores.fill(0, 0, size);
      this.#marks.fill(0, 0, size);
    }
    const scores = this.#scores;
    for (const { places, scores: added } of lists) {
      for (let at = 0; at < places.length; at++) (scores[places[at] as number] as number) += added[at] as number;
    }
    const wanted = this.#mark(conditions);
    const marks = this.#marks;
    const best = new Heap(limit);
    for (let place = 0; place < size; place++) {
      const score = scores[place] as number;
      if (score === 0 || marks[place] !== wanted || !best.takes(score)) continue;
      const chunkKey = this.#lengths.keyAt(place);
      if (after !== undefined && (score > after.score || (score === after.score && chunkKey <= after.chunkKey)))
        continue;
      best.add({ chunkKey, score });
    }
    return best.sorted();
  }

  /** Marks what holds for each chunk, and returns the mark of those for which all does. */
  #mark({ any, all, none }: Conditions): number {
    const marks = this.#marks;
    for (const [level, places] of all.entries()) {
      for (const place of places) if (marks[place] === level) marks[place] = level + 1;
    }
    for (const places of any ?? []) for (const place of places) (marks[place] as number) |= ANY;
    for (const places of none) for (const place of places) (marks[place] as number) |= NONE;
    return all.length | (any === undefined ? 0 : ANY);
  }
}

/** The best so far, the least of them on top. Chunks come in the order of their keys: of equals the first stays. */
class Heap {
  readonly #limit: number;
  readonly #items: ScoredChunk[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  takes(score: number): boolean {
    return this.#items.length < this.#limit || score > (this.#items[0]?.score ?? Number.POSITIVE_INFINITY);
  }

  add(chunk: ScoredChunk): void {
    const items = this.#items;
    if (items.length < this.#limit) {
      items.push(chunk);
      this.#rise(items.length - 1);
    } else {
      items[0] = chunk;
      this.#sink();
    }
  }

  sorted(): ScoredChunk[] {
    return this.#items.toSorted((a, b) => (isWorse(a, b) ? 1 : -1));
  }

  #rise(from: number): void {
    const items = this.#items;
    for (let at = from; at > 0;) {
      const above = (at - 1) >> 1;
      if (!isWorse(items[at] as ScoredChunk, items[above] as ScoredChunk)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #sink(): void {
    const items = this.#items;
    for (let at = 0; ;) {
      let worst = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < items.length && isWorse(items[below] as ScoredChunk, items[worst] as ScoredChunk)) worst = below;
      }
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b] as ScoredChunk, items[a] as ScoredChunk];
  }
}

function isWorse(a: ScoredChunk, b: ScoredChunk): boolean {
  return a.score < b.score || (a.score === b.score && a.chunkKey > b.chunkKey);
}
