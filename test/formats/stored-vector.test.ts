import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeVector, encodeVector, storedVectorBytes, VECTOR_ENCODINGS } from "../../src/formats/stored-vector.ts";

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const vectors = fc.array(float, { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values));
/** Of every size of number that there is, down to the least. */
const scaled = fc
  .tuple(
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
    fc.integer({ min: -149, max: 127 }),
  )
  .map(([values, exponent]) => Float32Array.from(values, (value) => value * 2 ** exponent));

const largest = (vector: Float32Array): number => Math.max(...Array.from(vector, Math.abs));
const again = (vector: Float32Array): Float32Array => decodeVector("i16", encodeVector("i16", vector));

describe("a vector in a row", () => {
  test("has the length that its encoding says, and comes back from any place in memory", () => {
    const vector = Float32Array.of(0.1, -0.2, 0.3);
    for (const encoding of VECTOR_ENCODINGS) {
      const bytes = encodeVector(encoding, vector);
      expect(bytes.byteLength).toBe(storedVectorBytes(encoding, 3));
      for (let offset = 0; offset < 4; offset++) {
        const elsewhere = new Uint8Array(offset + bytes.byteLength);
        elsewhere.set(bytes, offset);
        expect(decodeVector(encoding, elsewhere.subarray(offset))).toEqual(decodeVector(encoding, bytes));
      }
    }
    expect(storedVectorBytes("f32", 384)).toBe(1536);
    expect(storedVectorBytes("i16", 384)).toBe(772);
  });

  test("is exact as 32-bit floats", () => {
    fc.assert(
      fc.property(vectors, (vector) => {
        expect(decodeVector("f32", encodeVector("f32", vector))).toEqual(vector);
      }),
    );
  });

  test.each([
    ["any values", vectors],
    ["values of one size", scaled],
  ])("comes back to 1 part in 65,534 of its largest value as 16-bit integers, of %s", (_, some) => {
    fc.assert(
      fc.property(some, (vector) => {
        const read = again(vector);
        // Half a step, and half of the last place of a 32-bit float, which is all there is among the least of numbers.
        const most = largest(vector) * (1 / 65_534 + 2 ** -24) + 2 ** -149;
        for (const [at, value] of vector.entries())
          expect(Math.abs((read[at] as number) - value)).toBeLessThanOrEqual(most);
        expect(largest(read)).toBe(largest(vector));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["any values", vectors],
    ["values of one size", scaled],
  ])("that was read is written as the same bytes, of %s", (_, some) => {
    fc.assert(
      fc.property(some, (vector) => {
        const bytes = encodeVector("i16", vector);
        expect(encodeVector("i16", decodeVector("i16", bytes))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("is exact as 16-bit integers where its values are multiples of a power of two", () => {
    const exact = fc
      .tuple(
        fc.array(fc.integer({ min: -32_767, max: 32_767 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: -149, max: 112 }),
      )
      .map(([values, exponent]) => Float32Array.from(values, (value) => value * 2 ** exponent));
    fc.assert(
      fc.property(exact, (vector) => {
        // Zero has no sign there.
        expect(again(vector)).toEqual(vector.map((value) => value + 0));
      }),
    );
    expect(again(Float32Array.of(3, 4, -0.5))).toEqual(Float32Array.of(3, 4, -0.5));
    expect(again(new Float32Array(5))).toEqual(new Float32Array(5));
  });

  test("is laid out as the format says", () => {
    const steps = new Uint8Array([0, 0, 0, 191, 3, 0, 254, 255]);
    expect(decodeVector("i16", steps)).toEqual(Float32Array.of(1.5, -1));
    const shares = new Uint8Array([0, 0, 128, 63, 255, 127, 1, 128]);
    expect(decodeVector("i16", shares)).toEqual(Float32Array.of(1, -1));
    expect(encodeVector("i16", Float32Array.of(0.1, 0.3))).toEqual(
      new Uint8Array([154, 153, 153, 62, 170, 42, 255, 127]),
    );
  });
});
