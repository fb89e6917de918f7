import { mulberry32, type VectorSet } from "./clustered.ts";
import type { Emit } from "./figures.ts";
import { LodestoreEngine } from "./our-engine.ts";
import { searchAll } from "./own.ts";
import { takeTurns } from "./rounds.ts";
import { recallOf } from "./truth.ts";

const EF = 32;
const CASE = "half deleted and put back";

/** Deletes half of the vectors and puts them back, in random order. */
export async function measureChurn(
  emit: Emit,
  module: WebAssembly.Module,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const engine = new LodestoreEngine(module);
  await engine.build(set);
  await speed(emit, "before", engine, set, truth);
  const random = mulberry32(3);
  const order = Array.from({ length: set.count }, (_, i) => ({ i, at: random() })).sort((a, b) => a.at - b.at);
  const half = order.slice(0, set.count / 2).map(({ i }) => i);
  let start = performance.now();
  for (const i of half) engine.index.remove(i);
  emit({ case: CASE, metric: "per delete", value: (1000 * (performance.now() - start)) / half.length, unit: "µs" });
  start = performance.now();
  for (const i of half) engine.index.add(i, engine.vector(i));
  while (engine.index.link(1000) > 0);
  emit({ case: CASE, metric: "per insert", value: (1000 * (performance.now() - start)) / half.length, unit: "µs" });
  await speed(emit, "after", engine, set, truth);
}

async function speed(
  emit: Emit,
  when: string,
  engine: LodestoreEngine,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const { found, again } = await searchAll(engine, set.queryCount, { ef: EF });
  const [ms = Number.NaN] = await takeTurns([again]);
  const value = (1000 * ms) / set.queryCount;
  emit({ case: CASE, metric: `per query ${when}, ef ${EF}`, value, unit: "µs", recall: recallOf(truth, found) });
}
