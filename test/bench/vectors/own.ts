import { refineCount } from "../../../src/drivers/vectors/search-plan.ts";
import type { VectorSet } from "./clustered.ts";
import type { Emit } from "./figures.ts";
import { measureFilters } from "./filters.ts";
import { LodestoreEngine } from "./our-engine.ts";
import { takeTurns } from "./rounds.ts";
import { K, recallOf } from "./truth.ts";

const EF = 32;
const BATCH = 100;

/** What only ours has: the exact scan, full precision inside or outside, filters and batches. Runs on every platform. */
export async function measureOwn(
  emit: Emit,
  module: WebAssembly.Module,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const engine = new LodestoreEngine(module);
  await engine.build(set);
  await scan(emit, engine, set, truth);
  await precision(emit, engine, module, set, truth);
  await measureFilters(emit, engine, set, truth);
  await batch(emit, engine, set);
}

/** Searches for the first `count` queries. Returns what was found and how to do it again. */
export async function searchAll(
  engine: LodestoreEngine,
  count: number,
  options: Parameters<LodestoreEngine["find"]>[1],
): Promise<{ found: number[][]; again(): Promise<void> }> {
  const found: number[][] = [];
  for (let q = 0; q < count; q++) found.push(await engine.find(q, options));
  return {
    found,
    async again() {
      for (let q = 0; q < count; q++) await engine.find(q, options);
    },
  };
}

async function scan(emit: Emit, engine: LodestoreEngine, set: VectorSet, truth: readonly Uint32Array[]): Promise<void> {
  const count = Math.min(100, set.queryCount);
  const { found, again } = await searchAll(engine, count, { plan: "scan", ef: refineCount(K), refine: refineCount(K) });
  const [ms = Number.NaN] = await takeTurns([again]);
  emit({
    case: "exact scan of 8-bit codes, 20 refined",
    metric: "per query",
    value: ms / count,
    unit: "ms",
    recall: recallOf(truth.slice(0, count), found),
  });
}

/** Full precision kept in the kernel's memory, and read from outside it at each search. */
async function precision(
  emit: Emit,
  inside: LodestoreEngine,
  module: WebAssembly.Module,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const outside = new LodestoreEngine(module, false);
  await outside.build(set);
  const both = [inside, outside] as const;
  const runs = [
    await searchAll(inside, set.queryCount, { ef: EF }),
    await searchAll(outside, set.queryCount, { ef: EF }),
  ];
  const times = await takeTurns(runs.map(({ again }) => again));
  for (const [at, name] of ["kept inside", "read from outside"].entries()) {
    const value = (both[at] as LodestoreEngine).index.memoryBytes / set.count;
    emit({ case: `memory while searching, full precision ${name}`, metric: "per vector", value, unit: "B" });
    emit({
      case: `full precision ${name}, ef ${EF}`,
      metric: "per query",
      value: (1000 * (times[at] as number)) / set.queryCount,
      unit: "µs",
      recall: recallOf(truth, (runs[at] as { found: number[][] }).found),
      ...(at === 0
        ? {}
        : {
            baseline: (1000 * (times[0] as number)) / set.queryCount,
            ratio: (times[at] as number) / (times[0] as number),
          }),
    });
  }
}

async function batch(emit: Emit, engine: LodestoreEngine, set: VectorSet): Promise<void> {
  const count = Math.min(BATCH, set.queryCount);
  const queries = set.queries.slice(0, count * set.dimensions);
  const options = { k: K, ef: EF, refine: refineCount(K), plan: "walk" } as const;
  const [singles = Number.NaN, together = Number.NaN] = await takeTurns(
    [
      async () => {
        for (let q = 0; q < count; q++) await engine.find(q, options);
      },
      async () => void engine.index.searchBatch(queries, options),
    ],
    9,
  );
  emit({
    case: `${count} queries in one call, ef ${EF}`,
    metric: "time, to single calls",
    value: together,
    unit: "ms",
    baseline: singles,
    ratio: together / singles,
  });
}
