import { afterEach, describe, expect, test, vi } from "vitest";
import { StorageError } from "../../src/errors.ts";
import { readCoderHnsw } from "../../src/formats/coder-hnsw.ts";
import { readHnswlibIndex } from "../../src/formats/hnswlib-index.ts";
import { decodeEnvelope, snapshotKind, verifyGraph } from "../../src/formats/lhv1-envelope.ts";
import { readLhv1 } from "../../src/formats/lhv1.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { zigzag } from "./coder-hnsw-writer.ts";
import { sampleCoder, sampleHnswlib, sampleSnapshot } from "./sample-files.ts";

/** Reads a snapshot as whoever opens one does. */
function readSnapshot(bytes: Uint8Array): void {
  const { envelope, graph } = readLhv1(bytes);
  if (snapshotKind(envelope) === "lodestore") verifyGraph(decodeEnvelope(envelope), graph, xxh64);
  else readCoderHnsw(graph);
}

const FORMATS: [name: string, file: Uint8Array, read: (bytes: Uint8Array) => unknown][] = [
  ["a snapshot", sampleSnapshot(), readSnapshot],
  ["a coder/hnsw export", sampleCoder(), readCoderHnsw],
  ["an hnswlib index", sampleHnswlib(8), (bytes) => readHnswlibIndex(bytes, "l2")],
  ["an hnswlib index of 32-bit words", sampleHnswlib(4), (bytes) => readHnswlibIndex(bytes, "l2")],
];
const CODES = ["BAD_FORMAT", "CORRUPT", "SCHEMA_TOO_NEW", "UNSUPPORTED"];
const FLIPS = 10_000;

/** Returns "read", or the code of the error; anything but a StorageError of these codes fails the test. */
function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    read(bytes);
    return "read";
  } catch (error) {
    if (error instanceof StorageError && CODES.includes(error.code)) return error.code;
    throw error;
  }
}

/** Returns numbers from 0 below 2^32, the same in every run (xorshift). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Counts the bytes of the typed arrays that are made from lengths. */
function countAllocations(): { bytes: number } {
  const counted = { bytes: 0 };
  for (const name of ["Float32Array", "Uint8Array"] as const) {
    const construct = (target: (typeof globalThis)[typeof name], args: unknown[], newTarget: never): object => {
      const array = Reflect.construct(target, args, newTarget) as Uint8Array | Float32Array;
      if (typeof args[0] === "number") counted.bytes += array.byteLength;
      return array;
    };
    vi.stubGlobal(name, new Proxy(globalThis[name], { construct }));
  }
  return counted;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(FORMATS)("%s", (_, file, read) => {
  test("is read whole, and refused wherever it is cut", () => {
    expect(outcome(read, file)).toBe("read");
    for (let length = 0; length < file.length; length++) {
      expect(CODES, `cut at ${length}`).toContain(outcome(read, file.subarray(0, length)));
    }
  });

  test("is refused with a byte more", () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(CODES).toContain(outcome(read, Uint8Array.from([...file, byte])));
    }
  });

  test(`is read or refused with a code, ${FLIPS} times with random bytes changed`, () => {
    const random = seeded(0x1d872b41);
    const seen = new Set<string>();
    for (let run = 0; run < FLIPS; run++) {
      const copy = file.slice();
      for (let flips = 1 + (random() % 4); flips > 0; flips--) copy[random() % copy.length]! ^= 1 + (random() % 255);
      seen.add(outcome(read, copy));
    }
    expect([...seen]).toEqual(expect.arrayContaining(["BAD_FORMAT", "CORRUPT"]));
  });

  test("is read or refused with a code, with every single bit changed", () => {
    for (let bit = 0; bit < 8 * file.length; bit++) {
      outcome(read, file.with(bit >> 3, file[bit >> 3]! ^ (1 << (bit & 7))));
    }
  });

  test("is refused without allocating what huge lengths ask for, wherever they stand", () => {
    const values = [2n ** 31n, 2n ** 32n - 1n, 2n ** 63n];
    const patches = values.flatMap((value) => [
      Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
      Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn)),
      Uint8Array.from({ length: 4 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
      Uint8Array.from({ length: 4 }, (_, i) => Number((value >> BigInt(24 - 8 * i)) & 0xffn)),
      Uint8Array.from(zigzag(value)),
      Uint8Array.from(zigzag(-value)),
    ]);
    for (const patch of patches) {
      for (let at = 0; at + patch.length <= file.length; at++) {
        const overwritten = file.slice();
        overwritten.set(patch, at);
        const inserted = Uint8Array.from([...file.subarray(0, at), ...patch, ...file.subarray(at + 1)]);
        for (const damaged of [overwritten, inserted]) {
          const counted = countAllocations();
          outcome(read, damaged);
          vi.unstubAllGlobals();
          expect(counted.bytes).toBeLessThanOrEqual(2 * damaged.length);
        }
      }
    }
  });
});

test("a snapshot with any one bit changed is refused", () => {
  const file = sampleSnapshot();
  for (let bit = 0; bit < 8 * file.length; bit++) {
    expect(CODES).toContain(outcome(readSnapshot, file.with(bit >> 3, file[bit >> 3]! ^ (1 << (bit & 7)))));
  }
});
