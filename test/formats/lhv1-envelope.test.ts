import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checksumOf,
  decodeEnvelope,
  encodeEnvelope,
  snapshotKind,
  verifyGraph,
} from "../../src/formats/lhv1-envelope.ts";
import { readLhv1 } from "../../src/formats/lhv1.ts";
import type { SnapshotDescription } from "../../src/formats/snapshot-envelope.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { DESCRIPTION, GRAPH, sampleEnvelope, sampleSnapshot } from "./sample-files.ts";

type Json = Record<string, unknown>;

/** Returns the sample envelope with a field changed (`parameters.m`), or removed where the value is undefined. */
function changed(path: string, value: unknown): Json {
  const envelope = structuredClone(sampleEnvelope()) as unknown as Json;
  const [first = "", second] = path.split(".");
  const target = second === undefined ? envelope : (envelope[first] as Json);
  const key = second ?? first;
  if (value === undefined) delete target[key];
  else target[key] = value;
  return envelope;
}

const text = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });
const whole = fc.maxSafeNat();
const descriptions: fc.Arbitrary<SnapshotDescription> = fc.record({
  name: text,
  modelId: text,
  modelVersion: text,
  dimensions: fc.integer({ min: 1, max: 4096 }),
  metric: fc.constantFrom("cosine", "dot", "l2"),
  quantization: fc.constantFrom("sq8", "f32"),
  parameters: fc.record({
    m: fc.integer({ min: 0, max: 256 }),
    efConstruction: fc.integer({ min: 1, max: 4096 }),
    seed: whole,
  }),
  count: whole,
  revision: whole,
  createdAt: whole,
  graph: fc.record({
    encoding: fc.constant("hnsw-1"),
    byteLength: whole,
    checksum: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(checksumOf),
  }),
});

describe("the envelope of a snapshot", () => {
  test("comes back from a file as it was written", () => {
    const { envelope, graph } = readLhv1(sampleSnapshot());
    expect(snapshotKind(envelope)).toBe("lodestore");
    const decoded = decodeEnvelope(envelope);
    expect(decoded).toEqual(sampleEnvelope());
    expect(decoded).toMatchObject({ ...DESCRIPTION, format: "lodestore-hnsw", formatVersion: 1 });
    verifyGraph(decoded, graph, xxh64);
  });

  test("has the checksum that was first released", () => {
    expect(sampleEnvelope().checksum).toBe("e3c85ba788b15936");
  });

  test("carries the XXH64 of its RFC 8785 form without the checksum", () => {
    fc.assert(
      fc.property(descriptions, (description) => {
        const { checksum, ...unsigned } = encodeEnvelope(description);
        expect(checksum).toBe(checksumOf(xxh64(new TextEncoder().encode(canonicalize(unsigned)))));
        const shuffled = Object.fromEntries(Object.entries({ ...unsigned, checksum }).toReversed());
        expect(decodeEnvelope(JSON.parse(JSON.stringify(shuffled)) as Json)).toEqual({ ...unsigned, checksum });
      }),
    );
  });

  test.each([
    ["format", "lodestore-flat"],
    ["format", 1],
    ["formatVersion", 0],
    ["formatVersion", "1"],
    ["formatVersion", undefined],
    ["name", ""],
    ["name", "x".repeat(513)],
    ["modelId", "x".repeat(257)],
    ["name", "\ud800"],
    ["modelId", 7],
    ["modelVersion", null],
    ["dimensions", 0],
    ["dimensions", 4097],
    ["dimensions", 1.5],
    ["metric", "ip"],
    ["metric", undefined],
    ["quantization", "pq"],
    ["parameters", []],
    ["parameters", undefined],
    ["parameters.m", -1],
    ["parameters.efConstruction", 0],
    ["parameters.seed", 2 ** 53],
    ["count", -1],
    ["revision", 2 ** 53],
    ["revision", -1],
    ["createdAt", "now"],
    ["graph", null],
    ["graph.encoding", "hnsw-2"],
    ["graph.byteLength", -1],
    ["graph.checksum", "ABCDEF0123456789"],
    ["graph.checksum", "abc"],
    ["checksum", undefined],
    ["checksum", "0"],
  ])("refuses %s = %j by name", (field, value) => {
    expect(() => decodeEnvelope(changed(field, value))).toThrow(
      expect.objectContaining({ code: "BAD_FORMAT", message: expect.stringContaining(field) }),
    );
  });

  test.each(["extra", "parameters.ef", "graph.offset"])("refuses the field %s, which no checksum covers", (field) => {
    expect(() => decodeEnvelope(changed(field, 1))).toThrow(
      expect.objectContaining({ code: "BAD_FORMAT", message: expect.stringContaining(field.split(".").at(-1)!) }),
    );
  });

  test.each([
    ["name", "another"],
    ["modelId", "another"],
    ["modelVersion", "v2"],
    ["dimensions", 385],
    ["metric", "dot"],
    ["quantization", "f32"],
    ["parameters.m", 17],
    ["parameters.efConstruction", 201],
    ["parameters.seed", 43],
    ["count", 4],
    ["revision", 1235],
    ["createdAt", 1],
    ["graph.byteLength", 101],
    ["graph.checksum", "0000000000000000"],
    ["checksum", "0000000000000000"],
  ])("sees that %s was changed", (field, value) => {
    expect(() => decodeEnvelope(changed(field, value))).toThrow(expect.objectContaining({ code: "CORRUPT" }));
  });

  test("refuses a later version by name, whatever else it says", () => {
    const later = { format: "lodestore-hnsw", formatVersion: 2, shape: "unknown" };
    expect(() => decodeEnvelope(later)).toThrow(
      expect.objectContaining({ code: "SCHEMA_TOO_NEW", message: expect.stringContaining("formatVersion 2") }),
    );
  });

  test("is not written with a field that would not be read", () => {
    expect(() => encodeEnvelope({ ...DESCRIPTION, revision: -1 })).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        message: "revision got -1; it takes an integer from 0 to 9007199254740991",
      }),
    );
  });

  test("is foreign where it names no format", () => {
    expect(snapshotKind({ model: "x", version: 1 })).toBe("foreign");
    expect(snapshotKind({ format: null })).toBe("lodestore");
  });

  test("sees a graph that was cut, and one with a bit changed", () => {
    const envelope = sampleEnvelope();
    const corrupt = (message: string): unknown =>
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining(message) });
    expect(() => verifyGraph(envelope, GRAPH.subarray(1), xxh64)).toThrow(corrupt("byteLength is 100, but 99 bytes"));
    const flipped = GRAPH.with(50, GRAPH[50]! ^ 1);
    expect(() => verifyGraph(envelope, flipped, xxh64)).toThrow(corrupt("graph.checksum is 9ddada11d3dc2d8f"));
    verifyGraph(envelope, GRAPH, xxh64);
  });
});
