/**
 * How a vector stands in a row. Little-endian, as every platform with WebAssembly holds numbers.
 *
 *     f32   4 × d bytes       32-bit floats
 *     i16   4 + 2 × d bytes   a 32-bit float h, and d integers q from -32767 to 32767:
 *                             h > 0: the largest magnitude, v = q × h / 32767;  h < 0: v = q × -h, a power of two;  h = 0: v = 0
 *
 * `i16` gives back what it was given to 1 part in 65,534 of the vector's largest magnitude; exactly, where all values are multiples of one
 * power of two, as integers and embeddings of 8 bits are. What was read is written again as the same bytes.
 */
export type VectorEncoding = "f32" | "i16";

/** Every encoding, the one of new tables first. */
export const VECTOR_ENCODINGS: readonly VectorEncoding[] = ["i16", "f32"];

const MOST = 32_767;
const HEADER = 4;
/** The least that a 32-bit float holds. */
const LEAST_STEP: number = 2 ** -149;

/** Bytes of a vector of so many dimensions. */
export function storedVectorBytes(encoding: VectorEncoding, dimensions: number): number {
  return encoding === "f32" ? 4 * dimensions : HEADER + 2 * dimensions;
}

/** The bytes of a vector of finite values; with `f32` a view of its own memory. */
export function encodeVector(encoding: VectorEncoding, vector: Float32Array): Uint8Array {
  if (encoding === "f32") return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  const largest = largestOf(vector);
  const step = stepOf(largest);
  if (isMultiple(vector, step)) return inSteps(vector, -step, 1 / step);
  // In 64-bit floats nothing here overflows or underflows, however large or small the values are.
  const bytes = inSteps(vector, largest, MOST / largest);
  // What it comes back as may be all multiples, and would be written as such the next time.
  const read = decodeVector(encoding, bytes);
  return isMultiple(read, step) ? inSteps(read, -step, 1 / step) : bytes;
}

/** The vector that a row's bytes hold; with `f32` a view of them where their place in memory allows it. */
export function decodeVector(encoding: VectorEncoding, bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (encoding === "f32") return new Float32Array(buffer, byteOffset, byteLength / 4);
  const header = new Float32Array(buffer, byteOffset, 1)[0] as number;
  const scale = header < 0 ? -header : header / MOST;
  const steps = new Int16Array(buffer, byteOffset + HEADER, (byteLength - HEADER) / 2);
  const vector = new Float32Array(steps.length);
  for (let at = 0; at < steps.length; at++) vector[at] = (steps[at] as number) * scale;
  return vector;
}

function inSteps(vector: Float32Array, header: number, scale: number): Uint8Array {
  const bytes = new Uint8Array(storedVectorBytes("i16", vector.length));
  new Float32Array(bytes.buffer, 0, 1)[0] = header;
  const steps = new Int16Array(bytes.buffer, HEADER);
  for (let at = 0; at < steps.length; at++) steps[at] = Math.round((vector[at] as number) * scale);
  return bytes;
}

function largestOf(vector: Float32Array): number {
  let largest = 0;
  for (let at = 0; at < vector.length; at++) largest = Math.max(largest, Math.abs(vector[at] as number));
  return largest;
}

/** The least power of two of which this is at most 32,767 times as much. */
function stepOf(largest: number): number {
  let step = LEAST_STEP;
  if (largest > MOST * step) step = 2 ** Math.floor(Math.log2(largest / MOST));
  while (largest > MOST * step) step *= 2;
  return step;
}

function isMultiple(vector: Float32Array, step: number): boolean {
  const scale = 1 / step;
  for (let at = 0; at < vector.length; at++) if (!Number.isInteger((vector[at] as number) * scale)) return false;
  return true;
}
