// Distances: smaller is nearer. sq8 and dot-like f32: offset(record) + factor × scale(record) × dot(query, code),
// which is -dot for cosine and dot product and |b|² - 2·dot (the query's own square left out) for L2.
// f32 L2 is the sum of squares itself: it does not cancel.
import * as s from "./state";

@inline
export function recordOf(slot: u32): usize {
  return s.records + <usize>slot * <usize>s.stride;
}

/** The four sums of four vectors' lanes, in one vector. */
@inline
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

@inline
function sums4f(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(f32x4.shuffle(a, b, 0, 4, 1, 5), f32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(f32x4.shuffle(c, d, 0, 4, 1, 5), f32x4.shuffle(c, d, 2, 6, 3, 7));
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

function bytes4(query: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let sa = i32x4.splat(0);
  let sb = i32x4.splat(0);
  let sc = i32x4.splat(0);
  let sd = i32x4.splat(0);
  const end = <usize>s.padded;
  for (let i: usize = 0; i < end; i += 16) {
    const q0 = v128.load(query + (i << 1));
    const q1 = v128.load(query + (i << 1), 16);
    sa = i32x4.add(sa, i32x4.dot_i16x8_s(q0, v128.load_ext<i8>(a + i)));
    sb = i32x4.add(sb, i32x4.dot_i16x8_s(q0, v128.load_ext<i8>(b + i)));
    sc = i32x4.add(sc, i32x4.dot_i16x8_s(q0, v128.load_ext<i8>(c + i)));
    sd = i32x4.add(sd, i32x4.dot_i16x8_s(q0, v128.load_ext<i8>(d + i)));
    sa = i32x4.add(sa, i32x4.dot_i16x8_s(q1, v128.load_ext<i8>(a + i, 8)));
    sb = i32x4.add(sb, i32x4.dot_i16x8_s(q1, v128.load_ext<i8>(b + i, 8)));
    sc = i32x4.add(sc, i32x4.dot_i16x8_s(q1, v128.load_ext<i8>(c + i, 8)));
    sd = i32x4.add(sd, i32x4.dot_i16x8_s(q1, v128.load_ext<i8>(d + i, 8)));
  }
  return f32x4.convert_i32x4_s(sums4(sa, sb, sc, sd));
}

function floats4(query: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let sa = f32x4.splat(0);
  let sb = f32x4.splat(0);
  let sc = f32x4.splat(0);
  let sd = f32x4.splat(0);
  const end = <usize>s.padded << 2;
  for (let i: usize = 0; i < end; i += 16) {
    const q = v128.load(query + i);
    sa = f32x4.add(sa, f32x4.mul(q, v128.load(a + i)));
    sb = f32x4.add(sb, f32x4.mul(q, v128.load(b + i)));
    sc = f32x4.add(sc, f32x4.mul(q, v128.load(c + i)));
    sd = f32x4.add(sd, f32x4.mul(q, v128.load(d + i)));
  }
  return sums4f(sa, sb, sc, sd);
}

function squares4(query: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let sa = f32x4.splat(0);
  let sb = f32x4.splat(0);
  let sc = f32x4.splat(0);
  let sd = f32x4.splat(0);
  const end = <usize>s.padded << 2;
  for (let i: usize = 0; i < end; i += 16) {
    const q = v128.load(query + i);
    const da = f32x4.sub(q, v128.load(a + i));
    const db = f32x4.sub(q, v128.load(b + i));
    const dc = f32x4.sub(q, v128.load(c + i));
    const dd = f32x4.sub(q, v128.load(d + i));
    sa = f32x4.add(sa, f32x4.mul(da, da));
    sb = f32x4.add(sb, f32x4.mul(db, db));
    sc = f32x4.add(sc, f32x4.mul(dc, dc));
    sd = f32x4.add(sd, f32x4.mul(dd, dd));
  }
  return sums4f(sa, sb, sc, sd);
}

/** Distances of the query at `query` to four records. `factor` as {@link factorOf} gives it. */
@inline
export function distance4(query: usize, factor: f32, a: usize, b: usize, c: usize, d: usize): v128 {
  const at = <usize>s.codeAt;
  if (s.kind == s.KIND_F32) {
    if (s.metric == s.METRIC_L2) return squares4(query, a + at, b + at, c + at, d + at);
    return f32x4.neg(floats4(query, a + at, b + at, c + at, d + at));
  }
  const dots = bytes4(query, a + at, b + at, c + at, d + at);
  // Each record begins with its scale and offset: two pairs a load, then taken apart.
  const ab = v128.load64_lane(b, v128.load64_zero(a), 1);
  const cd = v128.load64_lane(d, v128.load64_zero(c), 1);
  const scales = f32x4.shuffle(ab, cd, 0, 2, 4, 6);
  const offsets = f32x4.shuffle(ab, cd, 1, 3, 5, 7);
  return f32x4.add(offsets, f32x4.mul(f32x4.mul(f32x4.splat(factor), scales), dots));
}

/** The sign and weight of a dot product with a query of this scale. */
@inline
export function factorOf(scale: f32): f32 {
  return s.metric == s.METRIC_L2 ? -2 * scale : -scale;
}

/** A distance's bits, so that unsigned order is the order of the distances. */
@inline
export function orderBits(distance: f32): u64 {
  const bits = reinterpret<u32>(distance);
  return <u64>(bits ^ (<u32>(<i32>bits >> 31) | 0x80000000));
}

/** One 64-bit key: distance first, then slot. */
@inline
export function keyOf(distance: f32, slot: u32): u64 {
  return (orderBits(distance) << 32) | <u64>slot;
}

@inline
export function distanceOfKey(key: u64): f32 {
  const bits = <u32>(key >> 32);
  return reinterpret<f32>(bits & 0x80000000 ? bits ^ 0x80000000 : ~bits);
}

/** Writes a node's code at `target` as a query reads it, and returns its factor. */
export function nodeAsQuery(slot: u32, target: usize): f32 {
  const record = recordOf(slot);
  const code = record + <usize>s.codeAt;
  if (s.kind == s.KIND_F32) {
    memory.copy(target, code, <usize>s.padded << 2);
    return 1;
  }
  const end = <usize>s.padded;
  for (let i: usize = 0; i < end; i += 8) v128.store(target + (i << 1), v128.load_ext<i8>(code + i));
  return factorOf(load<f32>(record));
}

/** Exact distance of the query at `QUERY_F32` to a full-precision row: minus the dot product, or the sum of squares. */
export function rowDistance(row: usize): f32 {
  let sum = f32x4.splat(0);
  const end = <usize>s.rowFloats << 2;
  if (s.metric == s.METRIC_L2) {
    for (let i: usize = 0; i < end; i += 16) {
      const difference = f32x4.sub(v128.load(s.QUERY_F32 + i), v128.load(row + i));
      sum = f32x4.add(sum, f32x4.mul(difference, difference));
    }
  } else {
    for (let i: usize = 0; i < end; i += 16) {
      sum = f32x4.sub(sum, f32x4.mul(v128.load(s.QUERY_F32 + i), v128.load(row + i)));
    }
  }
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}
