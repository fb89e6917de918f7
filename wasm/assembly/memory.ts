// The regions of a growing index. Growing moves them up, last first, inside the same memory.
import * as s from "./state";

@inline
function up(bytes: u64): u64 {
  return (bytes + 63) & ~63;
}

/** Room for `slotCount` vectors and `blockCount` blocks of upper links. Returns false when memory ends. */
export function layOut(slotCount: u32, blockCount: u32, ioBytes: u32): bool {
  const n = <u64>slotCount;
  let hashSize: u64 = 16;
  while (hashSize * 4 < n * 5) hashSize <<= 1;
  const visited = up(s.REGIONS);
  const levels = up(visited + n);
  const uppers = up(levels + n);
  const labels = up(uppers + (s.m > 0 ? n * 4 : 0));
  const hash = up(labels + n * 4);
  const allowed = up(hash + hashSize * 4);
  const pool = up(allowed + ((n + 31) >> 5) * 4);
  const records = up(pool + <u64>blockCount * <u64>s.m * 4);
  const vectors = up(records + n * <u64>s.stride);
  const io = up(vectors + (s.resident ? n * <u64>s.rowFloats * 4 : 0));
  const end = up(io + <u64>ioBytes);
  const pages = (end + 65535) >> 16;
  if (pages > <u64>s.maxPages) return false;
  const missing = <i32>pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) return false;

  const used = <usize>s.slots;
  if (s.resident) memory.copy(<usize>vectors, s.vectors, used * <usize>s.rowFloats * 4);
  memory.copy(<usize>records, s.records, used * <usize>s.stride);
  memory.copy(<usize>pool, s.pool, <usize>s.poolUsed * <usize>s.m * 4);
  memory.copy(<usize>labels, s.labels, used * 4);
  if (s.m > 0) memory.copy(<usize>uppers, s.uppers, used * 4);
  memory.copy(<usize>levels, s.levels, used);
  s.visited = <usize>visited;
  s.levels = <usize>levels;
  s.uppers = <usize>uppers;
  s.labels = <usize>labels;
  s.hash = <usize>hash;
  s.allowed = <usize>allowed;
  s.pool = <usize>pool;
  s.records = <usize>records;
  s.vectors = <usize>vectors;
  s.io = <usize>io;
  s.ioBytes = ioBytes;
  s.capacity = slotCount;
  s.poolCapacity = blockCount;
  s.hashMask = <u32>hashSize - 1;
  memory.fill(s.visited, 0, <usize>n);
  s.epoch = 0;
  memory.fill(s.hash, 0xff, <usize>hashSize * 4);
  for (let slot: u32 = 0; slot < s.slots; slot++) {
    if (load<u8>(s.levels + <usize>slot) != s.FREE) insertLabel(slot);
  }
  return true;
}

@inline
function bucketOf(label: u32): u32 {
  let h = label * 0x9e3779b1;
  h ^= h >> 15;
  return h & s.hashMask;
}

/** Slot of a label, or NONE. */
export function findLabel(label: u32): u32 {
  if (s.capacity == 0) return s.NONE;
  let bucket = bucketOf(label);
  let slot = load<u32>(s.hash + (<usize>bucket << 2));
  while (slot != s.NONE && load<u32>(s.labels + (<usize>slot << 2)) != label) {
    bucket = (bucket + 1) & s.hashMask;
    slot = load<u32>(s.hash + (<usize>bucket << 2));
  }
  return slot;
}

/** Enters a slot under the label it carries. */
export function insertLabel(slot: u32): void {
  let bucket = bucketOf(load<u32>(s.labels + (<usize>slot << 2)));
  while (load<u32>(s.hash + (<usize>bucket << 2)) != s.NONE) bucket = (bucket + 1) & s.hashMask;
  store<u32>(s.hash + (<usize>bucket << 2), slot);
}

/** Takes a slot out of the table and closes the gap (Knuth 6.4, algorithm R). */
export function removeLabel(slot: u32): void {
  let gap = bucketOf(load<u32>(s.labels + (<usize>slot << 2)));
  while (load<u32>(s.hash + (<usize>gap << 2)) != slot) gap = (gap + 1) & s.hashMask;
  let at = gap;
  for (;;) {
    at = (at + 1) & s.hashMask;
    const other = load<u32>(s.hash + (<usize>at << 2));
    if (other == s.NONE) break;
    const home = bucketOf(load<u32>(s.labels + (<usize>other << 2)));
    if (((at - home) & s.hashMask) >= ((at - gap) & s.hashMask)) {
      store<u32>(s.hash + (<usize>gap << 2), other);
      gap = at;
    }
  }
  store<u32>(s.hash + (<usize>gap << 2), s.NONE);
}
