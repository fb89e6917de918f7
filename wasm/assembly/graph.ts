// The graph: walking it, linking a node into it, taking one out and closing the hole.
// Malkov & Yashunin 2016, arXiv:1603.09320, algorithms 1, 2 and 4.
// Links are kept symmetric: who links to a node is in the node's own list, so a delete finds them all.
import { distance4, distanceOfKey, keyOf, nodeAsQuery, recordOf } from "./distance";
import { dropLeast, pushGreatest, pushLeast, replaceGreatest, sortHeap } from "./heap";
import { findLabel, layOut } from "./memory";
import { freeNode, leavePending } from "./nodes";
import * as s from "./state";

/** Distances computed since the counter was last read. */
export let evaluations: u32 = 0;
let sink: u32 = 0;

@inline
export function linksOf(slot: u32, level: u32): usize {
  if (level == 0) return recordOf(slot) + 8;
  return s.pool + <usize>(load<u32>(s.uppers + (<usize>slot << 2)) + level - 1) * <usize>s.m * 4;
}

@inline
function room(level: u32): u32 {
  return level == 0 ? s.m0 : s.m;
}

@inline
export function linkCount(links: usize, most: u32): u32 {
  let n: u32 = 0;
  while (n < most && load<u32>(links + (<usize>n << 2)) != s.NONE) n++;
  return n;
}

@inline
function batchSlot(i: u32): u32 {
  return load<u32>(s.BATCH + (<usize>i << 2));
}

/** Starts a walk that has visited nothing. */
export function forgetVisited(): void {
  if (++s.epoch == 256) {
    memory.fill(s.visited, 0, s.slots);
    s.epoch = 1;
  }
}

/** Distances to four of the batch from `i`; past the end the last one stands in. */
@inline
function batchDistances(query: usize, factor: f32, i: u32, count: u32): v128 {
  const last = count - 1;
  return distance4(
    query,
    factor,
    recordOf(batchSlot(i)),
    recordOf(batchSlot(min(i + 1, last))),
    recordOf(batchSlot(min(i + 2, last))),
    recordOf(batchSlot(min(i + 3, last))),
  );
}

@inline
function lane(distances: v128, i: u32): f32 {
  if (i == 0) return f32x4.extract_lane(distances, 0);
  if (i == 1) return f32x4.extract_lane(distances, 1);
  if (i == 2) return f32x4.extract_lane(distances, 2);
  return f32x4.extract_lane(distances, 3);
}

/** Distance of the query to one node. */
export function distanceTo(query: usize, factor: f32, slot: u32): f32 {
  const record = recordOf(slot);
  evaluations++;
  return f32x4.extract_lane(distance4(query, factor, record, record, record, record), 0);
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
        evaluations += count;
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

/** Stride of 384 dimensions as codes, with 30 links. */
const COMMON_STRIDE: usize = 512;

/** Reads one byte of every line of a record that its distance needs: scale and offset in the first, the code from the third on (or, where
 *  there are fewer links, earlier: then a line less is there in time). All of them are on their way while the links are gone through;
 *  reading them one after the other, as the distance does, waits for each. With as few conditions as may be: one more a line is 8 %. */
@inline
export function touch(record: usize, stride: usize): u32 {
  let sum: u32 = load<u8>(record);
  if (stride >= COMMON_STRIDE) {
    sum += load<u8>(record, 128);
    sum += load<u8>(record, 192);
    sum += load<u8>(record, 256);
    sum += load<u8>(record, 320);
    sum += load<u8>(record, 384);
    sum += load<u8>(record, 448);
    if (stride == COMMON_STRIDE) return sum;
    let at = COMMON_STRIDE;
    for (; at + 128 <= stride; at += 128) sum += load<u8>(record + at) + load<u8>(record + at, 64);
  } else {
    if (stride >= 256) sum += load<u8>(record, 128) + load<u8>(record, 192);
    if (stride >= 384) sum += load<u8>(record, 256) + load<u8>(record, 320);
  }
  // The last of an odd number of lines.
  return sum + load<u8>(record + stride - 64);
}

/** Reads one byte of the first two lines of a record: its links. */
@inline
function touchLinks(record: usize, stride: usize): u32 {
  return stride < 128 ? 0 : <u32>load<u8>(record) + load<u8>(record, 64);
}

/** Has the links of the node on their way that is likely to be next. */
@inline
function touchNext(stride: usize): u32 {
  return candidateCount == 0 ? 0 : touchLinks(recordOf(<u32>load<u64>(s.CANDIDATES)), stride);
}

/** Keeps what was read only to be near from being left out. */
export function keepTouched(touched: u32): void {
  sink = touched;
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
    evaluations += count;
    for (let i: u32 = 0; i < count; i += 4) {
      const d = batchDistances(query, factor, i, count);
      const n = count - i;
      offer(keyOf(f32x4.extract_lane(d, 0), batchSlot(i)), ef);
      if (n > 1) offer(keyOf(f32x4.extract_lane(d, 1), batchSlot(i + 1)), ef);
      if (n > 2) offer(keyOf(f32x4.extract_lane(d, 2), batchSlot(i + 2)), ef);
      if (n > 3) offer(keyOf(f32x4.extract_lane(d, 3), batchSlot(i + 3)), ef);
    }
  }
  sink = touched;
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
  const before = evaluations;
  const stride = <usize>s.stride;
  let touched: u32 = 0;
  while (candidateCount > 0) {
    const nearest = load<u64>(s.CANDIDATES);
    if (resultCount == ef && nearest > load<u64>(s.RESULTS)) break;
    if (evaluations - before > budget) {
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
    evaluations += count;
    for (let i: u32 = 0; i < count; i += 4) offerThrough(batchDistances(query, factor, i, count), i, count, through, ef);
  }
  sink = touched;
  sortHeap(s.RESULTS, resultCount);
  return resultCount;
}

/** Whether one of `count` chosen nodes is nearer to `slot` than `distance`. Widens `slot` into NODE. */
function occluded(slot: u32, distance: f32, keys: usize, count: u32): bool {
  if (count == 0) return false;
  const factor = nodeAsQuery(slot, s.NODE);
  const limit = f32x4.splat(selfOffset(slot) + distance);
  const last = count - 1;
  evaluations += count;
  for (let i: u32 = 0; i < count; i += 4) {
    const d = distance4(
      s.NODE,
      factor,
      recordOf(load<u32>(keys + (<usize>i << 3))),
      recordOf(load<u32>(keys + (<usize>min(i + 1, last) << 3))),
      recordOf(load<u32>(keys + (<usize>min(i + 2, last) << 3))),
      recordOf(load<u32>(keys + (<usize>min(i + 3, last) << 3))),
    );
    if (v128.any_true(f32x4.le(d, limit))) return true;
  }
  return false;
}

/** What makes distances that leave the query's own square out comparable: minus that square. */
@inline
function selfOffset(slot: u32): f32 {
  if (s.metric != s.METRIC_L2 || s.kind == s.KIND_F32) return 0;
  return -load<f32>(recordOf(slot), 4);
}

/** Takes at most `most` from sorted keys, nearest first: those that are nearer to the node than to any taken before, then others. */
function select(base: u32, keys: usize, count: u32, most: u32): u32 {
  const own = -selfOffset(base);
  let chosen: u32 = 0;
  for (let i: u32 = 0; i < count && chosen < most; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    if (<u32>key == base) continue;
    if (!occluded(<u32>key, distanceOfKey(key) + own, s.SELECTED, chosen)) {
      store<u64>(s.SELECTED + (<usize>chosen << 3), key);
      chosen++;
    }
  }
  return fill(base, keys, count, most, chosen);
}

/** Fills all but a quarter of the places, at least two, with the nearest that were passed over (algorithm 4, keepPrunedConnections), but for those as far as the
 *  one before them: of doubles one is enough. */
function fill(base: u32, keys: usize, count: u32, most: u32, chosen: u32): u32 {
  const enough = most - max<u32>(most >> 2, 2);
  let before: u64 = 0;
  for (let i: u32 = 0; i < count && chosen < enough; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const alike = key >> 32 == before;
    before = key >> 32;
    if (alike || <u32>key == base || isSelected(key, chosen)) continue;
    store<u64>(s.SELECTED + (<usize>chosen << 3), key);
    chosen++;
  }
  return chosen;
}

@inline
function isSelected(key: u64, chosen: u32): bool {
  for (let i: u32 = 0; i < chosen; i++) if (load<u64>(s.SELECTED + (<usize>i << 3)) == key) return true;
  return false;
}

/** Removes `target` from a list of links. */
function dropLink(slot: u32, level: u32, target: u32): void {
  const links = linksOf(slot, level);
  const count = linkCount(links, room(level));
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(links + (<usize>i << 2)) != target) continue;
    store<u32>(links + (<usize>i << 2), load<u32>(links + (<usize>(count - 1) << 2)));
    store<u32>(links + (<usize>(count - 1) << 2), s.NONE);
    return;
  }
}

/** What `victimOf` answers when the link is not worth another. */
const REFUSED: u32 = 0xfffffffe;

/** Links a and b both ways. A full list gives up its farthest link that a nearer one covers; where that would be this very
 *  link it is not made, unless it is `forced`, as the first link of a is. */
function connect(a: u32, b: u32, distance: f32, level: u32, forced: bool): void {
  const links = linksOf(a, level);
  if (hasLink(links, linkCount(links, room(level)), b)) return;
  const ofA = victimOf(a, b, distance, level, forced);
  if (ofA == REFUSED) return;
  const ofB = victimOf(b, a, distance, level, forced);
  // One that would lose two links for this one might be left with none.
  if (ofB == REFUSED || (ofA != s.NONE && ofA == ofB)) return;
  if (ofA != s.NONE) {
    dropLink(a, level, ofA);
    dropLink(ofA, level, a);
  }
  if (ofB != s.NONE) {
    dropLink(b, level, ofB);
    dropLink(ofB, level, b);
  }
  append(a, b, level);
  append(b, a, level);
  if (forced && ofB != s.NONE) {
    // This may have been what held the victim to the rest: it hangs on a, which has no other link yet.
    append(a, ofB, level);
    append(ofB, a, level);
  }
}

@inline
function append(slot: u32, target: u32, level: u32): void {
  const links = linksOf(slot, level);
  store<u32>(links + (<usize>linkCount(links, room(level)) << 2), target);
}

/** The link that `slot` gives up for `newcomer`: NONE while there is room, REFUSED where none is worth less. */
function victimOf(slot: u32, newcomer: u32, distance: f32, level: u32, forced: bool): u32 {
  const links = linksOf(slot, level);
  const most = room(level);
  const count = linkCount(links, most);
  if (count < most) return s.NONE;
  // Keys of all links and the newcomer, nearest first.
  const own = -selfOffset(slot);
  const factor = nodeAsQuery(slot, s.NODE);
  const self = distanceTo(s.NODE, factor, slot) + own;
  memory.copy(s.BATCH, links, <usize>count << 2);
  evaluations += count;
  for (let i: u32 = 0; i < count; i += 4) {
    const d = batchDistances(s.NODE, factor, i, count);
    const n = min<u32>(4, count - i);
    for (let j: u32 = 0; j < n; j++) pushGreatest(s.POOL_KEYS, i + j, keyOf(lane(d, j) + own, batchSlot(i + j)));
  }
  pushGreatest(s.POOL_KEYS, count, keyOf(distance, newcomer));
  sortHeap(s.POOL_KEYS, count + 1);
  // Of links to equal vectors, from `begin` to `end`, one is enough: more would shut the node in among its doubles.
  let end: u32 = 0;
  while (end <= count && distanceOfKey(load<u64>(s.POOL_KEYS + (<usize>end << 3))) <= self) end++;
  let begin = end;
  while (begin > 0 && distanceOfKey(load<u64>(s.POOL_KEYS + (<usize>(begin - 1) << 3))) == self) begin--;
  const least = most >> 2;
  if (end > begin + 1) {
    for (let i = end - 1; i > begin; i--) {
      const other = <u32>load<u64>(s.POOL_KEYS + (<usize>i << 3));
      if (other == newcomer) {
        if (!forced) return REFUSED;
      } else if (linkCount(linksOf(other, level), most) > least) return other;
    }
  }
  let victim = REFUSED;
  for (let i = count; i > 0; i--) {
    const key = load<u64>(s.POOL_KEYS + (<usize>i << 3));
    const other = <u32>key;
    if (other == newcomer) {
      if (forced) continue;
      if (victim == REFUSED) victim = newcomer;
    } else {
      if (linkCount(linksOf(other, level), most) <= least) continue;
      if (victim == REFUSED) victim = other;
    }
    if (occluded(other, distanceOfKey(key), s.POOL_KEYS, i)) {
      victim = other;
      break;
    }
  }
  if (victim == newcomer) return REFUSED;
  if (victim == REFUSED && forced) {
    const farthest = <u32>load<u64>(s.POOL_KEYS + (<usize>count << 3));
    return farthest != newcomer ? farthest : <u32>load<u64>(s.POOL_KEYS + (<usize>(count - 1) << 3));
  }
  return victim;
}

/** A node's level: geometric with mean 1 / (m - 1), from its label and the seed alone. */
export function levelOf(label: u32): u32 {
  let state = s.seed + <u64>label * 0x9e3779b97f4a7c15;
  let level: u32 = 0;
  while (level < s.MAX_LEVEL) {
    state += 0x9e3779b97f4a7c15;
    let z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    if ((<u64>(<u32>z) * <u64>s.m) >> 32 != 0) break;
    level++;
  }
  return level;
}

/** Takes `count` blocks for upper links, empty, or returns NONE when memory ends. */
function takeUpper(count: u32): u32 {
  const head = s.FREE_UPPER + (<usize>count << 2);
  let index = load<u32>(head);
  if (index != s.NONE) {
    store<u32>(head, load<u32>(s.pool + <usize>index * <usize>s.m * 4));
  } else {
    if (s.poolUsed + count > s.poolCapacity) {
      const more = max<u32>(64 + count, s.poolCapacity >> 3);
      if (!layOut(s.capacity, s.poolCapacity + more, s.ioBytes)) return s.NONE;
    }
    index = s.poolUsed;
    s.poolUsed += count;
  }
  memory.fill(s.pool + <usize>index * <usize>s.m * 4, 0xff, <usize>count * <usize>s.m * 4);
  return index;
}

/** Links the node that has waited longest. Returns false when memory ends. */
export function linkOne(): bool {
  const slot = s.pendingHead;
  const label = load<u32>(s.labels + (<usize>slot << 2));
  const level = levelOf(label);
  if (level > 0) {
    const upper = takeUpper(level);
    if (upper == s.NONE) return false;
    store<u32>(s.uppers + (<usize>slot << 2), upper);
  }
  leavePending(slot);
  memory.fill(recordOf(slot) + 8, 0xff, <usize>s.m0 << 2);
  store<u8>(s.levels + <usize>slot, level);
  if (s.entry == s.NONE) {
    s.entry = slot;
    s.topLevel = level;
    return true;
  }
  const factor = nodeAsQuery(slot, s.QUERY);
  const own = -selfOffset(slot);
  let start = descend(s.QUERY, factor, level);
  for (let at = <i32>min(level, s.topLevel); at >= 0; at--) {
    const found = walk(s.QUERY, factor, <u32>at, start, s.efConstruction);
    start = load<u64>(s.RESULTS);
    const chosen = select(slot, s.RESULTS, found, s.m);
    for (let i: u32 = 0; i < chosen; i++) {
      const key = i == 0 ? firstLink(found, at) : load<u64>(s.SELECTED + (<usize>i << 3));
      connect(slot, <u32>key, distanceOfKey(key) + own, <u32>at, i == 0);
    }
  }
  if (level > s.topLevel) {
    s.entry = slot;
    s.topLevel = level;
  }
  return true;
}

/** Of the results that are as near as the nearest, the last one that has room, or the nearest itself: doubles hang on each other
 *  and leave the first of them its links to the rest. */
function firstLink(found: u32, level: u32): u64 {
  const nearest = load<u64>(s.RESULTS);
  const most = room(level);
  let end: u32 = 1;
  while (end < found && load<u64>(s.RESULTS + (<usize>end << 3)) >> 32 == nearest >> 32) end++;
  for (let i = end - 1; i > 0; i--) {
    const key = load<u64>(s.RESULTS + (<usize>i << 3));
    if (linkCount(linksOf(<u32>key, level), most) < most) return key;
  }
  return nearest;
}

/** Takes a linked node out of every layer; its neighbours are linked to each other where a link is worth having. */
export function unlinkNode(slot: u32): void {
  const level = <u32>load<u8>(s.levels + <usize>slot);
  for (let at = <i32>level; at >= 0; at--) {
    const links = linksOf(slot, at);
    const count = linkCount(links, room(at));
    memory.copy(s.ORPHANS, links, <usize>count << 2);
    for (let i: u32 = 0; i < count; i++) dropLink(load<u32>(s.ORPHANS + (<usize>i << 2)), at, slot);
    for (let i: u32 = 0; i < count; i++) mend(load<u32>(s.ORPHANS + (<usize>i << 2)), count, at);
  }
  if (level > 0) {
    const index = load<u32>(s.uppers + (<usize>slot << 2));
    const head = s.FREE_UPPER + (<usize>level << 2);
    store<u32>(s.pool + <usize>index * <usize>s.m * 4, load<u32>(head));
    store<u32>(head, index);
    store<u32>(s.uppers + (<usize>slot << 2), s.NONE);
  }
  if (s.entry == slot) chooseEntry(slot);
}

/** Most links that a neighbour of a node that goes gets in its place. */
const MENDED: u32 = 3;

/** Links one of the orphans to the nearest others of them that none of its links covers. */
function mend(slot: u32, orphans: u32, level: u32): void {
  let count: u32 = 0;
  const links = linksOf(slot, level);
  const most = room(level);
  const degree = linkCount(links, most);
  for (let i: u32 = 0; i < orphans; i++) {
    const other = load<u32>(s.ORPHANS + (<usize>i << 2));
    if (other == slot || hasLink(links, degree, other)) continue;
    store<u32>(s.BATCH + (<usize>count << 2), other);
    count++;
  }
  if (count == 0) return;
  const own = -selfOffset(slot);
  const factor = nodeAsQuery(slot, s.NODE);
  evaluations += count;
  for (let i: u32 = 0; i < count; i += 4) {
    const d = batchDistances(s.NODE, factor, i, count);
    const n = min<u32>(4, count - i);
    for (let j: u32 = 0; j < n; j++) pushGreatest(s.RESULTS, i + j, keyOf(lane(d, j) + own, batchSlot(i + j)));
  }
  sortHeap(s.RESULTS, count);
  // What covers: links to others than doubles of the node, which are as near to everything as the node is.
  const self = distanceTo(s.NODE, factor, slot) + own;
  let covers: u32 = 0;
  memory.copy(s.BATCH, links, <usize>degree << 2);
  evaluations += degree;
  for (let i: u32 = 0; i < degree; i += 4) {
    const d = batchDistances(s.NODE, factor, i, degree);
    const n = min<u32>(4, degree - i);
    for (let j: u32 = 0; j < n; j++) {
      if (lane(d, j) + own == self) continue;
      store<u64>(s.SELECTED + (<usize>covers << 3), batchSlot(i + j));
      covers++;
    }
  }
  let added: u32 = 0;
  for (let i: u32 = 0; i < count && added < MENDED; i++) {
    const key = load<u64>(s.RESULTS + (<usize>i << 3));
    const distance = distanceOfKey(key);
    if (occluded(<u32>key, distance, s.SELECTED, covers)) continue;
    connect(slot, <u32>key, distance, level, load<u32>(links) == s.NONE);
    added++;
    if (distance == self) continue;
    store<u64>(s.SELECTED + (<usize>covers << 3), key);
    covers++;
  }
}

/** Whether one of the first `count` links leads to `target`. */
@inline
export function hasLink(links: usize, count: u32, target: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(links + (<usize>i << 2)) == target) return true;
  return false;
}

/** Makes the highest linked node but `gone` the entry. */
function chooseEntry(gone: u32): void {
  s.entry = s.NONE;
  s.topLevel = 0;
  for (let slot: u32 = 0; slot < s.slots; slot++) {
    const level = <u32>load<u8>(s.levels + <usize>slot);
    if (level > s.MAX_LEVEL || slot == gone) continue;
    if (s.entry == s.NONE || level > s.topLevel) {
      s.entry = slot;
      s.topLevel = level;
    }
  }
}

/** Takes a node out, linked or not. Returns false when there is none of this label. */
export function removeNode(label: u32): bool {
  const slot = findLabel(label);
  if (slot == s.NONE) return false;
  if (load<u8>(s.levels + <usize>slot) == s.PENDING) leavePending(slot);
  else unlinkNode(slot);
  freeNode(slot);
  return true;
}
