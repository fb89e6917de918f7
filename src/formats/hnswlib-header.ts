import type { ByteReader } from "./byte-reader.ts";
import { MAX_DIMENSIONS } from "./vector-limits.ts";

const MAX_M = 10_000;
const MAX_EF_CONSTRUCTION = 1_000_000;
const LINK_BYTES = 4;

/** The header of an hnswlib index file, and what follows from it; all sizes in bytes. */
export interface HnswlibHeader {
  /** What a `size_t` took where the file was written: 8, or 4 in 32-bit builds such as WebAssembly's. */
  wordBytes: 4 | 8;
  count: number;
  dimensions: number;
  /** One element of level 0: links, vector, label. */
  elementBytes: number;
  vectorOffset: number;
  labelOffset: number;
  /** The highest level, -1 in an empty index. */
  maxLevel: number;
  entryPoint: number;
  m: number;
  /** Most links of an element in level 0, and above it. */
  maxLinks0: number;
  maxLinks: number;
  /** The links of one element in one level above 0. */
  upperLinksBytes: number;
  efConstruction: number;
}

/** Returns the header, with every field held against the others; the elements of level 0 fit into the bytes left.
 *  @throws StorageError BAD_FORMAT, UNSUPPORTED (more than 4096 dimensions) */
export function readHnswlibHeader(reader: ByteReader): HnswlibHeader {
  // The first field, offsetLevel0, is 0 in every file, and what follows it, max_elements, is not.
  const wordBytes = reader.uint32("offsetLevel0") === 0 && reader.uint32("offsetLevel0 or max_elements") === 0 ? 8 : 4;
  reader.seek(0);
  const word = (what: string): number => (wordBytes === 8 ? reader.uint64(what) : reader.uint32(what));
  const expect = (what: string, got: number, wanted: number): void => {
    if (got !== wanted) throw reader.error("BAD_FORMAT", `${what} is ${got}; it takes ${wanted} here`);
  };
  const within = (what: string, got: number, min: number, max: number): number => {
    if (got >= min && got <= max) return got;
    throw reader.error("BAD_FORMAT", `${what} is ${got}; it takes ${min} to ${max}`);
  };

  expect("offsetLevel0", word("offsetLevel0"), 0);
  const maxElements = word("max_elements");
  const count = within("cur_element_count", word("cur_element_count"), 0, Math.min(maxElements, 2 ** 32 - 2));
  const elementBytes = word("size_data_per_element");
  const labelOffset = word("label_offset");
  const vectorOffset = word("offsetData");
  const maxLevel = reader.int32("maxlevel");
  const entryPoint = reader.uint32("enterpoint_node");
  const maxLinks = within("maxM", word("maxM"), 2, MAX_M);
  const maxLinks0 = word("maxM0");
  const m = word("M");
  const mult = reader.float64("mult");
  const efConstruction = within("ef_construction", word("ef_construction"), 1, MAX_EF_CONSTRUCTION);

  expect("M", m, maxLinks);
  expect("maxM0", maxLinks0, 2 * maxLinks);
  within("mult", mult, Number.MIN_VALUE, Number.MAX_VALUE);
  expect("offsetData", vectorOffset, LINK_BYTES + maxLinks0 * LINK_BYTES);
  const dimensions = (labelOffset - vectorOffset) / 4;
  if (!Number.isInteger(dimensions)) throw reader.error("BAD_FORMAT", "the vectors are not of 32-bit floats");
  within("the number of dimensions", dimensions, 1, Number.MAX_SAFE_INTEGER);
  expect("size_data_per_element", elementBytes, labelOffset + wordBytes);
  if (count > reader.left / elementBytes) {
    throw reader.error("BAD_FORMAT", `${count} elements of ${elementBytes} bytes take more than ${reader.left} bytes`);
  }
  if (dimensions > MAX_DIMENSIONS) {
    throw reader.error("UNSUPPORTED", `the vectors have ${dimensions} dimensions; Lodestore takes ${MAX_DIMENSIONS}`);
  }
  if (count === 0) expect("maxlevel", maxLevel, -1);
  else within("maxlevel", maxLevel, 0, 2 ** 31 - 1);
  if (count > 0) within("enterpoint_node", entryPoint, 0, count - 1);
  return {
    wordBytes,
    count,
    dimensions,
    elementBytes,
    vectorOffset,
    labelOffset,
    maxLevel,
    entryPoint,
    m,
    maxLinks,
    maxLinks0,
    upperLinksBytes: LINK_BYTES + maxLinks * LINK_BYTES,
    efConstruction,
  };
}
