import { StorageError } from "../../errors.ts";
import type { VectorIndex } from "./vector-index.ts";

/** The graph section of a snapshot, encoding "hnsw-1": wasm/FORMAT.md describes every byte. */
const MAGIC = 0x3147484c;
const HEADER_BYTES = 64;
const NONE = 0xffffffff;
const PENDING = 0xfe;
const MAX_LEVEL = 15;
/** Nodes between two pauses of the writer. */
const NODES_A_STEP = 4096;

const METRIC_CODES = { cosine: 0, dot: 1, l2: 2 } as const;
const KIND_CODES = { f32: 0, sq8: 1 } as const;

/** Where the parts of a section begin. */
interface Sections {
  levels: number;
  labels: number;
  uppers: number;
  records: number;
  end: number;
}

function sectionsOf(count: number, blocks: number, m: number, stride: number): Sections {
  const up8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;
  const levels = HEADER_BYTES;
  const labels = levels + up8(count);
  const uppers = labels + up8(4 * count);
  const records = uppers + up8(4 * m * blocks);
  return { levels, labels, uppers, records, end: records + stride * count };
}

/** A section that was written. */
export interface WrittenGraph {
  section: Uint8Array<ArrayBuffer>;
  /** Labels of linked nodes that no walk from the entry reaches. */
  cutOff: number[];
}

/** Writes an index, pausing every few milliseconds. Between two pauses the index may be searched but not changed: whoever drives it
 *  compares `index.changes`. Nodes stand in the order in which a walk meets them, breadth first, without holes. */
export function* writeGraphSection(index: VectorIndex): Generator<void, WrittenGraph> {
  const { kernel, options } = index;
  const stride = kernel.strideBytes();
  const { order, reached, linked } = yield* nodeOrder(index);
  const place = new Uint32Array(kernel.slots()).fill(NONE);
  for (const [at, slot] of order.entries()) place[slot] = at;

  const levelAt = (slot: number): number => new Uint8Array(kernel.memory.buffer)[kernel.levelsAt() + slot] as number;
  const levels = Uint8Array.from(order, levelAt);
  const blocks = levels.reduce((sum, level) => sum + (level <= MAX_LEVEL ? level : 0), 0);
  const sections = sectionsOf(order.length, blocks, options.m, stride);
  const section = new Uint8Array(sections.end);
  writeHeader(section, index, order.length, blocks, place[kernel.entry() >>> 0] ?? NONE);
  section.set(levels, sections.levels);
  const slotLabels = index.labels();
  const labels = order.map((slot) => slotLabels[slot] as number);
  new Uint32Array(section.buffer, sections.labels, order.length).set(labels);
  yield;

  const links = new Uint32Array(section.buffer);
  const renumber = (from: number, most: number): void => {
    for (let at = from / 4, end = at + most; at < end; at++) {
      const target = links[at] as number;
      if (target !== NONE) links[at] = place[target] as number;
    }
  };
  let block = sections.uppers;
  const blockBytes = 4 * options.m;
  for (let from = 0; from < order.length; from += NODES_A_STEP) {
    const memory = new Uint8Array(kernel.memory.buffer);
    const uppers = options.m > 0 ? new Uint32Array(kernel.memory.buffer, kernel.uppersAt(), kernel.slots()) : undefined;
    const records = kernel.recordsAt();
    const pool = kernel.poolAt();
    for (let at = from; at < Math.min(order.length, from + NODES_A_STEP); at++) {
      const slot = order[at] as number;
      const level = levels[at] as number;
      const target = sections.records + at * stride;
      section.set(memory.subarray(records + slot * stride, records + (slot + 1) * stride), target);
      if (level === PENDING) {
        // Its links are not links yet: they chain it to others that wait.
        if (options.m > 0) section.fill(0xff, target + 8, target + 8 * options.m);
        continue;
      }
      renumber(target + 8, 2 * options.m - 2);
      if (level === 0) continue;
      const first = pool + (uppers?.[slot] as number) * blockBytes;
      section.set(memory.subarray(first, first + level * blockBytes), block);
      renumber(block, level * options.m);
      block += level * blockBytes;
    }
    yield;
  }
  return { section, cutOff: [...labels.subarray(reached, linked)] };
}

/** Slots in the order of the file: linked ones breadth first over layer 0, then those that the walk did not meet, then pending ones. */
interface NodeOrder {
  order: Uint32Array;
  /** How many the walk from the entry met. */
  reached: number;
  /** How many are linked. */
  linked: number;
}

function* nodeOrder(index: VectorIndex): Generator<void, NodeOrder> {
  const { kernel, options } = index;
  const slots = kernel.slots();
  const order = new Uint32Array(kernel.live());
  const met = new Uint8Array(slots);
  const stride = kernel.strideBytes() / 4;
  let count = 0;
  const meet = (slot: number): void => {
    if (met[slot] === 1) return;
    met[slot] = 1;
    order[count++] = slot;
  };
  const levels = new Uint8Array(kernel.memory.buffer, kernel.levelsAt(), slots).slice();
  if (kernel.entry() >>> 0 !== NONE) meet(kernel.entry() >>> 0);
  let reached = -1;
  for (let seed = 0, at = 0; ;) {
    let words = new Uint32Array(kernel.memory.buffer);
    let records = kernel.recordsAt() / 4;
    for (let steps = 0; at < count; steps++) {
      const links = records + (order[at++] as number) * stride + 2;
      for (let i = 0; i < 2 * options.m - 2; i++) {
        const target = words[links + i] as number;
        if (target === NONE) break;
        meet(target);
      }
      if (steps % NODES_A_STEP !== NODES_A_STEP - 1) continue;
      yield;
      words = new Uint32Array(kernel.memory.buffer);
      records = kernel.recordsAt() / 4;
    }
    if (reached < 0) reached = count;
    while (seed < slots && (met[seed] === 1 || (levels[seed] as number) > MAX_LEVEL)) seed++;
    if (seed === slots) break;
    meet(seed);
  }
  const linked = count;
  for (let slot = 0; slot < slots; slot++) if (levels[slot] === PENDING) meet(slot);
  return { order: order.subarray(0, count), reached, linked };
}

function writeHeader(section: Uint8Array, index: VectorIndex, count: number, blocks: number, entry: number): void {
  const header = new DataView(section.buffer);
  const { options, kernel } = index;
  header.setUint32(0, MAGIC, true);
  header.setUint32(4, count, true);
  header.setUint32(8, options.dimensions, true);
  header.setUint8(12, METRIC_CODES[options.metric]);
  header.setUint8(13, KIND_CODES[options.quantization]);
  header.setUint16(14, options.m, true);
  header.setUint32(16, entry, true);
  header.setUint32(20, blocks, true);
  header.setUint32(24, kernel.strideBytes(), true);
}

/** Reads a section into an index that is still empty. It is checked whole: every number that is followed points to where it may.
 *  @throws StorageError BAD_FORMAT, CORRUPT, QUOTA_EXCEEDED (memory); then the index is of no use */
export function readGraphSection(section: Uint8Array, index: VectorIndex): void {
  const { options } = index;
  if (section.length < HEADER_BYTES)
    throw bad(`the graph section has ${section.length} bytes, and its header ${HEADER_BYTES}`);
  const header = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (header.getUint32(0, true) !== MAGIC) throw bad("the graph section does not begin with LHG1");
  const expect = (field: string, got: number, takes: number): void => {
    if (got !== takes) throw bad(`${field} of the graph section is ${got}, not ${takes}`);
  };
  expect("dimensions", header.getUint32(8, true), options.dimensions);
  expect("metric", header.getUint8(12), METRIC_CODES[options.metric]);
  expect("kind", header.getUint8(13), KIND_CODES[options.quantization]);
  expect("m", header.getUint16(14, true), options.m);
  const count = header.getUint32(4, true);
  const blocks = header.getUint32(20, true);
  const stride = header.getUint32(24, true);
  const sections = sectionsOf(count, blocks, options.m, stride);
  expect("length", section.length, sections.end);

  expect("stride", stride, index.kernel.strideBytes());
  const part = (from: number, bytes: number): Uint8Array => section.subarray(from, from + bytes);
  index.load(header.getUint32(16, true), blocks, {
    levels: part(sections.levels, count),
    labels: part(sections.labels, 4 * count),
    uppers: part(sections.uppers, 4 * options.m * blocks),
    records: part(sections.records, stride * count),
  });
}

function bad(message: string): StorageError {
  return new StorageError("BAD_FORMAT", message, { capability: "vectors", operation: "open" });
}
