import type { VectorMetric } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { ByteReader } from "../../formats/byte-reader.ts";
import { readCoderHnsw } from "../../formats/coder-hnsw.ts";
import { readGraphHeader } from "../../formats/graph-header.ts";
import { readHnswlibHeader } from "../../formats/hnswlib-header.ts";
import { readHnswlibIndex } from "../../formats/hnswlib-index.ts";
import { decodeEnvelope, snapshotKind, verifyGraph } from "../../formats/lhv1-envelope.ts";
import { type Lhv1File, readLhv1 } from "../../formats/lhv1.ts";
import type { SnapshotEnvelope } from "../../formats/snapshot-envelope.ts";
import { xxh64 } from "../../formats/xxh64.ts";
import { type VectorFileFormat, vectorFrame } from "./vector-file.ts";

/** A part of a file. */
export interface FileSection {
  name: string;
  /** Where it begins, in bytes. */
  offset: number;
  byteLength: number;
}

/** What a file with vectors says, and whether it is sound. */
export interface VectorFileInspection {
  format: VectorFileFormat;
  sizeBytes: number;
  /** In the order of the file. */
  sections: FileSection[];
  /** The envelope of an LHV1 file as it stands there; null where the file has none. */
  envelope: Record<string, unknown> | null;
  /** Version of the format; null where the file does not say. */
  version: number | null;
  /** How the graph is written. */
  encoding: "hnsw-1" | "coder/hnsw" | "hnswlib";
  /** Vectors in the file; null where it cannot be told. Those that are marked deleted are counted apart. */
  vectors: number | null;
  deleted: number;
  /** Of them not in the graph yet. */
  unlinked: number;
  dimensions: number | null;
  /** null where the file does not say. */
  metric: VectorMetric | null;
  quantization: "sq8" | "f32" | null;
  m: number | null;
  efConstruction: number | null;
  /** Nodes per level, layer 0 first; null where it is not told. */
  levels: number[] | null;
  /** Last change of its store that a snapshot holds. */
  revision: number | null;
  /** Of the envelope, and of the graph. */
  checksums: { envelope: ChecksumState; graph: ChecksumState };
  /** What is wrong with the file; empty where its checksums hold and its parts agree. The links of a snapshot are looked at only
   *  by the store that opens it. */
  problems: { code: string; message: string }[];
}

/** Whether a part is what its checksum says; `none` where the format has no checksum, or where there is nothing to hold it against. */
export type ChecksumState = "verified" | "wrong" | "none";

const OPERATION = "inspectVectorFile";
const FRAME_BYTES = 8;
const UNKNOWN = {
  envelope: null,
  version: null,
  vectors: null,
  deleted: 0,
  unlinked: 0,
  dimensions: null,
  metric: null,
  quantization: null,
  m: null,
  efConstruction: null,
  levels: null,
  revision: null,
  checksums: { envelope: "none", graph: "none" },
} as const;

/** Reads a file to its end and says what is in it: a snapshot of ours, an LHV1 file with a `coder/hnsw` graph, or an hnswlib index.
 *  What is wrong inside is an answer and not an error.
 *  @throws StorageError BAD_FORMAT: the file is none of them */
export function inspectVectorFile(bytes: Uint8Array): VectorFileInspection {
  if (vectorFrame(bytes, OPERATION) === "hnswlib") return inspectHnswlib(bytes);
  const file = readLhv1(bytes);
  const envelopeBytes = bytes.length - FRAME_BYTES - file.graph.length;
  const frame = {
    ...UNKNOWN,
    sizeBytes: bytes.length,
    sections: [
      { name: "frame", offset: 0, byteLength: FRAME_BYTES },
      { name: "envelope", offset: FRAME_BYTES, byteLength: envelopeBytes },
      { name: "graph", offset: FRAME_BYTES + envelopeBytes, byteLength: file.graph.length },
    ],
    envelope: file.envelope,
  };
  return snapshotKind(file.envelope) === "foreign" ? inspectForeign(file, frame) : inspectOwn(file, frame);
}

type Frame = Omit<VectorFileInspection, "format" | "encoding" | "problems">;

function inspectForeign({ graph }: Lhv1File, frame: Frame): VectorFileInspection {
  const problems: VectorFileInspection["problems"] = [];
  const read = attempt(problems, () => readCoderHnsw(graph));
  return {
    ...frame,
    format: "coder-hnsw",
    encoding: "coder/hnsw",
    // The only one that is read.
    version: read === undefined ? null : 1,
    vectors: read?.keys.length ?? null,
    dimensions: read?.dimensions ?? null,
    metric: read?.metric ?? null,
    m: read?.m ?? null,
    problems,
  };
}

function inspectOwn({ envelope, graph }: Lhv1File, frame: Frame): VectorFileInspection {
  const problems: VectorFileInspection["problems"] = [];
  const decoded = attempt(problems, () => decodeEnvelope(envelope));
  const verified =
    decoded !== undefined &&
    attempt(problems, () => {
      verifyGraph(decoded, graph, xxh64);
      return true;
    }) === true;
  const header = attempt(problems, () => readGraphHeader(graph));
  if (decoded !== undefined && header !== undefined) problems.push(...contradictions(decoded, header));
  const version = envelope["formatVersion"];
  return {
    ...frame,
    format: "lodestore",
    encoding: "hnsw-1",
    version: typeof version === "number" ? version : null,
    vectors: header?.count ?? null,
    unlinked: header?.unlinked ?? 0,
    dimensions: header?.dimensions ?? null,
    metric: header?.metric ?? null,
    quantization: header?.quantization ?? null,
    m: header?.m ?? null,
    efConstruction: decoded?.parameters.efConstruction ?? null,
    levels: header?.levels ?? null,
    revision: decoded?.revision ?? null,
    checksums: {
      envelope: decoded === undefined ? "wrong" : "verified",
      // Without an envelope to believe there is nothing to hold the graph against.
      graph: verified ? "verified" : decoded === undefined ? "none" : "wrong",
    },
    problems,
  };
}

function inspectHnswlib(bytes: Uint8Array): VectorFileInspection {
  const problems: VectorFileInspection["problems"] = [];
  const reader = new ByteReader(bytes, OPERATION);
  const header = attempt(problems, () => readHnswlibHeader(reader));
  const headerBytes = header === undefined ? 0 : reader.offset;
  const baseBytes = header === undefined ? 0 : header.count * header.elementBytes;
  const read = header === undefined ? undefined : attempt(problems, () => readHnswlibIndex(bytes, "cosine"));
  return {
    ...UNKNOWN,
    format: "hnswlib",
    encoding: "hnswlib",
    sizeBytes: bytes.length,
    sections:
      header === undefined
        ? []
        : [
            { name: "header", offset: 0, byteLength: headerBytes },
            { name: "level 0", offset: headerBytes, byteLength: baseBytes },
            {
              name: "levels above",
              offset: headerBytes + baseBytes,
              byteLength: bytes.length - headerBytes - baseBytes,
            },
          ],
    vectors: read?.labels.length ?? null,
    deleted: read?.deletedCount ?? 0,
    dimensions: header?.dimensions ?? null,
    m: header?.m ?? null,
    efConstruction: header?.efConstruction ?? null,
    problems,
  };
}

/** Fields in which an envelope and its graph differ. */
function contradictions(
  envelope: SnapshotEnvelope,
  header: ReturnType<typeof readGraphHeader>,
): VectorFileInspection["problems"] {
  const pairs = [
    ["count", envelope.count, header.count],
    ["dimensions", envelope.dimensions, header.dimensions],
    ["metric", envelope.metric, header.metric],
    ["quantization", envelope.quantization, header.quantization],
    ["parameters.m", envelope.parameters.m, header.m],
  ] as const;
  return pairs.flatMap(([field, said, found]) =>
    said === found
      ? []
      : [{ code: "CORRUPT", message: `${field} is ${said} in the envelope and ${found} in the graph` }],
  );
}

/** Returns what `read` returns; why it cannot be read is a problem of the file. */
function attempt<T>(problems: VectorFileInspection["problems"], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    problems.push({ code: error.code, message: error.message });
    return undefined;
  }
}
