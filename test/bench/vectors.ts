import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { choosePlan, refineCount } from "../../src/drivers/vectors/search-plan.ts";
import { readFvecs } from "./hybrid.ts";
import { type BenchContext, type Figure, median } from "./report.ts";
import { clusteredSet, mulberry32, type VectorSet } from "./vectors/clustered.ts";
import { buildAll, type Speed, speedsAt } from "./vectors/compare.ts";
import { chromiumVectors } from "./vectors/in-chromium.ts";
import { nodePeers } from "./vectors/node-peers.ts";
import { LodestoreEngine } from "./vectors/our-engine.ts";
import { exactNeighbours, K, recallOf } from "./vectors/truth.ts";

const TARGETS = [0.95, 0.99];

/** The vector kernel beside its peers, in Node and in Chromium. `LODESTORE_BENCH_SIZES` names the sizes, `10000,50000` by default. */
export async function run(context: BenchContext): Promise<void> {
  const module = new WebAssembly.Module(readFileSync(new URL("../../wasm/hnsw.wasm", import.meta.url)));
  const sizes = (process.env["LODESTORE_BENCH_SIZES"] ?? "10000,50000").split(",").map(Number);
  for (const size of sizes) {
    const set = clusteredSet(size);
    const truth = cachedTruth(set);
    await compare(context, module, set, truth);
    await measureOwn(context, module, set, truth);
    await chromiumVectors(context, set, truth, TARGETS);
  }
  await churn(context, module, clusteredSet(20_000));
  for (const set of realSets(context)) {
    const truth = exactNeighbours(set);
    await compare(context, module, set, truth);
  }
}

async function compare(
  context: BenchContext,
  module: WebAssembly.Module,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  context.progress(`suite vectors: ${set.name}`);
  const engines = [new LodestoreEngine(module), ...(await nodePeers(context.progress))];
  const seconds = await buildAll(engines, set, context.progress);
  const figure = { suite: "vectors", dataset: set.name };
  reportBuilds(context, figure, seconds);
  reportSpeeds(context, figure, await speedsAt(engines, set, truth, TARGETS, context.progress));
}

/** Every engine's time to build, ours as a ratio to hnswlib-wasm's. */
export function reportBuilds(context: BenchContext, figure: Partial<Figure>, seconds: ReadonlyMap<string, number>): void {
  const baseline = seconds.get("hnswlib-wasm");
  for (const [name, value] of seconds) {
    context.report({
      suite: "vectors",
      ...figure,
      case: `${name}, build`,
      metric: "time",
      value,
      unit: "s",
      ...(baseline === undefined ? {} : { baseline, ratio: value / baseline }),
    });
  }
}

/** Every engine's speed, as a ratio to hnswlib-wasm's and, ours, to hnswlib-node's. */
export function reportSpeeds(context: BenchContext, figure: Partial<Figure>, speeds: readonly Speed[]): void {
  for (const { engine, target, ef, recall, queriesPerSecond } of speeds) {
    for (const peer of ["hnswlib-wasm", "hnswlib-node"]) {
      const baseline = speeds.find((other) => other.engine === peer && other.target === target)?.queriesPerSecond;
      if (peer !== "hnswlib-wasm" && (engine !== "lodestore" || baseline === undefined)) continue;
      context.report({
        suite: "vectors",
        ...figure,
        case: `${engine}, recall ${target}, ef ${ef}`,
        metric: peer === "hnswlib-wasm" ? "queries/s" : `queries/s to ${peer}`,
        value: queriesPerSecond,
        unit: "1/s",
        recall,
        ...(baseline === undefined ? {} : { baseline, ratio: queriesPerSecond / baseline }),
      });
    }
  }
}

/** What only ours has: the exact scan, memory, filters and batches. */
async function measureOwn(
  context: BenchContext,
  module: WebAssembly.Module,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const figure = { suite: "vectors", dataset: set.name };
  const engine = new LodestoreEngine(module);
  await engine.build(set);
  const scan = { plan: "scan", ef: refineCount(K) } as const;
  const exact = await timed(engine, Math.min(100, set.queryCount), () => scan, truth);
  context.report({ ...figure, case: "exact scan", metric: "per query", value: exact.us / 1000, unit: "ms", recall: exact.recall });

  const apart = new LodestoreEngine(module, false);
  await apart.build(set);
  for (const [name, one] of [["kept inside", engine], ["read from outside", apart]] as const) {
    const value = one.index.memoryBytes / set.count;
    context.report({ ...figure, case: `memory, full precision ${name}`, metric: "per vector", value, unit: "B" });
    const at = await timed(one, set.queryCount, () => ({ ef: 32 }), truth);
    context.report({ ...figure, case: `full precision ${name}, ef 32`, metric: "per query", value: at.us, unit: "µs", recall: at.recall });
  }
  await filters(context, engine, set, truth);
  await batches(context, engine, set);
}

/** Times searches over the first `count` queries, median of five rounds, and their recall. */
async function timed(
  engine: LodestoreEngine,
  count: number,
  options: () => Parameters<LodestoreEngine["find"]>[1],
  truth: readonly Uint32Array[],
): Promise<{ us: number; recall: number }> {
  const found: number[][] = [];
  for (let q = 0; q < count; q++) found.push(await engine.find(q, options()));
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let q = 0; q < count; q++) await engine.find(q, options());
    rounds.push((1000 * (performance.now() - start)) / count);
  }
  return { us: median(rounds), recall: recallOf(truth.slice(0, count), found) };
}

/** Filters of every width, spread at random or covering whole clusters, with the plan that the store chooses. */
async function filters(
  context: BenchContext,
  engine: LodestoreEngine,
  set: VectorSet,
  truth: readonly Uint32Array[],
): Promise<void> {
  const figure = { suite: "vectors", dataset: set.name };
  const ef = await leastEf(engine, set, truth);
  const plain = await timed(engine, set.queryCount, () => ({ ef }), truth);
  context.report({ ...figure, case: `no filter, ef ${ef}`, metric: "per query", value: plain.us, unit: "µs", recall: plain.recall });
  const queries = 100;
  for (const kind of ["random", "near one point"] as const) {
    for (const share of [1, 0.75, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.0001]) {
      const labels = kind === "random" ? randomLabels(set, share) : labelsNearOne(set, share);
      if (labels.length === 0) continue;
      const right = exactNeighbours(set, queries, labels);
      const allowed = { labels };
      const plan = choosePlan({ linked: set.count, allowed: labels.length, ef });
      const scanning = plan === "filtered-scan";
      let gaveUp = 0;
      const options = { plan, allowed, ef: scanning ? refineCount(K) : ef, budget: labels.length } as const;
      const found: number[][] = [];
      const search = async (q: number): Promise<number[]> => {
        const query = set.queries.subarray(q * set.dimensions, (q + 1) * set.dimensions);
        let result = await engine.index.search(query, { k: K, refine: refineCount(K), ...options });
        if (!scanning && (result.gaveUp || result.hits.length < Math.min(K, labels.length))) {
          gaveUp++;
          const exact = { ...options, plan: "filtered-scan", ef: refineCount(K) } as const;
          result = await engine.index.search(query, { k: K, refine: refineCount(K), ...exact });
        }
        return result.hits.map(({ label }) => label);
      };
      for (let q = 0; q < queries; q++) found.push(await search(q));
      const fallbacks = gaveUp;
      const rounds: number[] = [];
      for (let round = 0; round < 5; round++) {
        const start = performance.now();
        for (let q = 0; q < queries; q++) await search(q);
        rounds.push((1000 * (performance.now() - start)) / queries);
      }
      const value = median(rounds);
      context.report({
        ...figure,
        case: `filter ${kind}, ${100 * share} %, ${plan}${fallbacks > 0 ? `, ${fallbacks} % fell back` : ""}`,
        metric: "per query",
        value,
        unit: "µs",
        recall: recallOf(right, found),
        baseline: plain.us,
        ratio: value / plain.us,
      });
    }
  }
}

async function leastEf(engine: LodestoreEngine, set: VectorSet, truth: readonly Uint32Array[]): Promise<number> {
  for (const ef of [10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48]) {
    const found: number[][] = [];
    for (let q = 0; q < set.queryCount; q++) found.push(await engine.find(q, { ef }));
    if (recallOf(truth, found) >= 0.95) return ef;
  }
  return 64;
}

function randomLabels(set: VectorSet, share: number): Uint32Array {
  const random = mulberry32(7);
  return Uint32Array.from({ length: set.count }, (_, i) => i).filter(() => random() < share);
}

/** The vectors nearest to one of them: a filter that goes with what vectors mean. */
function labelsNearOne(set: VectorSet, share: number): Uint32Array {
  const { dimensions, base, count } = set;
  const scores = Float32Array.from({ length: count }, (_, i) => {
    let score = 0;
    for (let d = 0; d < dimensions; d++) score += (base[d] as number) * (base[i * dimensions + d] as number);
    return score;
  });
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return order.slice(0, Math.round(share * count));
}

async function batches(context: BenchContext, engine: LodestoreEngine, set: VectorSet): Promise<void> {
  const count = 100;
  const queries = set.queries.slice(0, count * set.dimensions);
  const options = { k: K, ef: 32, refine: refineCount(K), plan: "walk" } as const;
  const one: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < 9; round++) {
    let start = performance.now();
    for (let q = 0; q < count; q++) await engine.find(q, options);
    one.push(performance.now() - start);
    start = performance.now();
    engine.index.searchBatch(queries, options);
    all.push(performance.now() - start);
  }
  context.report({
    suite: "vectors",
    case: "100 queries in one call",
    metric: "time",
    value: median(all),
    unit: "ms",
    baseline: median(one),
    ratio: median(all) / median(one),
    dataset: set.name,
  });
}

/** Deletes half and puts it back, in random order. */
async function churn(context: BenchContext, module: WebAssembly.Module, set: VectorSet): Promise<void> {
  const truth = cachedTruth(set);
  const engine = new LodestoreEngine(module);
  await engine.build(set);
  const figure = { suite: "vectors", case: "half deleted and put back", dataset: set.name };
  const before = await timed(engine, set.queryCount, () => ({ ef: 32 }), truth);
  context.report({ ...figure, metric: "per query before, ef 32", value: before.us, unit: "µs", recall: before.recall });
  const random = mulberry32(3);
  const order = Array.from({ length: set.count }, (_, i) => ({ i, at: random() })).sort((a, b) => a.at - b.at);
  const half = order.slice(0, set.count / 2).map(({ i }) => i);
  let start = performance.now();
  for (const i of half) engine.index.remove(i);
  context.report({ ...figure, metric: "per delete", value: (1000 * (performance.now() - start)) / half.length, unit: "µs" });
  start = performance.now();
  for (const i of half) engine.index.add(i, engine.vector(i));
  while (engine.index.link(1000) > 0);
  context.report({ ...figure, metric: "per insert", value: (1000 * (performance.now() - start)) / half.length, unit: "µs" });
  const after = await timed(engine, set.queryCount, () => ({ ef: 32 }), truth);
  context.report({ ...figure, metric: "per query after, ef 32", value: after.us, unit: "µs", recall: after.recall });
}

/** The true neighbours, kept in .cache: they take minutes. */
function cachedTruth(set: VectorSet): Uint32Array[] {
  const folder = new URL("../../.cache/bench/", import.meta.url).pathname;
  const file = join(folder, `${set.name.replaceAll(/[^a-z0-9]+/gu, "-")}-${set.queryCount}.u32`);
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    const ids = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return Array.from({ length: set.queryCount }, (_, q) => ids.slice(q * K, (q + 1) * K));
  }
  const truth = exactNeighbours(set);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, new Uint8Array(Uint32Array.from(truth.flatMap((row) => [...row])).buffer));
  return truth;
}

/** The real sets of the data folder, as unit vectors. */
function realSets({ dataDir, progress }: BenchContext): VectorSet[] {
  const sift = join(dataDir, "vectors", "sift5k");
  const arxiv = join(dataDir, "vectors", "arxiv-1k", "ml-arxiv-papers-1k.ndjson.gzip");
  const sets: VectorSet[] = [];
  if (existsSync(sift)) {
    sets.push(unitSet("sift5k", readFvecs(join(sift, "base.fvecs")), readFvecs(join(sift, "query.fvecs"))));
  } else progress(`suite vectors: no ${sift}: left out`);
  if (existsSync(arxiv)) {
    const rows = gunzipSync(readFileSync(arxiv)).toString("utf8").trim().split("\n");
    const vectors = rows.map((row) => Float32Array.from((JSON.parse(row) as [number, string, number[]])[2]));
    sets.push(unitSet("arxiv-1k", vectors.slice(0, -100), vectors.slice(-100)));
  } else progress(`suite vectors: no ${arxiv}: left out`);
  return sets;
}

function unitSet(name: string, base: readonly Float32Array[], queries: readonly Float32Array[]): VectorSet {
  const dimensions = base[0]?.length ?? 0;
  const flat = (rows: readonly Float32Array[]): Float32Array => {
    const out = new Float32Array(rows.length * dimensions);
    for (const [i, row] of rows.entries()) {
      const length = Math.hypot(...row);
      out.set(row.map((value) => value / length), i * dimensions);
    }
    return out;
  };
  return {
    name: `${name}, cosine, ${base.length} × ${dimensions}`,
    dimensions,
    count: base.length,
    base: flat(base),
    queries: flat(queries),
    queryCount: queries.length,
  };
}
