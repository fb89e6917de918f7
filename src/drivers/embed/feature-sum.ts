const START_SLOTS = 4096;

/** Sums weights by 32-bit hash, and folds the sums into a vector. One table serves all texts of a call. */
export class FeatureSum {
  #hashes = new Int32Array(START_SLOTS);
  #sums = new Float64Array(START_SLOTS);
  /** Slots in use, in the order of their first feature: what is added up in one order is the same everywhere. */
  #used = new Int32Array(START_SLOTS / 2);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** @param weight Above 0. */
  add(hash: number, weight: number): void {
    const mask = this.#hashes.length - 1;
    let slot = mix(hash) & mask;
    while (this.#sums[slot] !== 0) {
      if (this.#hashes[slot] === hash) {
        this.#sums[slot]! += weight;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#hashes[slot] = hash;
    this.#sums[slot] = weight;
    this.#used[this.#count++] = slot;
    if (this.#count === this.#used.length) this.#grow();
  }

  /** Returns the unit vector of the features and forgets them. Every feature goes with its sum to the power of ¾ into
   *  two places, each with a sign of its own: two texts that share nothing come out near a right angle.
   *  @param fallback The hash of what stands for the text where its features cancel each other out.
   *  @see Weinberger et al. 2009, Feature Hashing for Large Scale Multitask Learning, arXiv:0902.2206 */
  takeVector(dimensions: number, fallback: number): Float32Array {
    const vector = new Float64Array(dimensions);
    for (let index = 0; index < this.#count; index++) {
      const slot = this.#used[index]!;
      // Powers of ¾ through square roots, which IEEE 754 rounds exactly; Math.pow differs between engines.
      const root = Math.sqrt(this.#sums[slot]!);
      this.#sums[slot] = 0;
      place(vector, this.#hashes[slot]!, root * Math.sqrt(root));
    }
    this.#count = 0;
    if (squares(vector) === 0) placeOnce(vector, mix(fallback), 1);
    const length = Math.sqrt(squares(vector));
    const unit = new Float32Array(dimensions);
    for (let i = 0; i < dimensions; i++) unit[i] = vector[i]! / length;
    return unit;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const sums = this.#sums;
    const used = this.#used;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#sums = new Float64Array(hashes.length * 2);
    this.#used = new Int32Array(hashes.length);
    this.#count = 0;
    for (const slot of used) this.add(hashes[slot]!, sums[slot]!);
  }
}

function place(vector: Float64Array, hash: number, value: number): void {
  const first = mix(hash);
  placeOnce(vector, first, value);
  placeOnce(vector, mix(first ^ 0x5bd1e995), value);
}

/** The lowest bit is the sign, the others the place. */
function placeOnce(vector: Float64Array, bits: number, value: number): void {
  const at = (bits >>> 1) % vector.length;
  vector[at]! += (bits & 1) === 0 ? value : -value;
}

function squares(vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  return sum;
}

/** Spreads the bits of a hash. @see Appleby, MurmurHash3, the finaliser fmix32 */
function mix(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
