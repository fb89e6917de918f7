import { type EnvelopeSite, fieldError, integerField, objectField, oneOfField, textField } from "./envelope-field.ts";
import { formatError } from "./format-error.ts";
import type { SnapshotDescription, SnapshotEnvelope } from "./snapshot-envelope.ts";
import { MAX_DIMENSIONS } from "./vector-limits.ts";
import { xxh64 } from "./xxh64.ts";

const FORMAT = "lodestore-hnsw";
const FORMAT_VERSION = 1;
const FIELDS: readonly string[] = [
  "format",
  "formatVersion",
  "name",
  "modelId",
  "modelVersion",
  "dimensions",
  "metric",
  "quantization",
  "parameters",
  "count",
  "revision",
  "createdAt",
  "graph",
  "checksum",
];
const METRICS = ["cosine", "dot", "l2"] as const;
const QUANTIZATIONS = ["sq8", "f32"] as const;
const MAX_NAME = 512;
const MAX_MODEL_TEXT = 256;
const MAX_M = 256;
const MAX_EF_CONSTRUCTION = 4096;
const CHECKSUM = /^[0-9a-f]{16}$/;

/** Returns who wrote a snapshot: an envelope without a `format` field is foreign, its graph a `coder/hnsw` export. */
export function snapshotKind(envelope: Record<string, unknown>): "lodestore" | "foreign" {
  return Object.hasOwn(envelope, "format") ? "lodestore" : "foreign";
}

/** Returns a 64-bit hash as checksums are written: 16 lower-case hex digits. */
export function checksumOf(hash: bigint): string {
  return hash.toString(16).padStart(16, "0");
}

/** Returns the envelope of a snapshot, complete with its checksum.
 *  @throws StorageError INVALID_INPUT for a field that `decodeEnvelope` would refuse. */
export function encodeEnvelope(description: SnapshotDescription): SnapshotEnvelope {
  const site: EnvelopeSite = { code: "INVALID_INPUT", operation: "encodeEnvelope" };
  const unsigned = { format: FORMAT, formatVersion: FORMAT_VERSION, ...checked(site, { ...description }) } as const;
  return { ...unsigned, checksum: envelopeChecksum(unsigned) };
}

/** Returns the envelope that the JSON holds, every field checked.
 *  @throws StorageError BAD_FORMAT naming the field, SCHEMA_TOO_NEW, CORRUPT if the envelope's checksum differs */
export function decodeEnvelope(json: Record<string, unknown>): SnapshotEnvelope {
  const operation = "decodeEnvelope";
  const site: EnvelopeSite = { code: "BAD_FORMAT", operation };
  const format = oneOfField(site, "format", json["format"], [FORMAT]);
  const formatVersion = integerField(site, "formatVersion", json["formatVersion"], 1, Number.MAX_SAFE_INTEGER);
  if (formatVersion !== FORMAT_VERSION) {
    const message = `the snapshot has formatVersion ${formatVersion}; this Lodestore reads up to ${FORMAT_VERSION}`;
    throw formatError("SCHEMA_TOO_NEW", operation, message);
  }
  objectField(site, "envelope", json, FIELDS);
  const unsigned = { format, formatVersion, ...checked(site, json) } as const;
  const checksum = checksumField(site, "checksum", json["checksum"]);
  const found = envelopeChecksum(unsigned);
  if (checksum !== found) {
    throw formatError("CORRUPT", operation, `checksum is ${checksum}, but the envelope hashes to ${found}`);
  }
  return { ...unsigned, checksum };
}

/** Checks the graph section of a snapshot against its envelope.
 *  @param hash64 XXH64, seed 0, as fast as there is.
 *  @throws StorageError CORRUPT */
export function verifyGraph(
  envelope: SnapshotEnvelope,
  graph: Uint8Array,
  hash64: (bytes: Uint8Array) => bigint,
): void {
  const { byteLength, checksum } = envelope.graph;
  if (graph.length !== byteLength) {
    const message = `graph.byteLength is ${byteLength}, but ${graph.length} bytes follow the envelope`;
    throw formatError("CORRUPT", "verifyGraph", message);
  }
  const found = checksumOf(hash64(graph));
  if (found !== checksum) {
    throw formatError("CORRUPT", "verifyGraph", `graph.checksum is ${checksum}, but the graph hashes to ${found}`);
  }
}

function checked(site: EnvelopeSite, json: Record<string, unknown>): SnapshotDescription {
  const parameters = objectField(site, "parameters", json["parameters"], ["m", "efConstruction", "seed"]);
  const graph = objectField(site, "graph", json["graph"], ["encoding", "byteLength", "checksum"]);
  const max = Number.MAX_SAFE_INTEGER;
  return {
    name: textField(site, "name", json["name"], MAX_NAME),
    modelId: textField(site, "modelId", json["modelId"], MAX_MODEL_TEXT),
    modelVersion: textField(site, "modelVersion", json["modelVersion"], MAX_MODEL_TEXT),
    dimensions: integerField(site, "dimensions", json["dimensions"], 1, MAX_DIMENSIONS),
    metric: oneOfField(site, "metric", json["metric"], METRICS),
    quantization: oneOfField(site, "quantization", json["quantization"], QUANTIZATIONS),
    parameters: {
      m: integerField(site, "parameters.m", parameters["m"], 0, MAX_M),
      efConstruction: integerField(
        site,
        "parameters.efConstruction",
        parameters["efConstruction"],
        1,
        MAX_EF_CONSTRUCTION,
      ),
      seed: integerField(site, "parameters.seed", parameters["seed"], 0, max),
    },
    count: integerField(site, "count", json["count"], 0, max),
    revision: integerField(site, "revision", json["revision"], 0, max),
    createdAt: integerField(site, "createdAt", json["createdAt"], 0, max),
    graph: {
      encoding: oneOfField(site, "graph.encoding", graph["encoding"], ["hnsw-1"]),
      byteLength: integerField(site, "graph.byteLength", graph["byteLength"], 0, max),
      checksum: checksumField(site, "graph.checksum", graph["checksum"]),
    },
  };
}

function checksumField(site: EnvelopeSite, field: string, value: unknown): string {
  if (typeof value === "string" && CHECKSUM.test(value)) return value;
  throw fieldError(site, field, value, "16 lower-case hex digits");
}

/** The XXH64 of the RFC 8785 form: keys in code-unit order, strings as `JSON.stringify` escapes them, whole numbers. */
function envelopeChecksum(envelope: Omit<SnapshotEnvelope, "checksum">): string {
  const { graph, parameters } = envelope;
  const canonical = JSON.stringify({
    count: envelope.count,
    createdAt: envelope.createdAt,
    dimensions: envelope.dimensions,
    format: envelope.format,
    formatVersion: envelope.formatVersion,
    graph: { byteLength: graph.byteLength, checksum: graph.checksum, encoding: graph.encoding },
    metric: envelope.metric,
    modelId: envelope.modelId,
    modelVersion: envelope.modelVersion,
    name: envelope.name,
    parameters: { efConstruction: parameters.efConstruction, m: parameters.m, seed: parameters.seed },
    quantization: envelope.quantization,
    revision: envelope.revision,
  });
  return checksumOf(xxh64(new TextEncoder().encode(canonical)));
}
