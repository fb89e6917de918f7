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
  /** A chunk must stand in one of these; `undefined` where any list that scores will do. */
  any: readonly Uint32Array[] | undefined;
  /** in each of these, */
  all: readonly Uint32Array[];
  /** and in none of these. */
  none: readonly Uint32Array[];
}

const ANY = 0x8000;
const NONE = 0x4000;

/** Adds up scores and finds the best. Its arrays are used again by every search, and clean between two; nothing is waited for
 *  meanwhile. */
export class BestChunks {
  readonly #lengths: ChunkLengths;
  #scores = new Float64Array();
  /** How many of the lists of `all` hold a chunk, so far one after the other, with the flags of the other conditions. */
  #marks = new Uint16Array();
  /** Places that have a score. */
  #scored = new Uint32Array();

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
    this.#reserve();
    const scored = this.#addUp(lists);
    const wanted = this.#mark(conditions);
    const best = new Heap(limit);
    for (const place of scored) {
      const score = this.#scores[place] as number;
      if (this.#marks[place] === wanted && score >= best.floor) {
        const chunk = { chunkKey: this.#lengths.keyAt(place), score };
        if (after === undefined || isWorse(chunk, after)) best.offer(chunk);
      }
      this.#scores[place] = 0;
      this.#marks[place] = 0;
    }
    return best.sorted();
  }

  #reserve(): void {
    const { size } = this.#lengths;
    if (this.#scores.length >= size) return;
    const room = size + (size >> 1);
    // All or none: an engine may have no room for the second.
    const [scores, marks, scored] = [new Float64Array(room), new Uint16Array(room), new Uint32Array(room)];
    this.#scores = scores;
    this.#marks = marks;
    this.#scored = scored;
  }

  /** Returns the places that have a score now. */
  #addUp(lists: readonly Posting[]): Uint32Array {
    const scores = this.#scores;
    const scored = this.#scored;
    let count = 0;
    for (const { places, scores: added } of lists) {
      for (let at = 0; at < places.length; at++) {
        const place = places[at] as number;
        const score = scores[place] as number;
        if (score === 0) scored[count++] = place;
        scores[place] = score + (added[at] as number);
      }
    }
    return scored.subarray(0, count);
  }

  /** Marks what holds for each chunk that has a score, and returns the mark of those for which all does. */
  #mark({ any, all, none }: Conditions): number {
    const scores = this.#scores;
    const marks = this.#marks;
    for (const [level, places] of all.entries()) {
      for (const place of places) if (scores[place] !== 0 && marks[place] === level) marks[place] = level + 1;
    }
    const flag = (lists: readonly Uint32Array[], mark: number): void => {
      for (const places of lists) {
        for (const place of places) if (scores[place] !== 0) marks[place] = (marks[place] as number) | mark;
      }
    };
    flag(any ?? [], ANY);
    flag(none, NONE);
    return all.length | (any === undefined ? 0 : ANY);
  }
}

/** The best so far, the least of them on top. */
class Heap {
  readonly #limit: number;
  readonly #items: ScoredChunk[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What scores less is not among the best. */
  get floor(): number {
    return this.#items.length < this.#limit ? 0 : (this.#items[0]?.score ?? 0);
  }

  offer(chunk: ScoredChunk): void {
    const items = this.#items;
    if (items.length < this.#limit) {
      items.push(chunk);
      this.#rise(items.length - 1);
    } else if (isWorse(items[0] as ScoredChunk, chunk)) {
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
