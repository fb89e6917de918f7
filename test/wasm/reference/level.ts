const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;
export const MAX_LEVEL = 15;

/** Level of a node: as often as numbers of splitmix64, begun at its label and the seed, fall into the first of m parts.
 *  @see Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators" */
export function levelOf(label: number, seed: bigint, m: number): number {
  let state = (seed + BigInt(label) * GOLDEN) & MASK;
  for (let level = 0; level < MAX_LEVEL; level++) {
    state = (state + GOLDEN) & MASK;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    z ^= z >> 31n;
    const low = z & 0xffffffffn;
    if ((low * BigInt(m)) >> 32n !== 0n) return level;
  }
  return MAX_LEVEL;
}
