import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";
import { middle } from "./rounds.ts";
import { K, recallOf } from "./truth.ts";

const WIDTHS = [
  ...[
    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 34, 36, 38, 40, 44, 48, 52,
    56,
  ],
  ...[60, 64, 68, 72, 76, 80, 88, 96, 104, 112, 128, 144, 160, 180, 200, 240, 280, 320, 400],
];
const ROUNDS = 7;

/** Speed of one engine at one recall. */
export interface Speed {
  engine: string;
  target: number;
  ef: number;
  recall: number;
  queriesPerSecond: number;
}

/** Builds every engine, one after the other; the first once more at the end, and the mean of its two times counts: a peer
 *  takes minutes, in which a machine may change its pace. Returns seconds by name. */
export async function buildAll(
  engines: readonly Engine[],
  set: VectorSet,
  progress: (message: string) => void,
): Promise<Map<string, number>> {
  const seconds = new Map<string, number>();
  const time = async (engine: Engine): Promise<number> => {
    const start = performance.now();
    await engine.build(set);
    const took = (performance.now() - start) / 1000;
    progress(`${engine.name}: built in ${took.toFixed(1)} s`);
    return took;
  };
  for (const engine of engines) {
    const took = await time(engine);
    seconds.set(engine.name, took);
  }
  const [first, ...others] = engines;
  if (first !== undefined && others.length > 0) {
    const again = await time(first);
    seconds.set(first.name, ((seconds.get(first.name) as number) + again) / 2);
  }
  return seconds;
}

/** For each recall, the least width of each engine that reaches it, and its speed there. The first engine takes its turn after
 *  each of the others, in every round; the median counts. */
export async function speedsAt(
  engines: readonly Engine[],
  set: VectorSet,
  truth: readonly Uint32Array[],
  targets: readonly number[],
  progress: (message: string) => void,
): Promise<Speed[]> {
  const speeds: Speed[] = [];
  for (const target of targets) {
    const chosen: Chosen[] = [];
    for (const engine of engines) {
      const found = await leastWidth(engine, set, truth, target);
      if (found === undefined) progress(`${engine.name} does not reach a recall of ${target}`);
      else chosen.push({ engine, ...found, rounds: [] });
    }
    const ours = chosen.find(({ engine }) => engine === engines[0]);
    const peers = chosen.filter((one) => one !== ours);
    const turns = ours === undefined ? peers : peers.length === 0 ? [ours] : peers.flatMap((peer) => [peer, ours]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const { engine, ef, rounds } of turns) {
        engine.setEf(ef);
        for (let q = 0; q < Math.min(20, set.queryCount); q++) await engine.search(q, K);
        const start = performance.now();
        for (let q = 0; q < set.queryCount; q++) await engine.search(q, K);
        rounds.push((1000 * set.queryCount) / (performance.now() - start));
      }
    }
    for (const { engine, ef, recall, rounds } of chosen) {
      speeds.push({ engine: engine.name, target, ef, recall, queriesPerSecond: middle(rounds) });
    }
  }
  return speeds;
}

interface Chosen {
  engine: Engine;
  ef: number;
  recall: number;
  /** Queries per second. */
  rounds: number[];
}

async function leastWidth(
  engine: Engine,
  set: VectorSet,
  truth: readonly Uint32Array[],
  target: number,
): Promise<{ ef: number; recall: number } | undefined> {
  for (const ef of engine.widths ?? WIDTHS) {
    engine.setEf(ef);
    const found: (readonly number[])[] = [];
    for (let q = 0; q < set.queryCount; q++) found.push(await engine.search(q, K));
    const recall = recallOf(truth, found);
    if (recall >= target) return { ef, recall };
  }
  return undefined;
}
