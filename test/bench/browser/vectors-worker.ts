/// <reference types="vite/types/importMeta.d.ts" />
import type { Figure } from "../report.ts";
import { measureChurn } from "../vectors/churn.ts";
import { clusteredSet } from "../vectors/clustered.ts";
import { buildAll, speedsAt } from "../vectors/compare.ts";
import { EdgeVecEngine, type EdgeVecLibrary } from "../vectors/edgevec-engine.ts";
import type { Engine } from "../vectors/engine.ts";
import { type Emit, reportBuilds, reportSpeeds } from "../vectors/figures.ts";
import { type HnswlibWasm, HnswlibWasmEngine } from "../vectors/hnswlib-wasm-engine.ts";
import { LodestoreEngine } from "../vectors/our-engine.ts";
import { measureOwn } from "../vectors/own.ts";

/** What the page asks for. */
export interface VectorsTask {
  /** `index`: speeds beside the peers, and what only ours has; `churn`: deletes and inserts. */
  part: "index" | "churn";
  size: number;
  queryCount: number;
  /** True neighbours of a query. */
  k: number;
  /** True neighbours, row after row. */
  truth: number[];
  targets: number[];
}

/** What it gets. */
export interface VectorsResult {
  figures: Omit<Figure, "suite">[];
  notes: string[];
}

/** The peers, where they are installed. */
const hnswlib = import.meta.glob<HnswlibWasm>("../peers/node_modules/hnswlib-wasm/dist/hnswlib.js");
const edgevec = import.meta.glob<EdgeVecLibrary>("../peers/node_modules/edgevec/edgevec.js");

self.onmessage = async (event: MessageEvent<VectorsTask>): Promise<void> => {
  try {
    self.postMessage(await measure(event.data));
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};

async function measure({ part, size, queryCount, k, truth, targets }: VectorsTask): Promise<VectorsResult> {
  const set = clusteredSet(size, queryCount);
  const rows = Array.from({ length: queryCount }, (_, q) => Uint32Array.from(truth.slice(q * k, (q + 1) * k)));
  const bytes = await (await fetch(new URL("../../../wasm/hnsw.wasm", import.meta.url))).arrayBuffer();
  const module = await WebAssembly.compile(bytes);
  const figures: Omit<Figure, "suite">[] = [];
  const notes: string[] = [];
  const emit: Emit = (figure) => void figures.push({ dataset: set.name, ...figure });
  if (part === "churn") {
    await measureChurn(emit, module, set, rows);
    return { figures, notes };
  }
  const note = (message: string): void => void notes.push(message);
  const engines = [new LodestoreEngine(module), ...(await wasmPeers(note))];
  const seconds = await buildAll(engines, set, note);
  reportBuilds(emit, engines, seconds);
  reportSpeeds(emit, await speedsAt(engines, set, rows, targets, note));
  await measureOwn(emit, module, set, rows);
  return { figures, notes };
}

async function wasmPeers(note: (message: string) => void): Promise<Engine[]> {
  const engines: Engine[] = [];
  for (const load of Object.values(hnswlib)) engines.push(new HnswlibWasmEngine(await load()));
  for (const load of Object.values(edgevec)) {
    const library = await load();
    await library.default();
    engines.push(new EdgeVecEngine(library));
  }
  if (engines.length === 0)
    note("the peers are not installed (npm --prefix test/bench/peers ci): ours is measured alone");
  return engines;
}
