import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchContext } from "../report.ts";
import { clusteredSet, type VectorSet } from "../vectors/clustered.ts";
import { takeTurns } from "../vectors/rounds.ts";
import { exactNeighbours, K, recallOf } from "../vectors/truth.ts";
import { type EngineStore, ENGINES, openEngine, SHARES, writeChunks, writeVectors } from "./engine-stores.ts";
import type { EngineProcess } from "./engine-child.ts";

const SIZES = [10_000, 50_000, 100_000];
const QUERIES = 100;
/** What `embeddings.run` writes together, and what an import does. */
const SMALL_BATCH = 64;
const LARGE_BATCH = 1000;
/** Vectors that the small batches are measured with. */
const SMALL_BATCHES = 2000;

/** Lance without an index, Lance with one, and the kernel's graph, behind the same contract, over the same rows. */
export async function measureVectorEngines(context: BenchContext, sizes: readonly number[] = SIZES): Promise<void> {
  for (const size of sizes) {
    const folder = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
    try {
      await measureSize(context, folder, size);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function measureSize({ report, progress }: BenchContext, folder: string, size: number): Promise<void> {
  const set = clusteredSet(size, QUERIES);
  const emit = (figure: Omit<Parameters<typeof report>[0], "suite" | "dataset">): void =>
    report({ suite: "node", dataset: set.name, ...figure });
  const stores: EngineStore[] = [];
  try {
    let trust: number[] = [];
    for (const name of ENGINES) {
      progress(`suite node: ${name}, ${set.name}`);
      const small = await openEngine(name, join(folder, `${name} small`), set.dimensions);
      const few = { ...set, count: Math.min(size, SMALL_BATCHES) };
      await writeChunks(small.db, few);
      const slow = await writeVectors(small, few, SMALL_BATCH);
      emit({ case: name, metric: `upsert, ${SMALL_BATCH} at a time`, value: slow, unit: "1/s" });
      await small.close();
      const store = await openEngine(name, join(folder, name), set.dimensions);
      stores.push(store);
      ({ trust } = await writeChunks(store.db, set));
      const fast = await writeVectors(store, set, LARGE_BATCH);
      emit({ case: name, metric: `upsert, ${LARGE_BATCH} at a time`, value: fast, unit: "1/s" });
      const start = performance.now();
      await store.vectors.flush();
      emit({ case: name, metric: "until indexed", value: performance.now() - start, unit: "ms" });
    }
    for (const share of SHARES) await measureSearches(emit, stores, set, share, trust);
  } finally {
    for (const store of stores) await store.close();
  }
  for (const name of ENGINES) {
    progress(`suite node: ${name} in a process of its own, ${set.name}`);
    const { openMs, firstMs, memoryBytes } = inProcess(name, join(folder, name), size);
    emit({ case: name, metric: "open", value: openMs, unit: "ms" });
    emit({ case: name, metric: "open to first answer", value: openMs + firstMs, unit: "ms" });
    emit({ case: name, metric: "memory of the process", value: memoryBytes / 2 ** 20, unit: "MiB" });
  }
}

/** The same questions to all, by turns. */
async function measureSearches(
  emit: (figure: {
    case: string;
    metric: string;
    value: number;
    unit: string;
    recall: number;
    ratio: number;
    baseline: number;
  }) => void,
  stores: readonly EngineStore[],
  set: VectorSet,
  share: number,
  trust: readonly number[],
): Promise<void> {
  const allowed = Uint32Array.from(trust.keys()).filter((at) => share === 1 || (trust[at] as number) >= 1 - share);
  const truth = exactNeighbours(set, QUERIES, allowed);
  const filters = share === 1 ? {} : { filters: { trustMin: 1 - share } };
  const ask = (store: EngineStore, q: number): ReturnType<EngineStore["vectors"]["search"]> =>
    store.vectors.search(store.table.indexId, set.queries.subarray(q * set.dimensions, (q + 1) * set.dimensions), {
      modelVersion: "1",
      k: K,
      ...filters,
    });
  const labels = await labelsOf(stores[0]);
  const recalls = [];
  for (const store of stores) {
    const found: number[][] = [];
    for (let q = 0; q < QUERIES; q++) {
      const { hits } = await ask(store, q);
      found.push(hits.map(({ chunkId }) => labels.get(chunkId) ?? -1));
    }
    recalls.push(recallOf(truth, found));
  }
  const times = await takeTurns(
    stores.map((store) => async () => {
      for (let q = 0; q < QUERIES; q++) await ask(store, q);
    }),
    3,
  );
  const hnsw = (1000 * (times.at(-1) as number)) / QUERIES;
  for (const [at, store] of stores.entries()) {
    const value = (1000 * (times[at] as number)) / QUERIES;
    emit({
      case: `${store.name}, filter ${100 * share} %`,
      metric: "per query, to hnsw",
      value,
      unit: "µs",
      recall: recalls[at] as number,
      baseline: hnsw,
      ratio: value / hnsw,
    });
  }
}

/** Places in the set by chunk id. */
async function labelsOf(store: EngineStore | undefined): Promise<Map<string, number>> {
  const rows = await store?.db.all<{ id: string; at: number }>("SELECT chunk_id AS id, ordinal AS at FROM chunks");
  return new Map(rows?.map(({ id, at }) => [id, at]));
}

function inProcess(name: string, dir: string, size: number): EngineProcess {
  const child = fileURLToPath(new URL("engine-child.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--expose-gc", child, name, dir, String(size)], { encoding: "utf8" });
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as EngineProcess;
}
