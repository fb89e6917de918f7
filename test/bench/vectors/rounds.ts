/** The clock of a browser steps by 0.1 ms: what is timed lasts at least this long. */
const LEAST_MS = 25;

/** The value in the middle; of an even number, the lower of the two. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** Runs the body until some time has passed, 25 ms unless told. Returns the time of one run, in milliseconds. */
export async function timeOf(body: () => Promise<void>, leastMs = LEAST_MS): Promise<number> {
  const start = performance.now();
  let passed = 0;
  for (let runs = 1; ; runs++) {
    await body();
    passed = performance.now() - start;
    if (passed >= leastMs) return passed / runs;
  }
}

/** Runs the bodies once, then in turns, so that a busy machine slows all alike. Returns the median time of each, in milliseconds. */
export async function takeTurns(bodies: readonly (() => Promise<void>)[], rounds = 5): Promise<number[]> {
  const times: number[][] = bodies.map(() => []);
  for (const body of bodies) await body();
  for (let round = 0; round < rounds; round++) {
    for (const [at, body] of bodies.entries()) times[at]?.push(await timeOf(body));
  }
  return times.map(middle);
}
