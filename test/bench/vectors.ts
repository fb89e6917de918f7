import { readFileSync } from "node:fs";
import type { BenchContext } from "./report.ts";
import { measureChurn } from "./vectors/churn.ts";
import { clusteredSet, type VectorSet } from "./vectors/clustered.ts";
import { buildAll, speedsAt } from "./vectors/compare.ts";
import { type Emit, reportBuilds, reportSpeeds } from "./vectors/figures.ts";
import { chromiumVectors } from "./vectors/in-chromium.ts";
import { nodePeers, PEERS } from "./vectors/node-peers.ts";
import { LodestoreEngine } from "./vectors/our-engine.ts";
import { measureOwn } from "./vectors/own.ts";
import { processMemory } from "./vectors/process-memory.ts";
import { realSets } from "./vectors/real-sets.ts";
import { cachedTruth } from "./vectors/truth-cache.ts";

const TARGETS = [0.95, 0.99];
const SIZES = [10_000, 50_000];
const CHURN_SIZE = 20_000;
/** Sizes up to which the peers' processes are measured: building once more takes minutes beyond it. */
const PEER_MEMORY_UP_TO = 20_000;

/** What the suite is given beyond the others. */
export interface VectorsContext extends BenchContext {
  /** Sizes to add, as `100k` or `100000`. */
  sizes?: readonly string[];
}

/**
 * The vector kernel beside its peers, in Node and in Chromium: 10,000 and 50,000 vectors, and what `--size 100k` adds;
 * `LODESTORE_BENCH_SIZES=10000` names other sizes in their place. Without the peers ours is measured alone.
 * Snapshots, searches while vectors come in and hybrid search are measured by suites and files of their own: each adds its call here.
 */
export async function run(context: VectorsContext): Promise<void> {
  const module = new WebAssembly.Module(readFileSync(new URL("../../wasm/hnsw.wasm", import.meta.url)));
  for (const size of sizesOf(context)) {
    const set = clusteredSet(size);
    const truth = cachedTruth(set);
    await compare(context, module, set, truth);
    await measureOwn(emitTo(context, set), module, set, truth);
    memoryOfProcesses(context, set);
    await chromiumVectors(context, { part: "index", size, truth, targets: TARGETS });
  }
  const set = clusteredSet(CHURN_SIZE);
  const truth = cachedTruth(set);
  context.progress("suite vectors: deletes and inserts");
  await measureChurn(emitTo(context, set), module, set, truth);
  await chromiumVectors(context, { part: "churn", size: CHURN_SIZE, truth, targets: TARGETS });
  for (const known of realSets(context)) await compare(context, module, known.set, known.truth);
}

function sizesOf({ sizes = [] }: VectorsContext): number[] {
  const instead = process.env["LODESTORE_BENCH_SIZES"];
  const added = sizes.map((size) => (size.endsWith("k") ? 1000 * Number(size.slice(0, -1)) : Number(size)));
  const all = [...new Set([...(instead === undefined ? SIZES : instead.split(",").map(Number)), ...added])];
  const wrong = all.find((size) => !Number.isInteger(size) || size < 1000);
  if (wrong !== undefined)
    throw new Error(`a size is a whole number from 1000 on, as 100000 or 100k: ${sizes.join(", ") || instead}`);
  return all;
}

/** Adds suite and data set. */
function emitTo({ report }: BenchContext, set: VectorSet): Emit {
  return (figure) => report({ suite: "vectors", dataset: set.name, ...figure });
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
  const emit = emitTo(context, set);
  reportBuilds(emit, engines, seconds);
  reportSpeeds(emit, await speedsAt(engines, set, truth, TARGETS, context.progress));
}

/** What a process grows by, each engine in one of its own. */
function memoryOfProcesses(context: BenchContext, set: VectorSet): void {
  const peers = set.count <= PEER_MEMORY_UP_TO ? PEERS : [];
  for (const engine of ["lodestore, inside", "lodestore, outside", ...peers]) {
    context.progress(`suite vectors: memory of a process with ${engine}`);
    const measured = processMemory(engine, set.count);
    if (measured === undefined) continue;
    const value = measured.bytesPerVector;
    emitTo(context, set)({ case: `${engine}, growth of the process`, metric: "per vector", value, unit: "B" });
  }
}
