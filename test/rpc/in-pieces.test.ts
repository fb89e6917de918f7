import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyInPieces, encodeInPieces, joinInPieces, PIECE } from "../../src/rpc/in-pieces.ts";

describe("work in pieces", () => {
  test.each(["🪔", "窯", "\ud83e", "\udeb4", "\udeb4\ud83e"])(
    "encodes %j at the end of a piece as TextEncoder does at once",
    async (text) => {
      for (const before of [PIECE - 2, PIECE - 1, PIECE, PIECE + 1]) {
        const whole = "a".repeat(before) + text + "b".repeat(PIECE);
        expect(Buffer.compare(await encodeInPieces(whole), new TextEncoder().encode(whole))).toBe(0);
      }
    },
  );

  test("encodes any text as TextEncoder does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 3 }), async (unit, pieces) => {
        const text = `x${unit}`.repeat(Math.ceil((pieces * PIECE) / (unit.length + 1)));
        expect(Buffer.compare(await encodeInPieces(text), new TextEncoder().encode(text))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  test("copies bytes into a buffer of their own, and joins pieces in their order", async () => {
    const bytes = Uint8Array.from({ length: 2 * PIECE + 5 }, (_, at) => at % 251);
    const copy = await copyInPieces(bytes.subarray(3));
    expect(copy.buffer.byteLength).toBe(bytes.byteLength - 3);
    expect(Buffer.compare(copy, bytes.subarray(3))).toBe(0);
    const joined = await joinInPieces([bytes.subarray(0, 7), bytes.subarray(7, 7), bytes.subarray(7)]);
    expect(Buffer.compare(joined, bytes)).toBe(0);
    expect(await encodeInPieces("")).toEqual(new Uint8Array());
  });

  test("gives turns away while pieces come that make none themselves", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const before: number[] = [];
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 4; at++) {
        before.push(turns);
        const start = performance.now();
        while (performance.now() - start < 10);
        yield Uint8Array.of(at);
      }
    }
    expect(await joinInPieces(pieces())).toEqual(Uint8Array.of(0, 1, 2, 3));
    clearInterval(timer);
    expect(before[3]).toBeGreaterThan(0);
  });
});
