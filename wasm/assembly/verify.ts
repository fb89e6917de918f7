// What a loaded graph must be before anything walks it: every number that is followed points to where it may.
import { recordOf } from "./distance";
import { hasLink, linkCount, linksOf, room } from "./links";
import { findLabel, insertLabel } from "./memory";
import * as s from "./state";

/** Results of `finishLoad`. */
export const SOUND: u32 = 0;
export const BAD_LEVEL: u32 = 1;
export const BAD_UPPER: u32 = 2;
export const BAD_LINK: u32 = 3;
export const BAD_LABEL: u32 = 4;
export const BAD_ENTRY: u32 = 5;
export const BAD_NUMBER: u32 = 6;

@inline
function levelAt(slot: u32): u32 {
  return <u32>load<u8>(s.levels + <usize>slot);
}

/** Checks every slot; lists pending ones and enters the labels. */
export function takeOver(): u32 {
  let top: u32 = 0;
  let linked: u32 = 0;
  let blocks: u32 = 0;
  upward = 0;
  for (let slot: u32 = 0; slot < s.slots; slot++) {
    const level = levelAt(slot);
    if (level > s.MAX_LEVEL && level != s.PENDING) return BAD_LEVEL;
    if (level != s.PENDING && s.m == 0) return BAD_LEVEL;
    const record = recordOf(slot);
    if (!isFinite<f32>(load<f32>(record)) || load<f32>(record) < 0 || !isFinite<f32>(load<f32>(record, 4))) return BAD_NUMBER;
    if (level == s.PENDING) continue;
    linked++;
    top = max<u32>(top, level);
    if (level > 0) {
      // Blocks stand in the order of their nodes, without gaps.
      store<u32>(s.uppers + (<usize>slot << 2), blocks);
      blocks += level;
      if (blocks > s.poolUsed) return BAD_UPPER;
    } else {
      store<u32>(s.uppers + (<usize>slot << 2), s.NONE);
    }
  }
  if (blocks != s.poolUsed) return BAD_UPPER;
  if (linked == 0 ? s.entry != s.NONE : s.entry >= s.slots || levelAt(s.entry) != top) return BAD_ENTRY;
  s.topLevel = top;
  for (let slot: u32 = 0; slot < s.slots; slot++) {
    if (findLabel(load<u32>(s.labels + (<usize>slot << 2))) != s.NONE) return BAD_LABEL;
    insertLabel(slot);
    const level = levelAt(slot);
    if (level == s.PENDING) {
      waitAgain(slot);
      continue;
    }
    for (let at: u32 = 0; at <= level; at++) if (!soundLinks(slot, at)) return BAD_LINK;
  }
  if (upward != 0) return BAD_LINK;
  s.live = s.slots;
  return SOUND;
}

/** Links to slots above their own, less those to slots below. */
let upward: i32 = 0;

/** Whether the links of a slot in a layer lead to other nodes of the layer, to none of them twice, and those above it lead back.
 *  With as many that lead down as lead up, all of them then lead both ways. */
function soundLinks(slot: u32, level: u32): bool {
  const links = linksOf(slot, level);
  const most = room(level);
  const count = linkCount(links, most);
  for (let i = count; i < most; i++) if (load<u32>(links + (<usize>i << 2)) != s.NONE) return false;
  for (let i: u32 = 0; i < count; i++) {
    const target = load<u32>(links + (<usize>i << 2));
    if (target >= s.slots || target == slot) return false;
    const other = levelAt(target);
    if (other > s.MAX_LEVEL || other < level) return false;
    if (hasLink(links, i, target)) return false;
    if (target < slot) {
      upward--;
    } else {
      upward++;
      if (!hasLink(linksOf(target, level), most, slot)) return false;
    }
  }
  return true;
}

function waitAgain(slot: u32): void {
  s.pending++;
  if (s.m == 0) return;
  const record = recordOf(slot);
  store<u32>(record, s.NONE, 8);
  store<u32>(record, s.pendingTail, 12);
  if (s.pendingTail != s.NONE) store<u32>(recordOf(s.pendingTail), slot, 8);
  else s.pendingHead = slot;
  s.pendingTail = slot;
}
