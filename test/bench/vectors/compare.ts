import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";
import { middle, timeOf } from "./rounds.ts";
import { K, recallOf } from "./truth.ts";

/** The widest search that is tried. */
const WIDEST = 1024;
const ROUNDS = 7;
/** A turn lasts at least this long. */
const TURN_MS = 200;

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
        const askAll = async (): Promise<void> => {
          for (let q = 0; q < set.queryCount; q++) await engine.search(q, K);
        };
        // The caches of the processor are full of the engine before it: its owner would not meet that.
        await askAll();
        rounds.push((1000 * set.queryCount) / (await timeOf(askAll, TURN_MS)));
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

/** The least width of a search with this recall: doubled until it is reached, then halved in between; or the first of the
 *  engine's own widths. */
export async function leastWidth(
  engine: Engine,
  set: VectorSet,
  truth: readonly Uint32Array[],
  target: number,
): Promise<{ ef: number; recall: number } | undefined> {
  const recallAt = (ef: number): Promise<number> => recallWith(ef, engine, set, truth);
  if (engine.widths !== undefined) {
    for (const ef of engine.widths) {
      const recall = await recallAt(ef);
      if (recall >= target) return { ef, recall };
    }
    return undefined;
  }
  let below = K - 1;
  for (let ef = K; ef <= WIDEST; ef *= 2) {
    let recall = await recallAt(ef);
    if (recall < target) {
      below = ef;
      continue;
    }
    let least = ef;
    while (least - below > 1) {
      const between = (least + below) >> 1;
      const reached = await recallAt(between);
      if (reached >= target) [least, recall] = [between, reached];
      else below = between;
    }
    return { ef: least, recall };
  }
  return undefined;
}

async function recallWith(ef: number, engine: Engine, set: VectorSet, truth: readonly Uint32Array[]): Promise<number> {
  engine.setEf(ef);
  const found: (readonly number[])[] = [];
  for (let q = 0; q < set.queryCount; q++) found.push(await engine.search(q, K));
  return recallOf(truth, found);
}
