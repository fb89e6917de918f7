import { checksumOf, encodeEnvelope } from "../../src/formats/lhv1-envelope.ts";
import { writeLhv1 } from "../../src/formats/lhv1.ts";
import type { SnapshotDescription, SnapshotEnvelope } from "../../src/formats/snapshot-envelope.ts";
import { xxh64 } from "../../src/formats/xxh64.ts";
import { writeCoderHnsw } from "./coder-hnsw-writer.ts";
import { writeHnswlib } from "./hnswlib-writer.ts";

/** Returns the bytes that hex digits stand for; blanks are for the reader. */
export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Returns `length` bytes that do not repeat soon. */
export function patternBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 131 + 7) & 255);
}

/** The graph section of the sample snapshot. */
export const GRAPH: Uint8Array = patternBytes(100);

/** What the sample snapshot says. */
export const DESCRIPTION: SnapshotDescription = {
  name: "chunk_embeddings_bge-small_384",
  modelId: "BAAI/bge-small-en",
  modelVersion: "v1.5",
  dimensions: 384,
  metric: "cosine",
  quantization: "sq8",
  parameters: { m: 16, efConstruction: 200, seed: 42 },
  count: 3,
  revision: 1234,
  createdAt: 1_790_000_000_000,
  graph: { encoding: "hnsw-1", byteLength: GRAPH.length, checksum: checksumOf(xxh64(GRAPH)) },
};

/** Returns the envelope of the sample snapshot. */
export function sampleEnvelope(): SnapshotEnvelope {
  return encodeEnvelope(DESCRIPTION);
}

/** Returns the sample snapshot of ours. */
export function sampleSnapshot(): Uint8Array {
  return writeLhv1(sampleEnvelope(), [GRAPH]);
}

/** Returns an export with five nodes in three layers. */
export function sampleCoder(): Uint8Array {
  const node = (key: string, vector: number[], ...neighbours: string[]) => ({ key, vector, neighbours });
  const [a, b, c] = [
    [1, 0, 0.5],
    [0, 1, -0.5],
    [0.25, 0.25, 1],
  ];
  return writeCoderHnsw({
    distance: "euclidean",
    layers: [
      [node("a", a, "b", "é"), node("b", b, "a"), node("é", c, "a", "b"), node("four", a), node("five", b, "four")],
      [node("é", c, "b"), node("b", b, "é")],
      [node("b", b)],
    ],
  });
}

/** Returns an hnswlib index of four elements, one of them deleted, one with two levels. */
export function sampleHnswlib(wordBytes: 4 | 8 = 8): Uint8Array {
  return writeHnswlib({
    wordBytes,
    dimensions: 3,
    m: 2,
    elements: [
      { label: 7n, vector: [1, 0, 0], links: [[1, 2]] },
      { label: 1n, vector: [0, 1, 0], links: [[0, 2, 3], [2]] },
      { label: 8n, vector: [0, 0, 1], deleted: true, links: [[1], [1], []] },
      { label: 4_000_000_000n, vector: [0.5, 0.5, 0], links: [[0]] },
    ],
  });
}
