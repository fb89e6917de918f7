import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";
import { K, recallOf } from "./truth.ts";

const WIDTHS = [10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 200, 256, 320, 400];
const ROUNDS = 7;

/** Speed of one engine at one recall. */
export interface Speed {
  engine: string;
  target: number;
  ef: number;
  recall: number;
  queriesPerSecond: number;
}

/** Builds every engine, one after the other. Returns seconds by name. */
export async function buildAll(engines: readonly Engine[], set: VectorSet, progress: (message: string) => void): Promise<Map<string, number>> {
  const seconds = new Map<string, number>();
  for (const engine of engines) {
    const start = performance.now();
    await engine.build(set);
    seconds.set(engine.name, (performance.now() - start) / 1000);
    progress(`${engine.name}: built in ${seconds.get(engine.name)?.toFixed(1)} s`);
  }
  return seconds;
}

/** For each recall, the least width of each engine that reaches it, and its speed there: the engines take turns, the median counts. */
export async function speedsAt(
  engines: readonly Engine[],
  set: VectorSet,
  truth: readonly Uint32Array[],
  targets: readonly number[],
  progress: (message: string) => void,
): Promise<Speed[]> {
  const speeds: Speed[] = [];
  for (const target of targets) {
    const chosen: { engine: Engine; ef: number; recall: number; rounds: number[] }[] = [];
    for (const engine of engines) {
      const found = await leastWidth(engine, set, truth, target);
      if (found === undefined) progress(`${engine.name} does not reach a recall of ${target}`);
      else chosen.push({ engine, ...found, rounds: [] });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { engine, ef, rounds } of chosen) {
        engine.setEf(ef);
        for (let q = 0; q < 20; q++) await engine.search(q, K);
        const start = performance.now();
        for (let q = 0; q < set.queryCount; q++) await engine.search(q, K);
        rounds.push((1000 * set.queryCount) / (performance.now() - start));
      }
    }
    for (const { engine, ef, recall, rounds } of chosen) {
      rounds.sort((a, b) => a - b);
      speeds.push({ engine: engine.name, target, ef, recall, queriesPerSecond: rounds[ROUNDS >> 1] as number });
    }
  }
  return speeds;
}

async function leastWidth(
  engine: Engine,
  set: VectorSet,
  truth: readonly Uint32Array[],
  target: number,
): Promise<{ ef: number; recall: number } | undefined> {
  for (const ef of WIDTHS) {
    engine.setEf(ef);
    const found: (readonly number[])[] = [];
    for (let q = 0; q < set.queryCount; q++) found.push(await engine.search(q, K));
    const recall = recallOf(truth, found);
    if (recall >= target) return { ef, recall };
  }
  return undefined;
}
