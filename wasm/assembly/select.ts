// Choosing neighbours: algorithm 4 of Malkov & Yashunin 2016, arXiv:1603.09320.
import { distance4, distanceOfKey, nodeAsQuery, recordOf } from "./distance";
import * as s from "./state";

/** What makes distances that leave the query's own square out comparable: minus that square. */
@inline
export function selfOffset(slot: u32): f32 {
  if (s.metric != s.METRIC_L2 || s.kind == s.KIND_F32) return 0;
  return -load<f32>(recordOf(slot), 4);
}

/** Whether one of `count` chosen nodes is nearer to `slot` than `distance`. Widens `slot` into NODE. */
export function occluded(slot: u32, distance: f32, keys: usize, count: u32): bool {
  if (count == 0) return false;
  const factor = nodeAsQuery(slot, s.NODE);
  const limit = f32x4.splat(selfOffset(slot) + distance);
  const last = count - 1;
  s.evaluations += count;
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

/** Takes at most `most` from sorted keys, nearest first: those that are nearer to the node than to any taken before, then others. */
export function select(base: u32, keys: usize, count: u32, most: u32): u32 {
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
