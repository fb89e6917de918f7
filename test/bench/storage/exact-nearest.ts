import { decodeVector, encodeVector } from "../../../src/formats/stored-vector.ts";

/** Unit vectors by chunk, as they were made. */
export interface ExactVectors {
  ids: readonly string[];
  vectors: readonly Float32Array[];
}

/** The ten nearest by the simplest code, over the vectors as they were made or as rows of 16-bit integers give them back. */
export class ExactNearest {
  readonly #ids: readonly string[];
  readonly #exact: readonly Float32Array[];
  readonly #stored: readonly Float32Array[];

  constructor({ ids, vectors }: ExactVectors) {
    this.#ids = ids;
    this.#exact = vectors;
    this.#stored = vectors.map((vector) => decodeVector("i16", encodeVector("i16", vector)));
  }

  /** Share of the ten nearest that an answer has: of equally near ones either will do. */
  recallOf(query: Float32Array, chunkIds: readonly string[]): number {
    const scores = this.#exact.map((vector) => dot(vector, query));
    const tenth = scores.toSorted((a, b) => b - a)[9] as number;
    const at = new Map(this.#ids.map((id, place) => [id, place]));
    return chunkIds.filter((id) => (scores[at.get(id) as number] as number) >= tenth - 1e-7).length / 10;
  }

  /** How far apart two vectors may be in nearness and yet change places: the greatest such distance among the ten nearest. */
  swappedBy(query: Float32Array): number {
    const exact = this.#exact.map((vector) => dot(vector, query));
    const stored = this.#stored.map((vector) => dot(vector, query) / Math.sqrt(dot(vector, vector)));
    const order = (scores: readonly number[]): number[] =>
      [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b).slice(0, 10);
    const wanted = order(exact);
    return Math.max(
      ...order(stored).map((place, rank) =>
        Math.abs((exact[place] as number) - (exact[wanted[rank] as number] as number)),
      ),
    );
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
