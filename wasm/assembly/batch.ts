// The slots at hand, in `BATCH`, and distances to four of them at a time.
import { distance4, recordOf } from "./distance";
import * as s from "./state";

@inline
export function batchSlot(i: u32): u32 {
  return load<u32>(s.BATCH + (<usize>i << 2));
}

/** Distances to four of the batch from `i`; past the end the last one stands in. */
@inline
export function batchDistances(query: usize, factor: f32, i: u32, count: u32): v128 {
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
export function lane(distances: v128, i: u32): f32 {
  if (i == 0) return f32x4.extract_lane(distances, 0);
  if (i == 1) return f32x4.extract_lane(distances, 1);
  if (i == 2) return f32x4.extract_lane(distances, 2);
  return f32x4.extract_lane(distances, 3);
}

/** Distance of the query to one node. */
export function distanceTo(query: usize, factor: f32, slot: u32): f32 {
  const record = recordOf(slot);
  s.evaluations++;
  return f32x4.extract_lane(distance4(query, factor, record, record, record, record), 0);
}
