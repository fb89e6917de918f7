// The kernel's arithmetic where it decides: every f32 operation rounded, sums in the order of its four lanes.

export const round32 = Math.fround;

export type Metric = "cosine" | "dot" | "l2";
export type Kind = "f32" | "sq8";

/** A vector as the index holds it: whole numbers of a scale (sq8), or the values themselves (f32). */
export interface Code {
  values: number[];
  scale: number;
  /** Square of the coded vector, under L2. */
  offset: number;
}

/** What distances are computed from. */
export interface Query {
  values: number[];
  factor: number;
}

export const OK = 0;
export const NOT_FINITE = -2;
export const ZERO_NORM = -3;
export const TOO_LARGE = -4;

/** The vector as it is taken in, a unit vector under cosine, or the number of what is wrong with it. */
export function admit(vector: Float32Array, metric: Metric): number[] | number {
  let square = 0;
  for (const value of vector) square += value * value;
  if (!Number.isFinite(square)) return NOT_FINITE;
  if (metric !== "cosine") return square > 1e36 ? TOO_LARGE : [...vector];
  if (square === 0) return ZERO_NORM;
  const factor = 1 / Math.sqrt(square);
  return Array.from(vector, (value) => round32(value * factor));
}

/** Nearest whole number, the even one of two. */
function nearest(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

function greatest(vector: number[]): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The vector as an index of this kind holds it. */
export function encode(vector: number[], metric: Metric, kind: Kind): Code {
  if (kind === "f32") return { values: vector, scale: 1, offset: 0 };
  const scale = round32(greatest(vector) / 127);
  if (scale === 0) return { values: vector.map(() => 0), scale, offset: 0 };
  const whole = vector.map((value) => nearest(round32(value / scale)));
  const square = whole.reduce((sum, value) => sum + value * value, 0);
  return {
    // Beyond 127 only where the scale itself is a number that has lost its precision, near 1e-45.
    values: whole.map((value) => clamp(value, -128, 127)),
    scale,
    offset: metric === "l2" ? round32(scale * scale * square) : 0,
  };
}

function factorOf(scale: number, metric: Metric): number {
  return metric === "l2" ? round32(-2 * scale) : -scale;
}

/** A query of the host's as the walk reads it: finer than a code where sums of products leave room. */
export function asQuery(vector: number[], metric: Metric, kind: Kind): Query {
  if (kind === "f32") return { values: vector, factor: 1 };
  const padded = Math.ceil(vector.length / 16) * 16;
  const finest = Math.min(32767, Math.floor(0x7fffffff / (127 * padded)));
  const scale = round32(greatest(vector) / finest);
  if (scale === 0) return { values: vector.map(() => 0), factor: 0 };
  return {
    values: vector.map((value) => clamp(nearest(round32(value / scale)), -32768, 32767)),
    factor: factorOf(scale, metric),
  };
}

/** A vector of the index as a query. */
export function codeAsQuery(code: Code, metric: Metric, kind: Kind): Query {
  return { values: code.values, factor: kind === "f32" ? 1 : factorOf(code.scale, metric) };
}

/** What is added to distances from this code, which leave its square out. */
export function ownSquare(code: Code, metric: Metric, kind: Kind): number {
  return metric === "l2" && kind === "sq8" ? code.offset : 0;
}

/** Distance of a query to a code; smaller is nearer. */
export function distance(query: Query, code: Code, metric: Metric, kind: Kind): number {
  if (kind === "sq8") {
    let dot = 0;
    for (let i = 0; i < code.values.length; i++) dot += (query.values[i] as number) * (code.values[i] as number);
    return round32(code.offset + round32(round32(query.factor * code.scale) * round32(dot | 0)));
  }
  const lanes = metric === "l2" ? squares(query.values, code.values) : products(query.values, code.values);
  const [a, b, c, d] = lanes;
  const sum = round32(round32(a + c) + round32(b + d));
  return metric === "l2" ? sum : -sum;
}

/** Distance of vectors at full precision. */
export function exactDistance(query: number[], vector: number[], metric: Metric): number {
  const [a, b, c, d] = metric === "l2" ? squares(query, vector) : products(query, vector);
  const sum = round32(round32(a + b) + round32(c + d));
  // The kernel subtracts products from zero: it never ends at minus zero.
  return metric === "l2" || sum === 0 ? sum : -sum;
}

type Lanes = [number, number, number, number];

function products(a: number[], b: number[]): Lanes {
  const lanes: Lanes = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const lane = (i & 3) as 0 | 1 | 2 | 3;
    lanes[lane] = round32(lanes[lane] + round32((a[i] as number) * (b[i] as number)));
  }
  return lanes;
}

function squares(a: number[], b: number[]): Lanes {
  const lanes: Lanes = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const lane = (i & 3) as 0 | 1 | 2 | 3;
    const difference = round32((a[i] as number) - (b[i] as number));
    lanes[lane] = round32(lanes[lane] + round32(difference * difference));
  }
  return lanes;
}
