// Lists of links: where they lie, and what goes into them and out.
import { recordOf } from "./distance";
import { layOut } from "./memory";
import * as s from "./state";

@inline
export function linksOf(slot: u32, level: u32): usize {
  if (level == 0) return recordOf(slot) + 8;
  return s.pool + <usize>(load<u32>(s.uppers + (<usize>slot << 2)) + level - 1) * <usize>s.m * 4;
}

@inline
export function room(level: u32): u32 {
  return level == 0 ? s.m0 : s.m;
}

@inline
export function linkCount(links: usize, most: u32): u32 {
  let n: u32 = 0;
  while (n < most && load<u32>(links + (<usize>n << 2)) != s.NONE) n++;
  return n;
}

/** Whether one of the first `count` links leads to `target`. */
@inline
export function hasLink(links: usize, count: u32, target: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (load<u32>(links + (<usize>i << 2)) == target) return true;
  return false;
}

@inline
export function append(slot: u32, target: u32, level: u32): void {
  const links = linksOf(slot, level);
  store<u32>(links + (<usize>linkCount(links, room(level)) << 2), target);
}

/** Removes `target` from a list of links. */
export function dropLink(slot: u32, level: u32, target: u32): void {
  const links = linksOf(slot, level);
  const count = linkCount(links, room(level));
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(links + (<usize>i << 2)) != target) continue;
    store<u32>(links + (<usize>i << 2), load<u32>(links + (<usize>(count - 1) << 2)));
    store<u32>(links + (<usize>(count - 1) << 2), s.NONE);
    return;
  }
}

/** Takes `count` blocks for upper links, empty, or returns NONE when memory ends. */
export function takeUpper(count: u32): u32 {
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

/** Gives the blocks of a node's upper links back. */
@inline
export function freeUpper(slot: u32, level: u32): void {
  const index = load<u32>(s.uppers + (<usize>slot << 2));
  const head = s.FREE_UPPER + (<usize>level << 2);
  store<u32>(s.pool + <usize>index * <usize>s.m * 4, load<u32>(head));
  store<u32>(head, index);
  store<u32>(s.uppers + (<usize>slot << 2), s.NONE);
}
