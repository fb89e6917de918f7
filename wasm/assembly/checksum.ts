// XXH64, seed 0. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

@inline
function round(lane: u64, value: u64): u64 {
  return rotl<u64>(lane + value * P2, 31) * P1;
}

@inline
function merge(sum: u64, lane: u64): u64 {
  return (sum ^ round(0, lane)) * P1 + P4;
}

let a: u64 = 0;
let b: u64 = 0;
let c: u64 = 0;
let d: u64 = 0;
let total: u64 = 0;
/** Bytes after the last whole stripe. */
let tailAt: usize = 0;
let tailEnd: usize = 0;

/** Begins a hash. */
export function xxh64Begin(): void {
  a = P1 + P2;
  b = P2;
  c = 0;
  d = 0 - P1;
  total = 0;
  tailAt = 0;
  tailEnd = 0;
}

/** Takes in the next bytes: a multiple of 32, except for the last, which stay where they are until the end. */
export function xxh64Update(at: usize, length: u32): void {
  const end = at + <usize>length;
  let p = at;
  for (; p + 32 <= end; p += 32) {
    a = round(a, load<u64>(p));
    b = round(b, load<u64>(p, 8));
    c = round(c, load<u64>(p, 16));
    d = round(d, load<u64>(p, 24));
  }
  total += <u64>length;
  tailAt = p;
  tailEnd = end;
}

/** Hash of all bytes since the beginning. */
export function xxh64End(): u64 {
  let sum: u64;
  if (total >= 32) {
    sum = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    sum = merge(merge(merge(merge(sum, a), b), c), d);
  } else {
    sum = P5;
  }
  sum += total;
  let p = tailAt;
  const end = tailEnd;
  for (; p + 8 <= end; p += 8) sum = rotl<u64>(sum ^ round(0, load<u64>(p)), 27) * P1 + P4;
  if (p + 4 <= end) {
    sum = rotl<u64>(sum ^ (<u64>load<u32>(p) * P1), 23) * P2 + P3;
    p += 4;
  }
  for (; p < end; p++) sum = rotl<u64>(sum ^ (<u64>load<u8>(p) * P5), 11) * P1;
  sum = (sum ^ (sum >> 33)) * P2;
  sum = (sum ^ (sum >> 29)) * P3;
  return sum ^ (sum >> 32);
}
