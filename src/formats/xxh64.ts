/**
 * XXH64 in 32-bit halves: a 64-bit product out of four 16 × 32-bit ones, no BigInt before the result is returned.
 *
 * Every 64-bit value is two Int32 words, low first. Functions of two words return the low one and leave the high one
 * in `high`, which saves an allocation per step.
 *
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
type Word64 = readonly [low: number, high: number];

const P1: Word64 = [0x85ebca87 | 0, 0x9e3779b1 | 0];
const P2: Word64 = [0x27d4eb4f, 0xc2b2ae3d | 0];
const P3: Word64 = [0x9e3779f9 | 0, 0x165667b1];
const P4: Word64 = [0xc2b2ae63 | 0, 0x85ebca77 | 0];
const P5: Word64 = [0x165667c5, 0x27d4eb2f];
const STRIPE_BYTES = 32;

let high = 0;

/** Returns the XXH64 of the bytes, seed 0. */
export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let low: number;
  if (bytes.length >= STRIPE_BYTES) {
    const lanes = seededLanes();
    for (; at + STRIPE_BYTES <= bytes.length; at += STRIPE_BYTES) {
      for (let lane = 0; lane < 8; lane += 2) {
        const word = at + 4 * lane;
        const next = view.getInt32(word, true);
        lanes[lane] = round(lanes[lane]!, lanes[lane + 1]!, next, view.getInt32(word + 4, true));
        lanes[lane + 1] = high;
      }
    }
    low = joined(lanes);
  } else {
    [low, high] = P5;
  }
  low = add(low, high, bytes.length | 0, Math.floor(bytes.length / 2 ** 32));

  for (; at + 8 <= bytes.length; at += 8) {
    const [sumLow, sumHigh] = [low, high];
    const lane = round(0, 0, view.getInt32(at, true), view.getInt32(at + 4, true));
    low = rotate(sumLow ^ lane, sumHigh ^ high, 27);
    low = multiply(low, high, P1);
    low = add(low, high, ...P4);
  }
  if (at + 4 <= bytes.length) {
    const [sumLow, sumHigh] = [low, high];
    const lane = multiply(view.getInt32(at, true), 0, P1);
    low = rotate(sumLow ^ lane, sumHigh ^ high, 23);
    low = multiply(low, high, P2);
    low = add(low, high, ...P3);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    const [sumLow, sumHigh] = [low, high];
    const lane = multiply(bytes[at]!, 0, P5);
    low = rotate(sumLow ^ lane, sumHigh ^ high, 11);
    low = multiply(low, high, P1);
  }
  return avalanched(low, high);
}

/** The four accumulators for seed 0: P1 + P2, P2, 0, -P1. */
function seededLanes(): Int32Array {
  const first = add(...P1, ...P2);
  const lanes = Int32Array.of(first, high, P2[0], P2[1], 0, 0, 0, 0);
  lanes[6] = add(~P1[0], ~P1[1], 1, 0);
  lanes[7] = high;
  return lanes;
}

/** The accumulators rotated and added, then each merged in. */
function joined(lanes: Int32Array): number {
  let low = 0;
  let sumHigh = 0;
  for (const [i, by] of [1, 7, 12, 18].entries()) {
    const rotated = rotate(lanes[2 * i]!, lanes[2 * i + 1]!, by);
    low = add(low, sumHigh, rotated, high);
    sumHigh = high;
  }
  for (let lane = 0; lane < 8; lane += 2) {
    const merged = round(0, 0, lanes[lane]!, lanes[lane + 1]!);
    low = multiply(low ^ merged, sumHigh ^ high, P1);
    low = add(low, high, ...P4);
    sumHigh = high;
  }
  return low;
}

function avalanched(low: number, top: number): bigint {
  // h ^= h >>> 33, × P2; h ^= h >>> 29, × P3; h ^= h >>> 32.
  let value = multiply(low ^ (top >>> 1), top, P2);
  top = high;
  value = multiply(value ^ ((value >>> 29) | (top << 3)), top ^ (top >>> 29), P3);
  return (BigInt(high >>> 0) << 32n) | BigInt((value ^ high) >>> 0);
}

/** acc = rotl(acc + lane × P2, 31) × P1 */
function round(low: number, top: number, laneLow: number, laneHigh: number): number {
  const product = multiply(laneLow, laneHigh, P2);
  const sum = add(low, top, product, high);
  const rotated = rotate(sum, high, 31);
  return multiply(rotated, high, P1);
}

function add(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const low = (aLow >>> 0) + (bLow >>> 0);
  high = (aHigh + bHigh + (low > 0xffffffff ? 1 : 0)) | 0;
  return low | 0;
}

/** @param by 1 to 31. */
function rotate(low: number, top: number, by: number): number {
  high = (top << by) | (low >>> (32 - by));
  return (low << by) | (top >>> (32 - by));
}

function multiply(low: number, top: number, by: Word64): number {
  const byLow = by[0];
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = byLow & 0xffff;
  const b1 = byLow >>> 16;
  // 16 × 16 bits plus 16 bits: neither sum passes 2^32.
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0;
  const across = ((middle & 0xffff) + Math.imul(a0, b1)) >>> 0;
  const carried = (middle >>> 16) + (across >>> 16);
  high = (Math.imul(a1, b1) + carried + Math.imul(low, by[1]) + Math.imul(top, byLow)) | 0;
  return Math.imul(low, byLow);
}
