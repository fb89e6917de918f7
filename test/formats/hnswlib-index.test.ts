import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readHnswlibIndex } from "../../src/formats/hnswlib-index.ts";
import { dataFile } from "./data-file.ts";
import { type HnswlibElement, writeHnswlib } from "./hnswlib-writer.ts";
import { fromHex, sampleHnswlib } from "./sample-files.ts";

const ELEMENT: HnswlibElement = { label: 5n, vector: [1, 2], links: [[]] };
const BASE = { dimensions: 2, m: 2, elements: [ELEMENT, { ...ELEMENT, label: 6n }] };
/** Where the fields of a 64-bit header begin. */
const AT = {
  max: 8,
  count: 16,
  size: 24,
  label: 32,
  data: 40,
  level: 48,
  entry: 52,
  maxM: 56,
  maxM0: 64,
  m: 72,
  mult: 80,
  ef: 88,
};
const HEADER_BYTES = 96;

/** (1, 0), (0, 1), (½, ¼), (-1, 2) under the labels 10 to 13, 12 deleted, M 2, efConstruction 10: real files. */
const NATIVE = fromHex(`
  00000000000000000500000000000000040000000000000024000000000000001c000000000000001400000000000000
  0400000003000000020000000000000004000000000000000200000000000000fe822b654715f73f0a00000000000000
  02000000010000000200000000000000000000000000803f000000000a00000000000000030000000000000002000000
  0300000000000000000000000000803f0b0000000000000002000100010000000000000000000000000000000000003f
  0000803e0c000000000000000100000001000000000000000000000000000000000080bf000000400d00000000000000
  0c0000000100000001000000000000000c00000002000000000000000300000000000000300000000100000001000000
  00000000000000000000000000000000000000000000000000000000000000000000000000000000`);
const WASM = fromHex(`
  000000000500000004000000200000001c000000140000000200000003000000020000000400000002000000fe822b65
  4715f73f0a00000002000000010000000200000000000000000000000000803f000000000a0000000300000000000000
  020000000300000000000000000000000000803f0b00000002000100010000000000000000000000000000000000003f
  0000803e0c0000000100000001000000000000000000000000000000000080bf000000400d0000000c00000001000000
  0300000000000000000000000000000018000000010000000000000000000000000000000000000000000000`);

function refused(bytes: Uint8Array, code: string, message: string): void {
  expect(() => readHnswlibIndex(bytes, "l2")).toThrow(
    expect.objectContaining({ code, capability: "vectors", message: expect.stringContaining(message) }),
  );
}

/** Returns a copy with a 32-bit word at a place written anew. */
function patched(bytes: Uint8Array, at: number, word: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, word, true);
  return copy;
}

describe("an hnswlib index file", () => {
  test("written by hnswlib is read: ada-002 embeddings, cosine", async ({ skip }) => {
    const file = dataFile("vectors/hnswlib-ada002/hnswlib.index");
    const texts = dataFile("vectors/hnswlib-ada002/docstore.json");
    skip(file.missing, file.note);
    const index = readHnswlibIndex(await readFile(file.path), "cosine");
    expect(index).toMatchObject({ metric: "cosine", dimensions: 1536, m: 16, efConstruction: 200, deletedCount: 0 });
    const documents = JSON.parse(await readFile(texts.path, "utf8")) as [string, unknown][];
    expect(new Set(index.labels.map(String))).toEqual(new Set(documents.map(([label]) => label)));
    expect(index.vectors).toHaveLength(332 * 1536);
    for (let at = 0; at < index.vectors.length; at += 1536) {
      expect(Math.hypot(...index.vectors.subarray(at, at + 1536))).toBeCloseTo(1, 5);
    }
  });

  test.each([
    ["hnswlib-node 3.0.0", NATIVE],
    ["hnswlib-wasm 0.8.2, whose words have 32 bits", WASM],
  ])("written by %s is read, without what was deleted", (_, file) => {
    expect(readHnswlibIndex(file, "l2")).toEqual({
      metric: "l2",
      dimensions: 2,
      m: 2,
      efConstruction: 10,
      labels: [10, 11, 13],
      vectors: Float32Array.of(1, 0, 0, 1, -1, 2),
      deletedCount: 1,
    });
  });

  test.each([8, 4] as const)("is read with words of %i bytes, without what is deleted", (wordBytes) => {
    expect(readHnswlibIndex(sampleHnswlib(wordBytes), "dot")).toEqual({
      metric: "dot",
      dimensions: 3,
      m: 2,
      efConstruction: 200,
      labels: [7, 1, 4_000_000_000],
      vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0.5, 0.5, 0),
      deletedCount: 1,
    });
  });

  test("is read when it is empty", () => {
    const index = readHnswlibIndex(writeHnswlib({ ...BASE, elements: [] }), "l2");
    expect(index).toMatchObject({ dimensions: 2, labels: [], deletedCount: 0 });
    expect(index.vectors).toHaveLength(0);
  });

  test("is read from the middle of a buffer", () => {
    const file = writeHnswlib(BASE);
    const padded = new Uint8Array(file.length + 2);
    padded.set(file, 1);
    expect(readHnswlibIndex(padded.subarray(1, -1), "l2").labels).toEqual([5, 6]);
  });

  test.each<[string, Partial<Parameters<typeof writeHnswlib>[0]>, string, string]>([
    ["fewer places than elements", { maxElements: 1 }, "BAD_FORMAT", "cur_element_count"],
    ["M 1", { m: 1 }, "BAD_FORMAT", "maxM is 1"],
    ["ef_construction 0", { efConstruction: 0 }, "BAD_FORMAT", "ef_construction"],
    ["an entry point beyond the end", { entryPoint: 2 }, "BAD_FORMAT", "enterpoint_node"],
    ["a label twice", { elements: [ELEMENT, ELEMENT] }, "CORRUPT", "label 5 is there twice"],
    ["a label of 2^53", { elements: [{ ...ELEMENT, label: 2n ** 53n }] }, "UNSUPPORTED", "a label is beyond"],
    ["NaN in a vector", { elements: [{ ...ELEMENT, vector: [0, Number.NaN] }] }, "CORRUPT", "[1] is NaN"],
    ["a link beyond the end", { elements: [{ ...ELEMENT, links: [[1]] }] }, "CORRUPT", "links to 1 of 1"],
    ["an upper link beyond the end", { elements: [{ ...ELEMENT, links: [[], [9]] }] }, "CORRUPT", "links to 9 of 1"],
    [
      "an entry point that is not on the highest level",
      { elements: [ELEMENT, { ...ELEMENT, label: 6n, links: [[], []] }], entryPoint: 0 },
      "CORRUPT",
      "element 0 has 0 levels",
    ],
    ["4097 dimensions", { dimensions: 4097, elements: [] }, "UNSUPPORTED", "4097"],
    ["no dimensions", { dimensions: 0, elements: [] }, "BAD_FORMAT", "dimensions"],
  ])("is refused with %s", (_, change, code, message) => {
    refused(writeHnswlib({ ...BASE, ...change }), code, message);
  });

  test("may have a deleted element under a label that is used again", () => {
    const deleted = { ...ELEMENT, deleted: true };
    expect(readHnswlibIndex(writeHnswlib({ ...BASE, elements: [deleted, ELEMENT] }), "l2")).toMatchObject({
      labels: [5],
      deletedCount: 1,
    });
  });

  test.each<[string, number, number, string]>([
    ["offsetLevel0", 0, 4, "offsetLevel0 is 4"],
    ["max_elements of 2^63", AT.max + 4, 2 ** 31, "beyond 2^53"],
    ["cur_element_count", AT.count, 4, "cur_element_count is 4"],
    ["cur_element_count of 2^32", AT.count + 4, 1, "cur_element_count"],
    ["size_data_per_element", AT.size, 35, "size_data_per_element"],
    ["label_offset off a float", AT.label, 29, "32-bit floats"],
    ["label_offset before the vector", AT.label, 4, "dimensions"],
    ["offsetData", AT.data, 16, "offsetData"],
    ["maxlevel", AT.level, 2 ** 31, "maxlevel"],
    ["maxM0", AT.maxM0, 5, "maxM0"],
    ["M", AT.m, 3, "M is 3"],
    ["mult", AT.mult + 4, 0x7ff80000, "mult is NaN"],
    ["a size of a link list", HEADER_BYTES + 2 * 36, 3, "a link list takes 3"],
    ["a size of a link list beyond the end", HEADER_BYTES + 2 * 36, 120, "a link list takes 120"],
  ])("is refused with another %s", (_, at, word, message) => {
    refused(patched(writeHnswlib(BASE), at, word), "BAD_FORMAT", message);
  });

  test("is refused with another highest level than its elements have", () => {
    refused(patched(writeHnswlib({ ...BASE, elements: [] }), AT.level, 0), "BAD_FORMAT", "maxlevel is 0");
    const upper = writeHnswlib({
      ...BASE,
      elements: [ELEMENT, { ...ELEMENT, label: 6n, links: [[], []] }],
      entryPoint: 0,
    });
    refused(patched(upper, AT.level, 0), "CORRUPT", "element 1 has 1 levels");
  });

  test("is refused with more links than M allows, and with flags that are not known", () => {
    refused(patched(writeHnswlib(BASE), HEADER_BYTES, 5), "CORRUPT", "5 links");
    refused(patched(writeHnswlib(BASE), HEADER_BYTES, 1 << 17), "CORRUPT", "131072 links");
    refused(patched(writeHnswlib(BASE), HEADER_BYTES, 2 ** 31), "CORRUPT", "2147483648 links");
  });

  test("is refused with a count that the bytes left cannot hold", () => {
    const roomy = writeHnswlib({ ...BASE, maxElements: 1_000_000 });
    refused(patched(roomy, AT.count, 1_000_000), "BAD_FORMAT", "1000000 elements of 36 bytes");
  });

  test("is refused with bytes after its end", () => {
    refused(Uint8Array.from([...writeHnswlib(BASE), 0]), "BAD_FORMAT", "1 bytes left");
  });
});
