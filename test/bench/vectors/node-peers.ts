import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { VectorSet } from "./clustered.ts";
import { EdgeVecEngine, type EdgeVecLibrary } from "./edgevec-engine.ts";
import type { Engine } from "./engine.ts";
import { type HnswlibWasm, HnswlibWasmEngine } from "./hnswlib-wasm-engine.ts";

const peers = new URL("../peers/package.json", import.meta.url);
const require = createRequire(peers);

/** The peers that are installed; the others are named with the reason.
 *  @param only Loads just these, by name of their package. */
export async function nodePeers(progress: (message: string) => void, only?: readonly string[]): Promise<Engine[]> {
  if (!existsSync(new URL("node_modules", peers))) {
    progress("suite vectors: the peers are not installed (npm --prefix test/bench/peers ci): ours is measured alone");
    return [];
  }
  const engines: Engine[] = [];
  for (const [name, load] of Object.entries(LOADERS)) {
    if (only !== undefined && !only.includes(name)) continue;
    try {
      engines.push(await load());
    } catch (error) {
      progress(`suite vectors: ${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return engines;
}

/** Names of the peers' packages. */
export const PEERS: readonly string[] = ["hnswlib-wasm", "hnswlib-node", "usearch", "edgevec"];

const LOADERS: Record<string, () => Promise<Engine>> = {
  "hnswlib-wasm": async () => {
    // It is built for workers of a browser and looks for signs of one; what it logs is no figure.
    Object.assign(console, { log: (...said: unknown[]) => process.stderr.write(`${said.join(" ")}\n`) });
    Object.assign(globalThis, {
      importScripts: () => undefined,
      self: globalThis,
      location: { href: "http://localhost/" },
    });
    const file = require.resolve("hnswlib-wasm/dist/hnswlib.js");
    return new HnswlibWasmEngine((await import(pathToFileURL(file).href)) as HnswlibWasm);
  },
  "hnswlib-node": async () => new HnswlibNodeEngine(require("hnswlib-node") as HnswlibNode),
  usearch: async () => new UsearchEngine(require("usearch") as Usearch),
  edgevec: async () => {
    const file = require.resolve("edgevec/edgevec.js");
    const library = (await import(pathToFileURL(file).href)) as EdgeVecLibrary;
    const wasm = readFileSync(require.resolve("edgevec/edgevec_bg.wasm"));
    library.initSync({ module: new WebAssembly.Module(wasm) });
    return new EdgeVecEngine(library);
  },
};

interface HnswlibNode {
  HierarchicalNSW: new (
    space: string,
    dimensions: number,
  ) => {
    initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
    addPoint(point: number[], label: number): void;
    setEf(ef: number): void;
    searchKnn(query: number[], k: number): { neighbors: number[] };
  };
}

/** hnswlib-node as npm builds it, M 16, efConstruction 200. */
class HnswlibNodeEngine implements Engine {
  readonly name = "hnswlib-node";
  readonly parameters = "M 16, efConstruction 200";
  readonly #library: HnswlibNode;
  #index: InstanceType<HnswlibNode["HierarchicalNSW"]> | undefined;
  #queries: number[][] = [];

  constructor(library: HnswlibNode) {
    this.#library = library;
  }

  async build(set: VectorSet): Promise<void> {
    const row = (rows: Float32Array, i: number): number[] =>
      Array.from(rows.subarray(i * set.dimensions, (i + 1) * set.dimensions));
    this.#queries = Array.from({ length: set.queryCount }, (_, q) => row(set.queries, q));
    this.#index = new this.#library.HierarchicalNSW(set.metric ?? "cosine", set.dimensions);
    this.#index.initIndex({ maxElements: set.count, m: 16, efConstruction: 200, randomSeed: 100 });
    for (let i = 0; i < set.count; i++) this.#index.addPoint(row(set.base, i), i);
  }

  setEf(ef: number): void {
    this.#index?.setEf(ef);
  }

  search(q: number, k: number): readonly number[] {
    return this.#index!.searchKnn(this.#queries[q] as number[], k).neighbors;
  }
}

interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(vector: Float32Array, k: number, threads: number): { keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
}

interface Usearch {
  Index: new (config: Record<string, unknown>) => UsearchIndex;
  MetricKind: { Cos: unknown; L2sq: unknown };
  ScalarKind: { F32: unknown };
}

/** usearch, f32, connectivity 16, expansion 200, one thread. Its width is fixed when an index is made: it is loaded anew for each. */
class UsearchEngine implements Engine {
  readonly name = "usearch";
  readonly parameters = "f32, M 16, efConstruction 200";
  readonly #library: Usearch;
  #set: VectorSet | undefined;
  #file = "";
  #index: UsearchIndex | undefined;
  readonly #ready = new Map<number, UsearchIndex>();

  constructor(library: Usearch) {
    this.#library = library;
  }

  async build(set: VectorSet): Promise<void> {
    this.#set = set;
    this.#ready.clear();
    const index = this.#make(64);
    index.add(
      BigUint64Array.from({ length: set.count }, (_, i) => BigInt(i)),
      set.base,
      1,
    );
    const folder = await mkdtemp(join(tmpdir(), "lodestore-usearch-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    this.#file = join(folder, "index");
    index.save(this.#file);
  }

  #make(ef: number): UsearchIndex {
    const set = this.#set as VectorSet;
    return new this.#library.Index({
      dimensions: set.dimensions,
      metric: this.#library.MetricKind[set.metric === "l2" ? "L2sq" : "Cos"],
      quantization: this.#library.ScalarKind.F32,
      connectivity: 16,
      expansion_add: 200,
      expansion_search: ef,
      multi: false,
    });
  }

  setEf(ef: number): void {
    let index = this.#ready.get(ef);
    if (index === undefined) {
      index = this.#make(ef);
      index.load(this.#file);
      this.#ready.clear();
      this.#ready.set(ef, index);
    }
    this.#index = index;
  }

  search(q: number, k: number): readonly number[] {
    const { dimensions, queries } = this.#set as VectorSet;
    const { keys } = this.#index!.search(queries.subarray(q * dimensions, (q + 1) * dimensions), k, 1);
    return Array.from(keys, Number);
  }
}
