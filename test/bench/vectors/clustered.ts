/** A set of vectors and the questions put to it. */
export interface VectorSet {
  name: string;
  dimensions: number;
  /** `cosine` where it is not named. */
  metric?: "cosine" | "l2";
  count: number;
  /** Row after row. */
  base: Float32Array;
  queries: Float32Array;
  queryCount: number;
}

const LATENT = 24;
const CLUSTERS = 100;
const NOISE = 0.3;

/** Unit vectors of a Gaussian mixture in 24 dimensions, projected to `dimensions`, with noise: always the same for the same arguments. */
export function clusteredSet(count: number, queryCount = 500, dimensions = 384, seed = 42): VectorSet {
  const random = mulberry32(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const projection = Float32Array.from({ length: LATENT * dimensions }, () => normal() / Math.sqrt(LATENT));
  const centres = Float32Array.from({ length: CLUSTERS * LATENT }, normal);
  const make = (rows: number): Float32Array => {
    const out = new Float32Array(rows * dimensions);
    const latent = new Float32Array(LATENT);
    for (let row = 0; row < rows; row++) {
      const centre = Math.floor(random() * CLUSTERS) * LATENT;
      for (let i = 0; i < LATENT; i++) latent[i] = (centres[centre + i] as number) + normal();
      let square = 0;
      for (let d = 0; d < dimensions; d++) {
        let value = NOISE * normal();
        for (let i = 0; i < LATENT; i++) value += (latent[i] as number) * (projection[i * dimensions + d] as number);
        out[row * dimensions + d] = value;
        square += value * value;
      }
      const length = Math.sqrt(square);
      for (let d = 0; d < dimensions; d++) out[row * dimensions + d] = (out[row * dimensions + d] as number) / length;
    }
    return out;
  };
  return {
    name: `clustered ${dimensions}-d, ${count.toLocaleString("en-US")}`,
    dimensions,
    count,
    base: make(count),
    queries: make(queryCount),
    queryCount,
  };
}

/** A small, fast generator of numbers from 0 to 1. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
