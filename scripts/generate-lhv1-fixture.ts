// Writes test/fixtures/lhv1/*.lhv1, snapshots of formatVersion 1: node scripts/generate-lhv1-fixture.ts
// A file that was released stays as it is: a later format gets files of its own beside it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeGraphSection } from "../src/drivers/vectors/graph-section.ts";
import { VectorIndex } from "../src/drivers/vectors/vector-index.ts";
import { checksumOf, encodeEnvelope } from "../src/formats/lhv1-envelope.ts";
import { writeLhv1 } from "../src/formats/lhv1.ts";

const FOLDER = new URL("../test/fixtures/lhv1/", import.meta.url);

/** What a fixture holds: vectors 1 to `count`, whose labels are their numbers. */
export interface Lhv1Fixture {
  /** Name of its file. */
  file: string;
  dimensions: number;
  metric: "cosine" | "dot" | "l2";
  quantization: "sq8" | "f32";
  count: number;
  /** How many of them, the last ones, wait for their links. */
  pending: number;
}

export const lhv1Fixtures: readonly Lhv1Fixture[] = [
  { file: "v1-sq8-cosine.lhv1", dimensions: 5, metric: "cosine", quantization: "sq8", count: 40, pending: 3 },
  { file: "v1-f32-l2.lhv1", dimensions: 3, metric: "l2", quantization: "f32", count: 33, pending: 0 },
  { file: "v1-sq8-dot.lhv1", dimensions: 17, metric: "dot", quantization: "sq8", count: 24, pending: 24 },
];

/** Model of the fixtures, and with it the name of their table. */
export const FIXTURE_MODEL = "fixture";

/** Vector number `label` of every fixture: sixty-fourths, which floats hold exactly, no two of them alike. */
export function fixtureVector(label: number, dimensions: number): Float32Array {
  return Float32Array.from(
    { length: dimensions },
    (_, at) => (((label * 31 + at * (17 + label * label)) % 101) - 50) / 64,
  );
}

/** The bytes of a fixture, as this version writes it. */
export function generateFixture(fixture: Lhv1Fixture): Uint8Array {
  const { dimensions, metric, quantization, count, pending } = fixture;
  const kernel = new WebAssembly.Module(readFileSync(new URL("../wasm/hnsw.wasm", import.meta.url)));
  const parameters = { m: 4, efConstruction: 32, seed: 1 };
  const options = { dimensions, metric, quantization, ...parameters, resident: false, maxMemoryBytes: 2 ** 24 };
  const index = new VectorIndex(kernel, options);
  for (let label = 1; label <= count; label++) {
    if (label === count - pending + 1) index.link(count);
    index.add(label, fixtureVector(label, dimensions));
  }
  if (pending === 0) index.link(count);
  const steps = writeGraphSection(index);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const { section: graph } = step.value;
  const envelope = encodeEnvelope({
    name: `chunk_embeddings_${FIXTURE_MODEL}_${dimensions}.1`,
    modelId: FIXTURE_MODEL,
    modelVersion: "1",
    dimensions,
    metric,
    quantization,
    parameters,
    count,
    revision: count,
    createdAt: Date.UTC(2026, 0, 1),
    graph: { encoding: "hnsw-1", byteLength: graph.length, checksum: checksumOf(index.checksum(graph)) },
  });
  return writeLhv1(envelope, [graph]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(FOLDER, { recursive: true });
  for (const fixture of lhv1Fixtures) writeFileSync(new URL(fixture.file, FOLDER), generateFixture(fixture));
}
