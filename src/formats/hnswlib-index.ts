import { ByteReader } from "./byte-reader.ts";
import { formatError } from "./format-error.ts";
import { type HnswlibHeader, readHnswlibHeader } from "./hnswlib-header.ts";
import type { VectorMetric } from "./vector-limits.ts";

/**
 * Index files of hnswlib 0.5 to 0.8 (`saveIndex`, also of hnswlib-node and hnswlib-wasm), little-endian:
 *
 *     header   sizes and offsets, level and entry point, parameters: see hnswlib-header.ts
 *     level 0  per element: u16 link count · u8 flags (1 = deleted) · u8 0 · maxM0 × u32 link · dim × f32 · size_t label
 *     above    per element: u32 bytes that follow, then per level: u16 link count · u16 0 · maxM × u32 link
 *
 * Every link is checked, but only labels and vectors are kept: whoever imports a file builds edges of its own.
 *
 * @see https://github.com/nmslib/hnswlib hnswlib/hnswalg.h, saveIndex
 */
const OPERATION = "readHnswlibIndex";
const DELETED = 1 << 16;

/** What an index file holds, without its edges. */
export interface HnswlibIndex {
  /** As it was given: the file does not say. */
  metric: VectorMetric;
  /** 1 to 4096. */
  dimensions: number;
  m: number;
  efConstruction: number;
  /** In the order of insertion, without deleted elements; no two are equal. */
  labels: number[];
  /** `labels.length` × `dimensions` finite values; hnswlib stores unit vectors where the space is cosine. */
  vectors: Float32Array<ArrayBuffer>;
  /** Elements that were marked deleted, and are left out. */
  deletedCount: number;
}

/** Returns the labels and vectors of an hnswlib index file.
 *
 *  Memory: the vectors, which are shorter than the file, and the labels.
 *  @param metric The space the index was made with: `ip` is "dot".
 *  @throws StorageError BAD_FORMAT, CORRUPT (links or labels that contradict each other, values that are not finite),
 *  UNSUPPORTED (more than 4096 dimensions, a label beyond 2^53 - 1) */
export function readHnswlibIndex(bytes: Uint8Array, metric: VectorMetric): HnswlibIndex {
  const reader = new ByteReader(bytes, OPERATION);
  const header = readHnswlibHeader(reader);
  const start = reader.offset;
  const deletedCount = checkLevel0(reader, header, start);
  checkUpperLevels(reader, header);
  reader.end();

  const { count, dimensions, elementBytes, vectorOffset, labelOffset, wordBytes, m, efConstruction } = header;
  const labels: number[] = [];
  const seen = new Set<number>();
  const vectors = new Float32Array((count - deletedCount) * dimensions);
  for (let element = 0; element < count; element++) {
    const at = start + element * elementBytes;
    reader.seek(at);
    if (isDeleted(reader.uint32("a link count"))) continue;
    reader.seek(at + labelOffset);
    const label = wordBytes === 8 ? reader.uint64("a label", "UNSUPPORTED") : reader.uint32("a label");
    if (seen.has(label)) throw reader.error("CORRUPT", `the label ${label} is there twice`);
    reader.seek(at + vectorOffset);
    reader.float32s(vectors.subarray(labels.length * dimensions, (labels.length + 1) * dimensions), "a vector");
    seen.add(label);
    labels.push(label);
  }
  return { metric, dimensions, m, efConstruction, labels, vectors, deletedCount };
}

/** Checks the links of level 0, goes past it, and returns how many elements are marked deleted. */
function checkLevel0(reader: ByteReader, header: HnswlibHeader, start: number): number {
  let deletedCount = 0;
  for (let element = 0; element < header.count; element++) {
    reader.seek(start + element * header.elementBytes);
    const word = reader.uint32("a link count");
    if (isDeleted(word)) deletedCount++;
    checkLinks(reader, (word & ~DELETED) >>> 0, header.maxLinks0, header.count);
  }
  reader.seek(start + header.count * header.elementBytes);
  return deletedCount;
}

function checkUpperLevels(reader: ByteReader, header: HnswlibHeader): void {
  const { count, upperLinksBytes, maxLinks, maxLevel, entryPoint } = header;
  for (let element = 0; element < count; element++) {
    const sizeBytes = reader.uint32("the size of a link list");
    if (sizeBytes > reader.left || sizeBytes % upperLinksBytes !== 0) {
      const message = `a link list takes ${sizeBytes} bytes; it takes a multiple of ${upperLinksBytes} up to the end`;
      throw reader.error("BAD_FORMAT", message);
    }
    const levels = sizeBytes / upperLinksBytes;
    if (levels > maxLevel || (element === entryPoint && levels !== maxLevel)) {
      const message = `element ${element} has ${levels} levels, the entry point ${entryPoint} has ${maxLevel}`;
      throw formatError("CORRUPT", OPERATION, message);
    }
    const start = reader.offset;
    for (let level = 0; level < levels; level++) {
      reader.seek(start + level * upperLinksBytes);
      checkLinks(reader, reader.uint32("a link count"), maxLinks, count);
    }
    reader.seek(start + sizeBytes);
  }
}

/** Checks the links at this place. @param links Their number. */
function checkLinks(reader: ByteReader, links: number, maxLinks: number, count: number): void {
  if (links > maxLinks) throw reader.error("CORRUPT", `an element has ${links} links; it takes ${maxLinks}`);
  for (let i = 0; i < links; i++) {
    const link = reader.uint32("a link");
    if (link >= count) throw reader.error("CORRUPT", `an element links to ${link} of ${count} elements`);
  }
}

function isDeleted(linkCountWord: number): boolean {
  return (linkCountWord & DELETED) !== 0;
}
