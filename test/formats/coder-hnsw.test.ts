import { describe, expect, test } from "vitest";
import { readCoderHnsw } from "../../src/formats/coder-hnsw.ts";
import { type CoderNode, writeCoderHnsw, zigzag } from "./coder-hnsw-writer.ts";
import { fromHex, sampleCoder } from "./sample-files.ts";

// contracts.md, section 5.
const EMPTY = fromHex("02 20 000000000000d03f 28 0c 636f73696e65 00");
const TWO_NODES = fromHex(`
  02 20 000000000000d03f 28 0c 636f73696e65 04
  04 0261 04 0000803f00000000 02 0262   0262 04 000000000000803f 02 0261   02 0261 04 0000803f00000000 00`);

const NODE: CoderNode = { key: "a", vector: [1, 2], neighbours: [] };
const OTHER: CoderNode = { key: "b", vector: [3, 4], neighbours: [] };

function refused(bytes: Uint8Array, code: string, message: string): void {
  expect(() => readCoderHnsw(bytes)).toThrow(
    expect.objectContaining({ code, capability: "vectors", message: expect.stringContaining(message) }),
  );
}

/** Returns an empty export with one of its leading numbers written as these bytes. */
function withBytes(field: "version" | "M" | "EfSearch" | "layer count", bytes: readonly number[]): Uint8Array {
  const at = { version: 0, M: 1, EfSearch: 10, "layer count": 18 }[field];
  return Uint8Array.from([...EMPTY.subarray(0, at), ...bytes, ...EMPTY.subarray(at + 1)]);
}

describe("a coder/hnsw export", () => {
  test("is read when it is empty", () => {
    expect(readCoderHnsw(EMPTY)).toEqual({
      metric: "cosine",
      m: 16,
      efSearch: 20,
      dimensions: 0,
      keys: [],
      vectors: new Float32Array(0),
    });
  });

  test("is read with two nodes in two layers", () => {
    expect(readCoderHnsw(TWO_NODES)).toEqual({
      metric: "cosine",
      m: 16,
      efSearch: 20,
      dimensions: 2,
      keys: ["a", "b"],
      vectors: Float32Array.of(1, 0, 0, 1),
    });
  });

  test("is what the writer of these tests writes, byte for byte", () => {
    expect(writeCoderHnsw({ layers: [] })).toEqual(EMPTY);
    const a = { key: "a", vector: [1, 0] };
    const b = { key: "b", vector: [0, 1], neighbours: ["a"] };
    expect(writeCoderHnsw({ layers: [[{ ...a, neighbours: ["b"] }, b], [{ ...a, neighbours: [] }]] })).toEqual(
      TWO_NODES,
    );
  });

  test("keeps the vectors of layer 0 only, with neighbours further on in the file", () => {
    const { metric, dimensions, keys, vectors } = readCoderHnsw(sampleCoder());
    expect({ metric, dimensions, keys }).toEqual({
      metric: "l2",
      dimensions: 3,
      keys: ["a", "b", "é", "four", "five"],
    });
    expect(vectors).toEqual(Float32Array.of(1, 0, 0.5, 0, 1, -0.5, 0.25, 0.25, 1, 1, 0, 0.5, 0, 1, -0.5));
  });

  test("may have layers without nodes, as deleting leaves them", () => {
    expect(readCoderHnsw(writeCoderHnsw({ layers: [[], []] })).keys).toEqual([]);
  });

  test("is read from the middle of a buffer", () => {
    const padded = new Uint8Array(TWO_NODES.length + 2);
    padded.set(TWO_NODES, 1);
    expect(readCoderHnsw(padded.subarray(1, -1)).vectors).toEqual(Float32Array.of(1, 0, 0, 1));
  });

  test.each<[string, Parameters<typeof writeCoderHnsw>[0], string, string]>([
    ["another version", { version: 2, layers: [] }, "UNSUPPORTED", "version 2"],
    ["version 0", { version: 0, layers: [] }, "BAD_FORMAT", "version"],
    ["another distance", { distance: "manhattan", layers: [] }, "UNSUPPORTED", "manhattan"],
    ["M 0", { m: 0, layers: [] }, "BAD_FORMAT", "M is 0"],
    ["M 4097", { m: 4097, layers: [] }, "BAD_FORMAT", "M is 4097"],
    ["a negative EfSearch", { efSearch: -1, layers: [] }, "BAD_FORMAT", "EfSearch is -1"],
    ["an EfSearch beyond a million", { efSearch: 1_000_001, layers: [] }, "BAD_FORMAT", "EfSearch"],
    ["Ml NaN", { levelFactor: Number.NaN, layers: [] }, "BAD_FORMAT", "Ml"],
    ["Ml 0", { levelFactor: 0, layers: [] }, "BAD_FORMAT", "Ml"],
    ["NaN in a vector", { layers: [[{ ...NODE, vector: [1, Number.NaN] }]] }, "CORRUPT", "[1] is NaN"],
    ["Infinity in a vector", { layers: [[{ ...NODE, vector: [Infinity, 0] }]] }, "CORRUPT", "[0] is Infinity"],
    ["a vector of no dimensions", { layers: [[{ ...NODE, vector: [] }]] }, "BAD_FORMAT", "0 dimensions"],
    ["vectors of two lengths", { layers: [[NODE, { ...OTHER, vector: [1, 2, 3] }]] }, "CORRUPT", "has 3 dimensions"],
    ["4097 dimensions", { layers: [[{ ...NODE, vector: Array(4097).fill(1) }]] }, "UNSUPPORTED", "4097"],
    ["a key twice in layer 0", { layers: [[NODE, NODE]] }, "CORRUPT", '"a" is there twice'],
    ["a key twice in layer 1", { layers: [[NODE], [NODE, NODE]] }, "CORRUPT", '"a" is there twice'],
    ["an unknown neighbour", { layers: [[{ ...NODE, neighbours: ["z"] }]] }, "CORRUPT", '"z" is not in its layer'],
    ["an upper node that layer 0 lacks", { layers: [[NODE], [OTHER]] }, "CORRUPT", '"b" is not in layer 0'],
    ["an upper node without a layer 0", { layers: [[], [NODE]] }, "CORRUPT", '"a" is not in layer 0'],
    [
      "a neighbour that only the layer below has",
      { layers: [[NODE, OTHER], [{ ...NODE, neighbours: ["b"] }]] },
      "CORRUPT",
      '"b" is not in its layer',
    ],
    [
      "an upper vector of another length",
      { layers: [[NODE], [{ ...NODE, vector: [1, 2, 3] }]] },
      "CORRUPT",
      "has 3 dimensions",
    ],
    ["NaN in an upper vector", { layers: [[NODE], [{ ...NODE, vector: [1, Number.NaN] }]] }, "CORRUPT", "NaN"],
  ])("is refused with %s", (_, graph, code, message) => {
    refused(writeCoderHnsw(graph), code, message);
  });

  test("is refused with more layers than bytes left", () => {
    refused(withBytes("layer count", [...zigzag(2n), 0]), "BAD_FORMAT", "the layer count is 2, more than 1 bytes hold");
  });

  test("is refused with more layers than any graph has", () => {
    const layers = Array.from({ length: 65 }, () => [NODE]);
    refused(writeCoderHnsw({ layers }), "BAD_FORMAT", "the layer count is 65; it takes up to 64");
  });

  test("is refused with a message that says the beginning of a long key", () => {
    const long = { ...NODE, key: "k".repeat(100_000) };
    const refusal = (): unknown => readCoderHnsw(writeCoderHnsw({ layers: [[long, long]] }));
    expect(refusal).toThrow(/^the key "k{60}…" is there twice/u);
  });

  test("is refused with bytes after its end", () => {
    refused(Uint8Array.from([...TWO_NODES, 0]), "BAD_FORMAT", "1 bytes left");
  });

  test("is refused with a key that is not UTF-8", () => {
    const at = TWO_NODES.indexOf(0x61, 19);
    refused(TWO_NODES.with(at, 0xff), "BAD_FORMAT", "a key is not valid UTF-8");
  });

  test("is refused with a node count that the bytes left cannot hold, before anything is allocated", () => {
    const counted = (node: CoderNode, count: bigint): Uint8Array => {
      const one = writeCoderHnsw({ layers: [[node]] });
      return Uint8Array.from([...one.subarray(0, 19), ...zigzag(count), ...one.subarray(20)]);
    };
    refused(counted(NODE, 2n), "BAD_FORMAT", "2 vectors of 2 dimensions take more than 12 bytes");
    const wide = { ...NODE, vector: Array<number>(4096).fill(1) };
    refused(counted(wide, 5000n), "BAD_FORMAT", "5000 vectors of 4096 dimensions take more than");
    for (const count of [5n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 51n]) {
      refused(counted(NODE, count), "BAD_FORMAT", `${count}, more than 12 bytes hold`);
    }
    for (const count of [2n ** 53n, 2n ** 62n, -1n]) refused(counted(NODE, count), "BAD_FORMAT", "the node count");
  });

  test("reads a varint that is longer than it need be, up to 64 bits", () => {
    const padded = [0xa0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
    expect(readCoderHnsw(withBytes("M", [...padded, 0x00])).m).toBe(16);
    refused(withBytes("M", [...padded, 0x02]), "BAD_FORMAT", "more than 64 bits");
    refused(withBytes("M", [...padded, 0x80, 0x00]), "BAD_FORMAT", "more than 64 bits");
  });

  test.each(["version", "M", "EfSearch", "layer count"] as const)("bounds the varint %s", (field) => {
    for (const value of [-1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const code = field === "version" && value > 0n && value < 2n ** 52n ? "UNSUPPORTED" : "BAD_FORMAT";
      refused(withBytes(field, zigzag(value)), code, "");
    }
  });
});
