// What the host may call. One instance holds one index; wasm/README.md says how the host uses it.
import { linkOne, removeNode } from "./graph";
import { findLabel, layOut } from "./memory";
import { addNode, admitQuery, admitVector, rowOf } from "./nodes";
import { prepareQuery, report, rescore, scanAll, scanPending } from "./search";
import * as s from "./state";
import { takeOver } from "./verify";
import { descend, exhausted, walk, walkAllowed } from "./walk";

export { xxh64Begin, xxh64End, xxh64Update } from "./checksum";

/** Sets the parameters of an empty index. `m` 0 makes a flat one, which is never linked. */
export function init(
  dimensions: u32,
  metric: u32,
  kind: u32,
  m: u32,
  efConstruction: u32,
  seed: u64,
  resident: bool,
  maxPages: u32,
): void {
  s.dimensions = dimensions;
  s.padded = (dimensions + 15) & ~15;
  s.rowFloats = (dimensions + 3) & ~3;
  s.metric = metric;
  s.kind = kind;
  s.m = m;
  s.m0 = m > 0 ? 2 * m - 2 : 0;
  s.efConstruction = efConstruction;
  s.seed = seed;
  s.resident = resident && kind != s.KIND_F32;
  s.maxPages = maxPages;
  s.codeAt = 8 + 4 * s.m0;
  const bytes = s.codeAt + (kind == s.KIND_F32 ? 4 * s.padded : s.padded);
  s.stride = m > 0 ? (bytes + 63) & ~63 : (bytes + 15) & ~15;
  memory.fill(s.FREE_UPPER, 0xff, <usize>(s.MAX_LEVEL + 1) << 2);
}

/** Makes room for this many vectors, and this many bytes of exchange. Returns whether there is. */
export function reserve(capacity: u32, ioBytes: u32): bool {
  const slots = max<u32>(capacity, s.capacity);
  const blocks = max<u32>(s.poolCapacity, s.m > 0 ? slots / 13 + 64 : 0);
  if (slots == s.capacity && ioBytes <= s.ioBytes) return true;
  return layOut(slots, blocks, max<u32>(ioBytes, s.ioBytes));
}

/** Takes in the vector at the query's place under a label, in place of what had it. Returns its slot or what is wrong. */
export function add(label: u32): i32 {
  const fault = admitQuery();
  if (fault != 0) return fault;
  removeNode(label);
  return addNode(label);
}

export function remove(label: u32): bool {
  return removeNode(label);
}

/** Slot of a label, or NONE. */
export function slotOf(label: u32): u32 {
  return findLabel(label);
}

/** Links up to this many vectors that wait. Returns how many still do, or -1 when memory ends. */
export function link(most: u32): i32 {
  for (let i: u32 = 0; i < most && s.pendingHead != s.NONE; i++) if (!linkOne()) return -1;
  return <i32>s.pending;
}

/** Allows nothing. */
export function allowNone(): void {
  memory.fill(s.allowed, 0, <usize>((s.capacity + 31) >> 5) << 2);
}

/** Allows the labels at `at`. Returns how many of them are in. */
export function allow(at: usize, count: u32): u32 {
  let known: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const slot = findLabel(load<u32>(at + (<usize>i << 2)));
    if (slot == s.NONE) continue;
    const word = s.allowed + (<usize>(slot >> 5) << 2);
    const bit = <u32>1 << (slot & 31);
    const was = load<u32>(word);
    if (was & bit) continue;
    store<u32>(word, was | bit);
    known++;
  }
  return known;
}

/** How a search goes about it. */
const EXACT: u32 = 1;
const FILTERED: u32 = 2;

/** Searches for the vector at the query's place. Returns how many results there are, at most `ef`, or what is wrong. */
export function search(ef: u32, plan: u32, budget: u32): i32 {
  const fault = admitQuery();
  return fault != 0 ? fault : <i32>find(ef, plan, budget);
}

function find(ef: u32, plan: u32, budget: u32): u32 {
  const factor = prepareQuery();
  const filtered = (plan & FILTERED) != 0;
  if ((plan & EXACT) != 0) return scanAll(factor, ef, filtered);
  let count: u32 = 0;
  if (s.entry != s.NONE) {
    const start = descend(s.QUERY, factor, 0);
    count = filtered ? walkAllowed(s.QUERY, factor, start, ef, budget) : walk(s.QUERY, factor, 0, start, ef);
  }
  return scanPending(factor, count, ef, filtered);
}

/** Whether the last filtered walk gave up before its end. */
export function gaveUp(): bool {
  return exhausted;
}

/** Orders the first `count` results by full precision: `rows` 0 reads the kept vectors, else rows of exchange, as they came. */
export function refine(count: u32, rows: usize): i32 {
  if (rows != 0) {
    for (let i: u32 = 0; i < count; i++) {
      const fault = admitVector(rows + <usize>i * <usize>s.rowFloats * 4);
      if (fault != 0) return fault;
    }
  }
  rescore(count, rows);
  return 0;
}

/** Writes label and distance of the first `count` results to `target`, 8 bytes each. */
export function results(count: u32, target: usize): void {
  report(count, target);
}

/** Slot of a result. */
export function resultSlot(i: u32): u32 {
  return <u32>load<u64>(s.RESULTS + (<usize>i << 3));
}

/** Keeps the vector of a row of exchange beside its code. Returns 0 or what is wrong. */
export function keep(slot: u32, row: usize): i32 {
  const fault = admitVector(row);
  if (fault == 0) memory.copy(rowOf(slot), row, <usize>s.rowFloats << 2);
  return fault;
}

/** Searches for `count` vectors, one row of exchange each, and writes to `target`, for each, how many it found and `k` results.
 *  Returns 0, or what is wrong with row `faultRow`. */
export function searchBatch(rows: usize, count: u32, k: u32, ef: u32, refined: u32, plan: u32, target: usize): i32 {
  const size: usize = 8 + (<usize>k << 3);
  for (let i: u32 = 0; i < count; i++) {
    memory.copy(s.QUERY_F32, rows + <usize>i * <usize>s.rowFloats * 4, <usize>s.dimensions << 2);
    faultRow = i;
    const fault = admitQuery();
    if (fault != 0) return fault;
    const found = find(ef, plan, 0xffffffff);
    if (refined > 0) rescore(min(found, refined), 0);
    const at = target + <usize>i * size;
    store<u32>(at, min(found, k));
    report(min(found, k), at + 8);
  }
  return 0;
}

export let faultRow: u32 = 0;

/** Prepares an empty index for the regions of a snapshot. Returns whether there is room. */
export function beginLoad(count: u32, blocks: u32): bool {
  if (!layOut(count, blocks, s.ioBytes)) return false;
  s.slots = count;
  s.poolUsed = blocks;
  return true;
}

/** Checks what was loaded and takes it over; no full-precision vector is kept yet. Returns 0 or what is wrong: then the instance is
 *  of no use. */
export function finishLoad(entry: u32): u32 {
  s.entry = entry;
  return takeOver();
}

/** Distances computed so far; wraps. */
export function evaluations(): u32 {
  return s.evaluations;
}

// Where things lie, and how much there is.
export const queryAt: usize = s.QUERY_F32;
export function ioAt(): usize { return s.io; }
export function levelsAt(): usize { return s.levels; }
export function labelsAt(): usize { return s.labels; }
export function uppersAt(): usize { return s.uppers; }
export function poolAt(): usize { return s.pool; }
export function recordsAt(): usize { return s.records; }
export function vectorsAt(): usize { return s.vectors; }
export function strideBytes(): u32 { return s.stride; }
export function rowFloats(): u32 { return s.rowFloats; }
export function capacity(): u32 { return s.capacity; }
export function slots(): u32 { return s.slots; }
export function live(): u32 { return s.live; }
export function pending(): u32 { return s.pending; }
export function poolUsed(): u32 { return s.poolUsed; }
export function entry(): u32 { return s.entry; }
export function topLevel(): u32 { return s.topLevel; }
