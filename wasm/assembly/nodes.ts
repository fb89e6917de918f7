// Slots: taking vectors in, and giving their places back.
import { recordOf } from "./distance";
import { insertLabel, layOut, removeLabel } from "./memory";
import * as s from "./state";

/** Results of `add`, below zero. */
export const OUT_OF_MEMORY: i32 = -1;
export const NOT_FINITE: i32 = -2;
export const ZERO_NORM: i32 = -3;
export const TOO_LARGE: i32 = -4;

/** Largest square of a norm under dot product and L2: distances stay finite in f32. */
const MAX_SQUARE: f64 = 1e36;

/** Checks the vector at `at`, and makes it a unit vector under cosine. Returns 0 or what is wrong. */
export function admitVector(at: usize): i32 {
  const end = at + (<usize>s.dimensions << 2);
  let square: f64 = 0;
  for (let p = at; p < end; p += 4) {
    const value = <f64>load<f32>(p);
    square += value * value;
  }
  if (!isFinite<f64>(square)) return NOT_FINITE;
  if (s.metric == s.METRIC_COSINE) {
    if (square == 0) return ZERO_NORM;
    const factor = 1 / sqrt<f64>(square);
    for (let p = at; p < end; p += 4) store<f32>(p, <f32>(<f64>load<f32>(p) * factor));
  } else if (square > MAX_SQUARE) {
    return TOO_LARGE;
  }
  return 0;
}

/** Checks the vector at `QUERY_F32` likewise, and fills it up with zeros. */
export function admitQuery(): i32 {
  memory.fill(s.QUERY_F32 + (<usize>s.dimensions << 2), 0, <usize>(s.padded - s.dimensions) << 2);
  return admitVector(s.QUERY_F32);
}

/** Row of a slot among the full-precision vectors. */
@inline
export function rowOf(slot: u32): usize {
  return s.vectors + <usize>slot * <usize>s.rowFloats * 4;
}

/** Greatest absolute value of the padded vector at `QUERY_F32`. */
export function greatestOfQuery(): f32 {
  let greatest = f32x4.splat(0);
  for (let i: usize = 0, end = <usize>s.padded << 2; i < end; i += 16) {
    greatest = f32x4.max(greatest, f32x4.abs(v128.load(s.QUERY_F32 + i)));
  }
  greatest = f32x4.max(greatest, f32x4.shuffle(greatest, greatest, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(greatest, 0), f32x4.extract_lane(greatest, 1));
}

/** Writes scale, offset and code of the vector at `QUERY_F32` into a record. */
function encode(record: usize): void {
  const code = record + <usize>s.codeAt;
  if (s.kind == s.KIND_F32) {
    store<f32>(record, 1);
    store<f32>(record, 0, 4);
    memory.copy(code, s.QUERY_F32, <usize>s.padded << 2);
    return;
  }
  const scale = greatestOfQuery() / 127;
  store<f32>(record, scale);
  store<f32>(record, 0, 4);
  if (scale == 0) {
    memory.fill(code, 0, <usize>s.padded);
    return;
  }
  const divisor = f32x4.splat(scale);
  let square = i64x2.splat(0);
  for (let i: usize = 0, end = <usize>s.padded; i < end; i += 16) {
    const from = s.QUERY_F32 + (i << 2);
    const a = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from), divisor)));
    const b = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from, 16), divisor)));
    const c = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from, 32), divisor)));
    const d = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from, 48), divisor)));
    const ab = i16x8.narrow_i32x4_s(a, b);
    const cd = i16x8.narrow_i32x4_s(c, d);
    v128.store(code + i, i8x16.narrow_i16x8_s(ab, cd));
    const sum = i32x4.add(i32x4.dot_i16x8_s(ab, ab), i32x4.dot_i16x8_s(cd, cd));
    square = i64x2.add(square, i64x2.add(i64x2.extend_low_i32x4_s(sum), i64x2.extend_high_i32x4_s(sum)));
  }
  if (s.metric == s.METRIC_L2) {
    const total = i64x2.extract_lane(square, 0) + i64x2.extract_lane(square, 1);
    store<f32>(record, <f32>(<f64>scale * <f64>scale * <f64>total), 4);
  }
}

/** Takes the admitted vector at `QUERY_F32` in under `label`, which is not in yet, as pending. Returns its slot, or that memory
 *  ended. */
export function addNode(label: u32): i32 {
  let slot = s.freeHead;
  if (slot != s.NONE) {
    s.freeHead = load<u32>(recordOf(slot));
  } else {
    if (s.slots == s.capacity) {
      let more = max<u32>(1024, s.capacity >> 2);
      while (!layOut(s.capacity + more, max<u32>(s.poolCapacity, (s.capacity + more) / 12 + 64), s.ioBytes)) {
        // Near the limit it grows by what there still is.
        more >>= 1;
        if (more < 32) return OUT_OF_MEMORY;
      }
    }
    slot = s.slots++;
  }
  const record = recordOf(slot);
  encode(record);
  if (s.resident) {
    memory.copy(rowOf(slot), s.QUERY_F32, <usize>s.rowFloats << 2);
  }
  store<u8>(s.levels + <usize>slot, s.PENDING);
  store<u8>(s.visited + <usize>slot, 0);
  store<u32>(s.labels + (<usize>slot << 2), label);
  insertLabel(slot);
  s.live++;
  s.pending++;
  if (s.m > 0) {
    store<u32>(s.uppers + (<usize>slot << 2), s.NONE);
    store<u32>(record, s.NONE, 8);
    store<u32>(record, s.pendingTail, 12);
    if (s.pendingTail != s.NONE) store<u32>(recordOf(s.pendingTail), slot, 8);
    else s.pendingHead = slot;
    s.pendingTail = slot;
  }
  return <i32>slot;
}

/** Takes a node out of the list of those that wait for their links. */
export function leavePending(slot: u32): void {
  s.pending--;
  if (s.m == 0) return;
  const record = recordOf(slot);
  const next = load<u32>(record, 8);
  const previous = load<u32>(record, 12);
  if (previous != s.NONE) store<u32>(recordOf(previous), next, 8);
  else s.pendingHead = next;
  if (next != s.NONE) store<u32>(recordOf(next), previous, 12);
  else s.pendingTail = previous;
}

/** Gives a slot back: nothing links to it any more. */
export function freeNode(slot: u32): void {
  removeLabel(slot);
  store<u8>(s.levels + <usize>slot, s.FREE);
  store<u32>(recordOf(slot), s.freeHead);
  s.freeHead = slot;
  s.live--;
}
