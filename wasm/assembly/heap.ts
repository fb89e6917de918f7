// Binary heaps of 64-bit keys at a fixed place.

/** Puts `key` into the heap of `size` with the least at the root. */
@inline
export function pushLeast(heap: usize, size: u32, key: u64): void {
  let at = size;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<u64>(heap + (<usize>parent << 3));
    if (above <= key) break;
    store<u64>(heap + (<usize>at << 3), above);
    at = parent;
  }
  store<u64>(heap + (<usize>at << 3), key);
}

/** Takes the root out of the heap of `size` with the least at the root: the caller has read it. */
@inline
export function dropLeast(heap: usize, size: u32): void {
  const last = size - 1;
  const key = load<u64>(heap + (<usize>last << 3));
  let at: u32 = 0;
  for (;;) {
    let child: u32 = 2 * at + 1;
    if (child >= last) break;
    let below = load<u64>(heap + (<usize>child << 3));
    if (child + 1 < last) {
      const other = load<u64>(heap + (<usize>(child + 1) << 3));
      if (other < below) {
        below = other;
        child++;
      }
    }
    if (key <= below) break;
    store<u64>(heap + (<usize>at << 3), below);
    at = child;
  }
  store<u64>(heap + (<usize>at << 3), key);
}

/** Puts `key` into the heap of `size` with the greatest at the root. */
@inline
export function pushGreatest(heap: usize, size: u32, key: u64): void {
  let at = size;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<u64>(heap + (<usize>parent << 3));
    if (above >= key) break;
    store<u64>(heap + (<usize>at << 3), above);
    at = parent;
  }
  store<u64>(heap + (<usize>at << 3), key);
}

/** Sinks `key` from the root of the heap of `size` with the greatest at the root, in place of what stood there. */
@inline
export function replaceGreatest(heap: usize, size: u32, key: u64): void {
  let at: u32 = 0;
  for (;;) {
    let child: u32 = 2 * at + 1;
    if (child >= size) break;
    let below = load<u64>(heap + (<usize>child << 3));
    if (child + 1 < size) {
      const other = load<u64>(heap + (<usize>(child + 1) << 3));
      if (other > below) {
        below = other;
        child++;
      }
    }
    if (key >= below) break;
    store<u64>(heap + (<usize>at << 3), below);
    at = child;
  }
  store<u64>(heap + (<usize>at << 3), key);
}

/** Sorts a heap with the greatest at the root, least first. */
export function sortHeap(heap: usize, size: u32): void {
  for (let last = size; last > 1; last--) {
    const greatest = load<u64>(heap);
    replaceGreatest(heap, last - 1, load<u64>(heap + (<usize>(last - 1) << 3)));
    store<u64>(heap + (<usize>(last - 1) << 3), greatest);
  }
}
