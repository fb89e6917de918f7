import type { VectorIndexInfo } from "../../contracts/vectors.ts";
import type { LiveIndex } from "./live-index.ts";
import { levelsOf } from "./vector-index.ts";

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
