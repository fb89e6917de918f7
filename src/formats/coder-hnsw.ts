import { ByteReader } from "./byte-reader.ts";
import { formatError } from "./format-error.ts";
import { MAX_DIMENSIONS } from "./vector-limits.ts";

/**
 * The graph section of foreign LHV1 files: an export of the Go library `coder/hnsw` with string keys.
 *
 *     varint version (1) · varint M · f64 Ml · varint EfSearch · string distance · varint layer count
 *     per layer: varint node count, then per node: key · varint dim · dim × f32 · varint neighbour count · keys
 *
 * Layer 0 holds all nodes. Every byte is read and checked, but only layer 0's keys and vectors are kept: the edges of
 * such files give poor recall, so whoever imports one builds new ones.
 *
 * @see https://github.com/coder/hnsw encode.go
 */
const OPERATION = "readCoderHnsw";
const VERSION = 1;
const MAX_M = 4096;
const MAX_EF_SEARCH = 1_000_000;
/** A layer has a fraction of the nodes of the one below it. */
const MAX_LAYERS = 64;
/** A node besides its vector: the lengths of its key and its vector, and its neighbour count. */
const LEAST_NODE_BYTES = 3;

/** What an export holds, without its edges. */
export interface CoderHnswGraph {
  metric: "cosine" | "l2";
  m: number;
  efSearch: number;
  /** 1 to 4096; 0 if there are no vectors. */
  dimensions: number;
  /** In the order of the file, which varies from save to save; no two are equal. */
  keys: string[];
  /** `keys.length` × `dimensions` finite values, as the file has them: nothing is normalised. */
  vectors: Float32Array<ArrayBuffer>;
}

/** Returns the keys and vectors of an export.
 *
 *  Memory: the vectors and the keys, both at most as long as the file, plus a set of the keys per layer.
 *  @throws StorageError BAD_FORMAT, CORRUPT (a value that is not finite, vectors of different dimensions, a key twice or
 *  unknown), UNSUPPORTED (another version, another distance, more than 4096 dimensions) */
export function readCoderHnsw(bytes: Uint8Array): CoderHnswGraph {
  const reader = new ByteReader(bytes, OPERATION);
  const { metric, m, efSearch } = readParameters(reader);
  const layers = reader.count("the layer count", 1);
  if (layers > MAX_LAYERS)
    throw reader.error("BAD_FORMAT", `the layer count is ${layers}; it takes up to ${MAX_LAYERS}`);
  let base: BaseLayer = { dimensions: 0, keys: [], vectors: new Float32Array(0) };
  if (layers > 0) {
    const start = reader.offset;
    base = readBaseLayer(reader);
    const known = uniqueKeys(reader, base.keys);
    reader.seek(start);
    checkNeighbours(reader, known);
    for (let layer = 1; layer < layers; layer++) checkUpperLayer(reader, base.dimensions, known);
  }
  reader.end();
  return { metric, m, efSearch, ...base };
}

type BaseLayer = Pick<CoderHnswGraph, "dimensions" | "keys" | "vectors">;

function readParameters(reader: ByteReader): Pick<CoderHnswGraph, "metric" | "m" | "efSearch"> {
  const version = reader.varint("the version", 1, Number.MAX_SAFE_INTEGER);
  if (version !== VERSION) {
    throw formatError("UNSUPPORTED", OPERATION, `the export has version ${version}; this Lodestore reads ${VERSION}`);
  }
  const m = reader.varint("M", 1, MAX_M);
  const levelFactor = reader.float64("Ml");
  if (!(levelFactor > 0 && levelFactor <= 1)) throw reader.error("BAD_FORMAT", `Ml is ${levelFactor}; it takes 0 to 1`);
  const efSearch = reader.varint("EfSearch", 1, MAX_EF_SEARCH);
  const distance = reader.text("the distance");
  if (distance === "cosine") return { metric: "cosine", m, efSearch };
  if (distance === "euclidean") return { metric: "l2", m, efSearch };
  const message = `the distance is ${JSON.stringify(distance.slice(0, 60))}; it takes "cosine", "euclidean"`;
  throw formatError("UNSUPPORTED", OPERATION, message);
}

function readBaseLayer(reader: ByteReader): BaseLayer {
  const count = reader.count("the node count of layer 0", LEAST_NODE_BYTES);
  if (count === 0) return { dimensions: 0, keys: [], vectors: new Float32Array(0) };
  const dimensions = peekDimensions(reader);
  if (count > reader.left / (LEAST_NODE_BYTES + 4 * dimensions)) {
    throw reader.error(
      "BAD_FORMAT",
      `${count} vectors of ${dimensions} dimensions take more than ${reader.left} bytes`,
    );
  }
  const keys: string[] = [];
  const vectors = new Float32Array(count * dimensions);
  for (let node = 0; node < count; node++) {
    keys.push(reader.text("a key"));
    readVector(reader, vectors.subarray(node * dimensions, (node + 1) * dimensions));
    skipNeighbours(reader);
  }
  return { dimensions, keys, vectors };
}

/** Returns the dimensions of the node at this place, and stays there. */
function peekDimensions(reader: ByteReader): number {
  const start = reader.offset;
  reader.skip(reader.count("the length of a key", 1), "a key");
  const dimensions = reader.count("the dimensions", 4);
  if (dimensions === 0) throw reader.error("BAD_FORMAT", "a vector has 0 dimensions");
  if (dimensions > MAX_DIMENSIONS) {
    throw reader.error("UNSUPPORTED", `the vectors have ${dimensions} dimensions; Lodestore takes ${MAX_DIMENSIONS}`);
  }
  reader.seek(start);
  return dimensions;
}

function readVector(reader: ByteReader, target: Float32Array): void {
  const dimensions = reader.count("the dimensions", 4);
  if (dimensions !== target.length) {
    throw reader.error("CORRUPT", `a vector has ${dimensions} dimensions, the first has ${target.length}`);
  }
  reader.float32s(target, "a vector");
}

function skipNeighbours(reader: ByteReader): void {
  const neighbours = reader.count("a neighbour count", 1);
  for (let i = 0; i < neighbours; i++) reader.skip(reader.count("the length of a key", 1), "a key");
}

/** A key for a message: it may be as long as the file. */
function shown(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}

function uniqueKeys(reader: ByteReader, keys: readonly string[]): Set<string> {
  const unique = new Set<string>();
  for (const key of keys) {
    if (unique.has(key)) throw reader.error("CORRUPT", `the key ${shown(key)} is there twice in one layer`);
    unique.add(key);
  }
  return unique;
}

/** Reads a layer that was read before once more, for its neighbours, which may be nodes further on. */
function checkNeighbours(reader: ByteReader, known: ReadonlySet<string>): void {
  const count = reader.count("the node count", LEAST_NODE_BYTES);
  for (let node = 0; node < count; node++) {
    reader.skip(reader.count("the length of a key", 1), "a key");
    reader.skip(4 * reader.count("the dimensions", 4), "a vector");
    const neighbours = reader.count("a neighbour count", 1);
    for (let i = 0; i < neighbours; i++) {
      const key = reader.text("a neighbour's key");
      if (!known.has(key)) throw reader.error("CORRUPT", `the neighbour ${shown(key)} is not in its layer`);
    }
  }
}

function checkUpperLayer(reader: ByteReader, dimensions: number, below: ReadonlySet<string>): void {
  const start = reader.offset;
  const count = reader.count("the node count of an upper layer", LEAST_NODE_BYTES + 4 * dimensions);
  const keys: string[] = [];
  const vector = new Float32Array(dimensions);
  for (let node = 0; node < count; node++) {
    const key = reader.text("a key");
    if (!below.has(key)) throw reader.error("CORRUPT", `the key ${shown(key)} is not in layer 0`);
    keys.push(key);
    readVector(reader, vector);
    skipNeighbours(reader);
  }
  const known = uniqueKeys(reader, keys);
  reader.seek(start);
  checkNeighbours(reader, known);
}
