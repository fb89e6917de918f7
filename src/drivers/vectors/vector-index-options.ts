import type { VectorMetric } from "../../contracts/vectors.ts";

/** How the walk reads vectors: 8-bit codes with a scale each, or 32-bit floats. */
export type Quantization = "sq8" | "f32";

/** Parameters of an index. */
export interface VectorIndexOptions {
  dimensions: number;
  metric: VectorMetric;
  quantization: Quantization;
  /** Links a node has above layer 0, 4 to 64; layer 0 has 2 m - 2. 0 makes an index that is only scanned. */
  m: number;
  /** Width of the walk that finds a new node's neighbours, 8 to 4096. */
  efConstruction: number;
  /** Seed of the levels: equal seed, order and vectors make equal graphs. */
  seed: number;
  /** Keeps full-precision vectors beside the codes: 4 bytes a dimension each. Without, a search is told them. */
  resident: boolean;
  /** Most bytes of memory, 4 GiB - 64 KiB at most. */
  maxMemoryBytes: number;
}
