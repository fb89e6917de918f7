// Searching: the query as the walk reads it, the exact scan, and the last word of the full-precision vectors.
import { distance4, distanceOfKey, factorOf, keyOf, recordOf, rowDistance } from "./distance";
import { pushGreatest, replaceGreatest, sortHeap } from "./heap";
import { greatestOfQuery, rowOf } from "./nodes";
import * as s from "./state";
import { keepTouched, touch } from "./touch";
import { isAllowed } from "./walk";

/** Writes the query at `QUERY_F32` as the walk reads it, and returns its factor. */
export function prepareQuery(): f32 {
  if (s.kind == s.KIND_F32) {
    memory.copy(s.QUERY, s.QUERY_F32, <usize>s.padded << 2);
    return 1;
  }
  // As fine as it may be without a sum of products leaving 32 bits.
  const finest = min<u32>(32767, <u32>0x7fffffff / (<u32>127 * s.padded));
  const scale = greatestOfQuery() / <f32>finest;
  if (scale == 0) {
    memory.fill(s.QUERY, 0, <usize>s.padded << 1);
    return 0;
  }
  const divisor = f32x4.splat(scale);
  for (let i: usize = 0, end = <usize>s.padded; i < end; i += 8) {
    const from = s.QUERY_F32 + (i << 2);
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from), divisor)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from, 16), divisor)));
    v128.store(s.QUERY + (i << 1), i16x8.narrow_i32x4_s(low, high));
  }
  return factorOf(scale);
}

let found: u32 = 0;

@inline
function offer(key: u64, most: u32): void {
  if (found < most) pushGreatest(s.RESULTS, found++, key);
  else if (key < load<u64>(s.RESULTS)) replaceGreatest(s.RESULTS, most, key);
}

/** Distances to the first `count` slots of the batch, offered to the results. */
@inline
function scanBatch(factor: f32, count: u32, most: u32): void {
  const last = count - 1;
  const a = load<u32>(s.BATCH);
  const b = load<u32>(s.BATCH + (<usize>min<u32>(1, last) << 2));
  const c = load<u32>(s.BATCH + (<usize>min<u32>(2, last) << 2));
  const d = load<u32>(s.BATCH + (<usize>min<u32>(3, last) << 2));
  const distances = distance4(s.QUERY, factor, recordOf(a), recordOf(b), recordOf(c), recordOf(d));
  s.evaluations += count;
  offer(keyOf(f32x4.extract_lane(distances, 0), a), most);
  if (count > 1) offer(keyOf(f32x4.extract_lane(distances, 1), b), most);
  if (count > 2) offer(keyOf(f32x4.extract_lane(distances, 2), c), most);
  if (count > 3) offer(keyOf(f32x4.extract_lane(distances, 3), d), most);
}

/** The `most` nearest of all vectors, or of those allowed: their keys in `RESULTS`, nearest first. Returns how many. */
export function scanAll(factor: f32, most: u32, filtered: bool): u32 {
  found = 0;
  let count: u32 = 0;
  let touched: u32 = 0;
  const stride = <usize>s.stride;
  for (let base: u32 = 0; base < s.slots; base += 32) {
    let word: u32 = 0xffffffff;
    if (filtered) word = load<u32>(s.allowed + (<usize>(base >> 5) << 2));
    if (s.slots - base < 32) word &= (<u32>1 << (s.slots - base)) - 1;
    // The processor's own prefetch ends with each page of memory, and gaps between what is allowed end it, too.
    for (let rest = word; rest != 0; rest &= rest - 1) touched += touch(recordOf(base + ctz(rest)), stride);
    for (; word != 0; word &= word - 1) {
      const slot = base + ctz(word);
      if (load<u8>(s.levels + <usize>slot) == s.FREE) continue;
      store<u32>(s.BATCH + (<usize>count << 2), slot);
      if (++count == 4) {
        scanBatch(factor, 4, most);
        count = 0;
      }
    }
  }
  if (count > 0) scanBatch(factor, count, most);
  keepTouched(touched);
  sortHeap(s.RESULTS, found);
  return found;
}

/** Adds the vectors that wait for their links to the `had` results of a walk. Returns how many there are. */
export function scanPending(factor: f32, had: u32, most: u32, filtered: bool): u32 {
  if (s.pendingHead == s.NONE) return had;
  // What the walk left is sorted, nearest first: read backwards it is a heap with the worst at the root.
  for (let i: u32 = 0, j = had; i + 1 < j; i++) {
    j--;
    const low = load<u64>(s.RESULTS + (<usize>i << 3));
    store<u64>(s.RESULTS + (<usize>i << 3), load<u64>(s.RESULTS + (<usize>j << 3)));
    store<u64>(s.RESULTS + (<usize>j << 3), low);
  }
  found = had;
  let count: u32 = 0;
  for (let slot = s.pendingHead; slot != s.NONE; slot = load<u32>(recordOf(slot), 8)) {
    if (filtered && !isAllowed(slot)) continue;
    store<u32>(s.BATCH + (<usize>count << 2), slot);
    if (++count == 4) {
      scanBatch(factor, 4, most);
      count = 0;
    }
  }
  if (count > 0) scanBatch(factor, count, most);
  sortHeap(s.RESULTS, found);
  return found;
}

/** Puts the first `count` results in the order of the full-precision vectors, which lie at `rows`, one row a result, or where 0 is
 *  given among the kept ones. */
export function rescore(count: u32, rows: usize): void {
  if (s.kind == s.KIND_F32) {
    // The walk left the query's own square out of nothing here: its distances are exact.
    return;
  }
  const bytes = <usize>s.rowFloats << 2;
  if (rows == 0) {
    // All lines of all rows are on their way before the first is read: they lie far apart.
    let touched: u32 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const row = rowOf(<u32>load<u64>(s.RESULTS + (<usize>i << 3)));
      for (let at: usize = 0; at < bytes; at += 64) touched += load<u8>(row + at);
    }
    keepTouched(touched);
  }
  for (let i: u32 = 0; i < count; i++) {
    const slot = <u32>load<u64>(s.RESULTS + (<usize>i << 3));
    const row = rows != 0 ? rows + <usize>i * bytes : rowOf(slot);
    store<u64>(s.CANDIDATES + (<usize>i << 3), keyOf(rowDistance(row), slot));
  }
  for (let i: u32 = 0; i < count; i++) pushGreatest(s.RESULTS, i, load<u64>(s.CANDIDATES + (<usize>i << 3)));
  sortHeap(s.RESULTS, count);
}

/** Writes labels and distances of the first `count` results to `target`, 8 bytes each. */
export function report(count: u32, target: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const key = load<u64>(s.RESULTS + (<usize>i << 3));
    const at = target + (<usize>i << 3);
    const label = load<u32>(s.labels + (<usize>(<u32>key) << 2));
    store<f32>(at, distanceOfKey(key), 4);
    store<u32>(at, label);
  }
}
