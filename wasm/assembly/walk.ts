// Walking: algorithm 2 of Malkov & Yashunin 2016, arXiv:1603.09320, with a filter and without.
import { batchDistances, batchSlot, distanceTo, lane } from "./batch";
import { keyOf, recordOf } from "./distance";
import { dropLeast, pushGreatest, pushLeast, replaceGreatest, sortHeap } from "./heap";
import { linkCount, linksOf, room } from "./links";
import * as s from "./state";
import { keepTouched, touch, touchLinks } from "./touch";

/** Starts a walk that has visited nothing. */
function forgetVisited(): void {
  if (++s.epoch == 256) {
    memory.fill(s.visited, 0, s.slots);
    s.epoch = 1;
  }
}

/** Goes from the entry down to `level`, always to the nearest neighbour. Returns the key of where it ends. */
export function descend(query: usize, factor: f32, level: u32): u64 {
  let best = keyOf(distanceTo(query, factor, s.entry), s.entry);
  for (let at = s.topLevel; at > level; at--) {
    for (;;) {
      const links = linksOf(<u32>best, at);
      const count = linkCount(links, s.m);
      const before = best;
      if (count > 0) {
        memory.copy(s.BATCH, links, <usize>count << 2);
        s.evaluations += count;
        for (let i: u32 = 0; i < count; i += 4) {
          const d = batchDistances(query, factor, i, count);
          const n = min<u32>(4, count - i);
          for (let j: u32 = 0; j < n; j++) {
            const key = keyOf(lane(d, j), batchSlot(i + j));
            if (key < best) best = key;
          }
        }
      }
      if (best == before) break;
    }
  }
  return best;
}

/** Whether the last filtered walk gave up. */
export let exhausted: bool = false;

let resultCount: u32 = 0;
let candidateCount: u32 = 0;

/** A heap that is full forgets its second half: none of it was near the front. */
@inline
function visitLater(key: u64): void {
  if (candidateCount == s.MAX_CANDIDATES) candidateCount >>= 1;
  pushLeast(s.CANDIDATES, candidateCount++, key);
}

@inline
function offer(key: u64, ef: u32): void {
  if (resultCount < ef) {
    pushGreatest(s.RESULTS, resultCount++, key);
  } else if (key < load<u64>(s.RESULTS)) {
    replaceGreatest(s.RESULTS, ef, key);
  } else return;
  visitLater(key);
}

/** Has the links of the node on their way that is likely to be next. */
@inline
function touchNext(stride: usize): u32 {
  return candidateCount == 0 ? 0 : touchLinks(recordOf(<u32>load<u64>(s.CANDIDATES)), stride);
}

/** Walks a layer from `start` and leaves up to `ef` keys in `RESULTS`, nearest first. Returns how many. */
export function walk(query: usize, factor: f32, level: u32, start: u64, ef: u32): u32 {
  forgetVisited();
  const epoch = s.epoch;
  const visited = s.visited;
  const most = room(level);
  resultCount = 0;
  candidateCount = 0;
  store<u8>(visited + <usize>(<u32>start), epoch);
  offer(start, ef);
  const stride = <usize>s.stride;
  let touched: u32 = 0;
  while (candidateCount > 0) {
    const nearest = load<u64>(s.CANDIDATES);
    if (resultCount == ef && nearest > load<u64>(s.RESULTS)) break;
    dropLeast(s.CANDIDATES, candidateCount--);
    const links = linksOf(<u32>nearest, level);
    touched += touchNext(stride);
    let count: u32 = 0;
    for (let i: u32 = 0; i < most; i++) {
      const slot = load<u32>(links + (<usize>i << 2));
      if (slot == s.NONE) break;
      // Without a branch: whether a neighbour was seen before is anybody's guess, and a wrong one costs as much as a distance.
      const isNew = load<u8>(visited + <usize>slot) != epoch;
      store<u8>(visited + <usize>slot, epoch);
      store<u32>(s.BATCH + (<usize>count << 2), slot);
      count += <u32>isNew;
    }
    for (let i: u32 = 0; i < count; i++) touched += touch(recordOf(batchSlot(i)), stride);
    if (count == 0) continue;
    s.evaluations += count;
    for (let i: u32 = 0; i < count; i += 4) {
      const d = batchDistances(query, factor, i, count);
      const n = count - i;
      offer(keyOf(f32x4.extract_lane(d, 0), batchSlot(i)), ef);
      if (n > 1) offer(keyOf(f32x4.extract_lane(d, 1), batchSlot(i + 1)), ef);
      if (n > 2) offer(keyOf(f32x4.extract_lane(d, 2), batchSlot(i + 2)), ef);
      if (n > 3) offer(keyOf(f32x4.extract_lane(d, 3), batchSlot(i + 3)), ef);
    }
  }
  keepTouched(touched);
  sortHeap(s.RESULTS, resultCount);
  return resultCount;
}

@inline
export function isAllowed(slot: u32): bool {
  return ((load<u32>(s.allowed + (<usize>(slot >> 5) << 2)) >> (slot & 31)) & 1) != 0;
}

/** Offers of four distances of the batch from `i`; those beyond `allowedCount` are only ways through. */
@inline
function offerThrough(d: v128, i: u32, count: u32, allowedCount: u32, ef: u32): void {
  const n = min<u32>(4, count - i);
  for (let j: u32 = 0; j < n; j++) {
    const key = keyOf(lane(d, j), batchSlot(i + j));
    if (i + j < allowedCount) {
      offer(key, ef);
    } else if (resultCount < ef || key < load<u64>(s.RESULTS)) {
      visitLater(key);
    }
  }
}

/** Allowed neighbours that are enough to go on with; below it the walk looks past those that are not allowed. */
const ENOUGH: u32 = 12;

/** Allowed nodes below which the walk also goes through nodes that are not allowed. */
const FEW: u32 = 4;

/** Allowed nodes that one step takes at most. */
const PLENTY: u32 = 32;

/** Walks layer 0 for allowed nodes, past and, where they are rare, through those that are not (after ACORN, Patel and others 2024,
 *  arXiv:2403.04871). Gives up after `budget` distances, with what it has. */
export function walkAllowed(query: usize, factor: f32, start: u64, ef: u32, budget: u32): u32 {
  forgetVisited();
  const epoch = s.epoch;
  const visited = s.visited;
  const most = s.m0;
  resultCount = 0;
  candidateCount = 0;
  exhausted = false;
  const first = <u32>start;
  store<u8>(visited + <usize>first, epoch);
  if (isAllowed(first)) offer(start, ef);
  else visitLater(start);
  const before = s.evaluations;
  const stride = <usize>s.stride;
  let touched: u32 = 0;
  while (candidateCount > 0) {
    const nearest = load<u64>(s.CANDIDATES);
    if (resultCount == ef && nearest > load<u64>(s.RESULTS)) break;
    if (s.evaluations - before > budget) {
      exhausted = true;
      break;
    }
    dropLeast(s.CANDIDATES, candidateCount--);
    const links = linksOf(<u32>nearest, 0);
    let count: u32 = 0;
    let barred: u32 = 0;
    for (let i: u32 = 0; i < most; i++) {
      const slot = load<u32>(links + (<usize>i << 2));
      if (slot == s.NONE) break;
      if (load<u8>(visited + <usize>slot) == epoch) continue;
      if (isAllowed(slot)) {
        store<u8>(visited + <usize>slot, epoch);
        store<u32>(s.BATCH + (<usize>count << 2), slot);
        count++;
        touched += touch(recordOf(slot), stride);
      } else {
        store<u32>(s.ORPHANS + (<usize>barred << 2), slot);
        barred++;
        touched += touchLinks(recordOf(slot), stride);
      }
    }
    if (count < ENOUGH) {
      for (let i: u32 = 0; i < barred && count < PLENTY; i++) {
        const slot = load<u32>(s.ORPHANS + (<usize>i << 2));
        store<u8>(visited + <usize>slot, epoch);
        const beyond = linksOf(slot, 0);
        for (let j: u32 = 0; j < most; j++) {
          const other = load<u32>(beyond + (<usize>j << 2));
          if (other == s.NONE) break;
          if (!isAllowed(other) || load<u8>(visited + <usize>other) == epoch) continue;
          store<u8>(visited + <usize>other, epoch);
          store<u32>(s.BATCH + (<usize>count << 2), other);
          count++;
          touched += touch(recordOf(other), stride);
        }
      }
    }
    const through = count;
    if (count < FEW) {
      for (let i: u32 = 0; i < barred; i++) {
        store<u32>(s.BATCH + (<usize>count << 2), load<u32>(s.ORPHANS + (<usize>i << 2)));
        count++;
      }
    }
    s.evaluations += count;
    for (let i: u32 = 0; i < count; i += 4) offerThrough(batchDistances(query, factor, i, count), i, count, through, ef);
  }
  keepTouched(touched);
  sortHeap(s.RESULTS, resultCount);
  return resultCount;
}
