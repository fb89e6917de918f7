/** A node at a distance. */
export interface Near<T extends { slot: number }> {
  distance: number;
  node: T;
}

/** Order of the kernel's keys: the distance, minus zero before zero, then the slot. */
export function nearer<T extends { slot: number }>(a: Near<T>, b: Near<T>): number {
  if (a.distance !== b.distance) return a.distance < b.distance ? -1 : 1;
  if (a.distance === 0) {
    const minus = Number(Object.is(b.distance, -0)) - Number(Object.is(a.distance, -0));
    if (minus !== 0) return minus;
  }
  return a.node.slot - b.node.slot;
}

/** The nearest so far, sorted. */
export class Nearest<T extends { slot: number }> {
  readonly found: Near<T>[];
  readonly #most: number;

  constructor(most: number, found: Near<T>[] = []) {
    this.#most = most;
    this.found = found;
  }

  get full(): boolean {
    return this.found.length === this.#most;
  }

  /** Whether it is among the nearest. */
  takes(near: Near<T>): boolean {
    return !this.full || nearer(near, this.found.at(-1) as Near<T>) < 0;
  }

  /** Takes it in if it is among the nearest, in place of the farthest. Returns whether it was. */
  offer(near: Near<T>): boolean {
    if (!this.takes(near)) return false;
    if (this.full) this.found.pop();
    let at = this.found.length;
    while (at > 0 && nearer(near, this.found[at - 1] as Near<T>) < 0) at--;
    this.found.splice(at, 0, near);
    return true;
  }
}
