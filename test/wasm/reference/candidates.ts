import { type Near, nearer } from "./near.ts";

const MOST = 16384;

/** Nodes to visit, the nearest first: a binary heap. One that is full forgets the second half of its array. */
export class Candidates<T extends { slot: number }> {
  readonly #heap: Near<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get nearest(): Near<T> {
    return this.#heap[0] as Near<T>;
  }

  push(near: Near<T>): void {
    const heap = this.#heap;
    if (heap.length === MOST) heap.length = MOST / 2;
    let at = heap.length;
    heap.push(near);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (nearer(heap[parent] as Near<T>, near) < 0) break;
      heap[at] = heap[parent] as Near<T>;
      at = parent;
    }
    heap[at] = near;
  }

  take(): Near<T> {
    const heap = this.#heap;
    const first = this.nearest;
    const last = heap.pop() as Near<T>;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && nearer(heap[child + 1] as Near<T>, heap[child] as Near<T>) < 0) child++;
      if (nearer(last, heap[child] as Near<T>) < 0) break;
      heap[at] = heap[child] as Near<T>;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
