import type { VectorMetric } from "./vector-limits.ts";

/** What the graph section of a snapshot of ours is. */
export interface SnapshotGraph {
  /** How the bytes are to be read: the image of the HNSW kernel. */
  encoding: "hnsw-1";
  byteLength: number;
  /** XXH64 of the section, seed 0: 16 lower-case hex digits. */
  checksum: string;
}

/** What a snapshot says of itself. */
export interface SnapshotDescription {
  /** 1 to 512 characters: a table's name holds its model's. */
  name: string;
  /** 1 to 256 characters. */
  modelId: string;
  /** 1 to 256 characters. */
  modelVersion: string;
  /** 1 to 4096. */
  dimensions: number;
  metric: VectorMetric;
  quantization: "sq8" | "f32";
  /** `m` 0 (no edges: exact scan) to 256, `efConstruction` 1 to 4096, `seed` from 0. */
  parameters: { m: number; efConstruction: number; seed: number };
  /** Vectors in the graph section. */
  count: number;
  /** The revision of the store that the snapshot was taken at: what is newer is replayed. */
  revision: number;
  /** Unix time in milliseconds. */
  createdAt: number;
  graph: SnapshotGraph;
}

/** The envelope of our own snapshots. */
export interface SnapshotEnvelope extends SnapshotDescription {
  format: "lodestore-hnsw";
  formatVersion: 1;
  /** XXH64 of the canonical JSON (RFC 8785) of the envelope without this field: 16 lower-case hex digits. */
  checksum: string;
}
