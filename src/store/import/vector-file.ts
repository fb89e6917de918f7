import type { VectorMetric } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { readCoderHnsw } from "../../formats/coder-hnsw.ts";
import { readHnswlibIndex } from "../../formats/hnswlib-index.ts";
import { snapshotKind } from "../../formats/lhv1-envelope.ts";
import { readLhv1 } from "../../formats/lhv1.ts";

/** Which program wrote a file: this one, a `coder/hnsw` export in an LHV1 frame, or hnswlib. */
export type VectorFileFormat = "lodestore" | "coder-hnsw" | "hnswlib";

/** The vectors of a file of another program. */
export interface VectorFile {
  format: Exclude<VectorFileFormat, "lodestore">;
  metric: VectorMetric;
  /** 1 to 4096; 0 if there are no vectors. */
  dimensions: number;
  /** What the file calls its vectors, no two alike. */
  labels: string[];
  /** `labels.length` × `dimensions` finite values. */
  vectors: Float32Array;
  /** Vectors that were marked deleted, and are left out. */
  deletedCount: number;
}

const MAGIC = [0x4c, 0x48, 0x56, 0x31] as const;
/** Both kinds of files have more than this. */
const LEAST_BYTES = 8;

/** Returns whether the bytes begin as an LHV1 file or as an hnswlib index do.
 *  @throws StorageError BAD_FORMAT: as neither */
export function vectorFrame(bytes: Uint8Array, operation: string): "lhv1" | "hnswlib" {
  if (bytes.length >= LEAST_BYTES) {
    if (MAGIC.every((byte, at) => bytes[at] === byte)) return "lhv1";
    // The first field of an hnswlib index is 0 in every file.
    if (bytes.subarray(0, 4).every((byte) => byte === 0)) return "hnswlib";
  }
  const message = `the file of ${bytes.length} bytes is neither LHV1 nor an index of hnswlib`;
  throw new StorageError("BAD_FORMAT", message, { capability: "vectors", operation });
}

/** Returns the labels and vectors of an LHV1 file with a `coder/hnsw` graph, or of an hnswlib index file. Every length is
 *  held against the bytes left before anything is allocated, so that memory stays below twice the file.
 *  @param options.metric What an hnswlib index was made with, `cosine` by default: the file does not say. Where a file says, it must agree.
 *  @throws StorageError BAD_FORMAT, CORRUPT, INVALID_INPUT (metric), UNSUPPORTED (a snapshot of Lodestore's own: it is derived from its
 *  store and quantized; more than 4096 dimensions; another version)
 *  @example
 *    const file = readVectorFile(await readFile("hnswlib.index"), { metric: "cosine" }); */
export function readVectorFile(bytes: Uint8Array, options: { metric?: VectorMetric } = {}): VectorFile {
  const operation = "readVectorFile";
  if (vectorFrame(bytes, operation) === "hnswlib") {
    const { metric, dimensions, labels, vectors, deletedCount } = readHnswlibIndex(bytes, options.metric ?? "cosine");
    return { format: "hnswlib", metric, dimensions, labels: labels.map(String), vectors, deletedCount };
  }
  const { envelope, graph } = readLhv1(bytes);
  if (snapshotKind(envelope) === "lodestore") {
    const message = "the file is a snapshot of Lodestore's own: its store has the vectors themselves";
    throw new StorageError("UNSUPPORTED", message, { capability: "vectors", operation });
  }
  const { metric, dimensions, keys, vectors } = readCoderHnsw(graph);
  if (options.metric !== undefined && options.metric !== metric) {
    const message = `metric got "${options.metric}"; the file says "${metric}"`;
    throw new StorageError("INVALID_INPUT", message, { capability: "vectors", operation });
  }
  return { format: "coder-hnsw", metric, dimensions, labels: keys, vectors, deletedCount: 0 };
}
