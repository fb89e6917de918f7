import { ByteReader } from "./byte-reader.ts";
import type { VectorMetric } from "./vector-limits.ts";

/** The beginning of a graph section of ours, encoding "hnsw-1": wasm/FORMAT.md describes every byte. */
const MAGIC = 0x3147484c;
const HEADER_BYTES = 64;
const METRICS: readonly VectorMetric[] = ["cosine", "dot", "l2"];
const KINDS = ["f32", "sq8"] as const;
/** Level of a node that is not in the graph yet. */
const PENDING = 0xfe;
const MAX_LEVEL = 15;

/** What a graph section says of itself. */
export interface GraphHeader {
  /** Nodes, that is vectors. */
  count: number;
  dimensions: number;
  metric: VectorMetric;
  quantization: "sq8" | "f32";
  m: number;
  /** Nodes per level, layer 0 first: a node of level 2 is in three layers. */
  levels: number[];
  /** Nodes that are not in the graph yet. */
  unlinked: number;
}

/** Reads the header and the levels of a graph section; links and records are not looked at.
 *  @throws StorageError BAD_FORMAT */
export function readGraphHeader(section: Uint8Array): GraphHeader {
  const reader = new ByteReader(section, "readGraphHeader");
  reader.skip(HEADER_BYTES, "the header of the graph");
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw reader.error("BAD_FORMAT", "the graph does not begin with LHG1");
  const count = view.getUint32(4, true);
  const metric = METRICS[view.getUint8(12)];
  const quantization = KINDS[view.getUint8(13)];
  if (metric === undefined || quantization === undefined) {
    throw reader.error(
      "BAD_FORMAT",
      `metric ${view.getUint8(12)} or kind ${view.getUint8(13)} of the graph is unknown`,
    );
  }
  const first = reader.skip(count, "the levels of the graph");
  const levels: number[] = [];
  let unlinked = 0;
  for (const level of section.subarray(first, first + count)) {
    if (level === PENDING) unlinked++;
    else if (level > MAX_LEVEL) throw reader.error("BAD_FORMAT", `a node of the graph has level ${level}`);
    else for (let layer = 0; layer <= level; layer++) levels[layer] = (levels[layer] ?? 0) + 1;
  }
  return {
    count,
    dimensions: view.getUint32(8, true),
    metric,
    quantization,
    m: view.getUint16(14, true),
    levels: Array.from(levels, (nodes) => nodes ?? 0),
    unlinked,
  };
}
