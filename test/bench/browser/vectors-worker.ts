import { refineCount } from "../../../src/drivers/vectors/search-plan.ts";
import { clusteredSet } from "../vectors/clustered.ts";
import { buildAll, type Speed, speedsAt } from "../vectors/compare.ts";
import type { Engine } from "../vectors/engine.ts";
import { type HnswlibWasm, HnswlibWasmEngine } from "../vectors/hnswlib-wasm-engine.ts";
import { LodestoreEngine } from "../vectors/our-engine.ts";
import { K, recallOf } from "../vectors/truth.ts";

/** What the page asks for. */
export interface VectorsTask {
  size: number;
  queryCount: number;
  /** True neighbours, row after row. */
  truth: number[];
  targets: number[];
}

/** What it gets. */
export interface VectorsResult {
  builds: [string, number][];
  speeds: Speed[];
  scan: { ms: number; recall: number };
  notes: string[];
}

/** The peer, where it is installed. */
const peers = import.meta.glob<HnswlibWasm>("../peers/node_modules/hnswlib-wasm/dist/hnswlib.js");

self.onmessage = async (event: MessageEvent<VectorsTask>): Promise<void> => {
  try {
    self.postMessage(await measure(event.data));
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};

async function measure({ size, queryCount, truth, targets }: VectorsTask): Promise<VectorsResult> {
  const set = clusteredSet(size, queryCount);
  const rows = Array.from({ length: queryCount }, (_, q) => Uint32Array.from(truth.slice(q * K, (q + 1) * K)));
  const bytes = await (await fetch(new URL("../../../wasm/hnsw.wasm", import.meta.url))).arrayBuffer();
  const own = new LodestoreEngine(await WebAssembly.compile(bytes));
  const engines: Engine[] = [own];
  for (const load of Object.values(peers)) engines.push(new HnswlibWasmEngine(await load()));
  const notes: string[] = [];
  const note = (message: string): void => void notes.push(message);
  const builds = await buildAll(engines, set, note);
  const speeds = await speedsAt(engines, set, rows, targets, note);
  const scan = { plan: "scan", ef: refineCount(K) } as const;
  const count = Math.min(100, queryCount);
  const found: number[][] = [];
  for (let q = 0; q < count; q++) found.push(await own.find(q, scan));
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let q = 0; q < count; q++) await own.find(q, scan);
    times.push((performance.now() - start) / count);
  }
  times.sort((a, b) => a - b);
  return { builds: [...builds], speeds, scan: { ms: times[2] as number, recall: recallOf(rows, found) }, notes };
}
