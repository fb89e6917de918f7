/** The value in the middle; of an even number, the lower of the two. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** Runs the bodies in turns, so that a busy machine slows all alike. Returns the median time of each, in milliseconds. */
export async function takeTurns(bodies: readonly (() => Promise<void>)[], rounds = 5): Promise<number[]> {
  const times: number[][] = bodies.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, body] of bodies.entries()) {
      const start = performance.now();
      await body();
      times[at]?.push(performance.now() - start);
    }
  }
  return times.map(middle);
}
