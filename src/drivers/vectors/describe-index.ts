import type { VectorIndexInfo } from "../../contracts/vectors.ts";
import type { LiveIndex } from "./live-index.ts";
import type { VectorIndex } from "./vector-index.ts";

/** What there is to know of an index that is open. */
export function describeIndex(live: LiveIndex): VectorIndexInfo {
  const index = live.index!;
  const linked = index.count - index.pendingCount;
  return {
    modelVersion: live.modelVersion,
    vectors: index.count,
    engine: linked > 0 ? "hnsw" : "flat",
    quantization: index.options.quantization,
    linked,
    unlinked: index.pendingCount,
    levels: levelsOf(index),
    memoryBytes: index.memoryBytes,
    resident: index.resident,
    revision: live.revision,
    snapshot: live.snapshot,
  };
}

/** Nodes per level of an index's graph, layer 0 first. */
function levelsOf(index: VectorIndex): number[] {
  const { kernel } = index;
  const levels = new Uint8Array(kernel.memory.buffer, kernel.levelsAt(), kernel.slots());
  const nodes: number[] = [];
  for (const level of levels) {
    if (level > 15) continue;
    for (let at = 0; at <= level; at++) nodes[at] = (nodes[at] ?? 0) + 1;
  }
  return nodes;
}
