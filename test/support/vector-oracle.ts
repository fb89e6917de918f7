import { expect } from "vitest";
import type { VectorHit, VectorMetric, VectorRecord } from "../../src/contracts/vectors.ts";
import { scoreOf } from "./vector-corpus.ts";

/** Scores of 32-bit floats differ from those of 64-bit ones by this share of what was added up, */
const TOLERANCE = 2e-4;
/** and scores of 8-bit codes by this one. */
const CODE_TOLERANCE = 2e-2;

/** The exact answers, from a map of all records and the simplest code. */
export class VectorOracle {
  readonly #metric: VectorMetric;
  readonly #records = new Map<string, VectorRecord>();
  /** Length of the longest vector that ever was here. */
  #longest = 1e-9;

  constructor(metric: VectorMetric, records: readonly VectorRecord[] = []) {
    this.#metric = metric;
    this.put(records);
  }

  get size(): number {
    return this.#records.size;
  }

  get records(): VectorRecord[] {
    return [...this.#records.values()];
  }

  put(records: readonly VectorRecord[]): void {
    for (const record of records) {
      this.#records.set(record.chunkId, record);
      this.#longest = Math.max(this.#longest, lengthOf(record.vector));
    }
  }

  delete(chunkIds: readonly string[]): void {
    for (const id of chunkIds) this.#records.delete(id);
  }

  /** Whether an answer has every right to be: k hits wherever k match, each known, allowed, once, with its own id and score, in order.
   *  @param coded Whether scores may be those of 8-bit codes.
   *  @returns how many of the hits are among the nearest: all of them, in an exact answer. */
  check(
    hits: readonly VectorHit[],
    query: Float32Array,
    k: number,
    allows: (record: VectorRecord) => boolean = () => true,
    coded = false,
  ): { near: number; wanted: number } {
    const matching = this.records.filter(allows);
    const scores = matching.map(({ vector }) => scoreOf(this.#metric, query, vector)).sort((a, b) => b - a);
    const wanted = Math.min(k, matching.length);
    expect(hits).toHaveLength(wanted);
    expect(new Set(hits.map(({ chunkId }) => chunkId)).size).toBe(wanted);
    const slack = (coded ? CODE_TOLERANCE : TOLERANCE) * (this.#metric === "cosine" ? 1 : this.#spread(query));
    const last = scores[wanted - 1] ?? 0;
    let near = 0;
    for (const [at, hit] of hits.entries()) {
      const record = this.#records.get(hit.chunkId);
      if (record === undefined || !allows(record)) throw new Error(`hit ${at} is not one that may be: ${hit.chunkId}`);
      expect(hit.embeddingId).toBe(record.embeddingId);
      const score = scoreOf(this.#metric, query, record.vector);
      if (!(Math.abs(hit.score - score) <= slack)) throw new Error(`hit ${at} has score ${hit.score}, not ${score}`);
      if (score >= last - slack) near++;
      const before = hits[at - 1];
      if (before === undefined) continue;
      if (before.score < hit.score) throw new Error(`hit ${at} is nearer than the one before`);
      if (before.score === hit.score) expect(before.chunkId < hit.chunkId).toBe(true);
    }
    return { near, wanted };
  }

  /** Checks that an answer is the exact one. */
  expectExact(
    hits: readonly VectorHit[],
    query: Float32Array,
    k: number,
    allows?: (record: VectorRecord) => boolean,
  ): void {
    const { near, wanted } = this.check(hits, query, k, allows);
    expect(near).toBe(wanted);
  }

  /** Greatest length of a sum: what rounding is a share of. */
  #spread(query: Float32Array): number {
    return this.#metric === "dot" ? this.#longest * lengthOf(query) : this.#longest + lengthOf(query);
  }
}

function lengthOf(vector: Float32Array): number {
  let square = 0;
  for (let at = 0; at < vector.length; at++) square += (vector[at] as number) ** 2;
  return Math.sqrt(square);
}
