// Linking two nodes, and which link a full list gives up for that.
// Links are kept symmetric: who links to a node is in the node's own list, so a delete finds them all.
import { batchDistances, batchSlot, distanceTo, lane } from "./batch";
import { distanceOfKey, keyOf, nodeAsQuery } from "./distance";
import { pushGreatest, sortHeap } from "./heap";
import { append, dropLink, hasLink, linkCount, linksOf, room } from "./links";
import { occluded, selfOffset } from "./select";
import * as s from "./state";

/** What `victimOf` answers when the link is not worth another. */
const REFUSED: u32 = 0xfffffffe;

/** Links a and b both ways. A full list gives up its farthest link that a nearer one covers; where that would be this very
 *  link it is not made, unless it is `forced`, as the first link of a is. */
export function connect(a: u32, b: u32, distance: f32, level: u32, forced: bool): void {
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
  s.evaluations += count;
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
