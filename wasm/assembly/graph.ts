// The graph: linking a node into it (algorithm 1 of Malkov & Yashunin 2016, arXiv:1603.09320), taking one out and closing the hole.
import { batchDistances, batchSlot, distanceTo, lane } from "./batch";
import { connect } from "./connect";
import { distanceOfKey, keyOf, nodeAsQuery, recordOf } from "./distance";
import { pushGreatest, sortHeap } from "./heap";
import { dropLink, freeUpper, hasLink, linkCount, linksOf, room, takeUpper } from "./links";
import { findLabel } from "./memory";
import { freeNode, leavePending } from "./nodes";
import { occluded, select, selfOffset } from "./select";
import * as s from "./state";
import { descend, walk } from "./walk";

/** A node's level: geometric with mean 1 / (m - 1), from its label and the seed alone. */
function levelOf(label: u32): u32 {
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
function unlinkNode(slot: u32): void {
  const level = <u32>load<u8>(s.levels + <usize>slot);
  for (let at = <i32>level; at >= 0; at--) {
    const links = linksOf(slot, at);
    const count = linkCount(links, room(at));
    memory.copy(s.ORPHANS, links, <usize>count << 2);
    for (let i: u32 = 0; i < count; i++) dropLink(load<u32>(s.ORPHANS + (<usize>i << 2)), at, slot);
    for (let i: u32 = 0; i < count; i++) mend(load<u32>(s.ORPHANS + (<usize>i << 2)), count, at);
  }
  if (level > 0) freeUpper(slot, level);
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
  s.evaluations += count;
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
  s.evaluations += degree;
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
