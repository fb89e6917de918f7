/** Returns a source of 32-bit numbers that the seed alone decides: the same on every machine.
 *  @see Steele, Lea & Flood 2014 (the finaliser of SplitMix), in its form for 32 bits */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
}
