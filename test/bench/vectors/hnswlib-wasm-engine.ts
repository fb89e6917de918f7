import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";

interface HnswIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  addPoint(point: Float32Array, label: number, replaceDeleted: boolean): void;
  setEfSearch(ef: number): void;
  searchKnn(query: Float32Array, k: number, filter: undefined): { neighbors: number[] };
}

/** What the package exports. */
export interface HnswlibWasm {
  loadHnswlib(): Promise<{ HierarchicalNSW: new (space: string, dimensions: number, autoSave: string) => HnswIndex }>;
}

/** hnswlib-wasm, M 16, efConstruction 200. */
export class HnswlibWasmEngine implements Engine {
  readonly name = "hnswlib-wasm";
  readonly parameters = "M 16, efConstruction 200";
  readonly #library: HnswlibWasm;
  #index: HnswIndex | undefined;
  #queries: Float32Array[] = [];

  constructor(library: HnswlibWasm) {
    this.#library = library;
  }

  async build(set: VectorSet): Promise<void> {
    const { HierarchicalNSW } = await this.#library.loadHnswlib();
    const row = (rows: Float32Array, i: number): Float32Array =>
      rows.slice(i * set.dimensions, (i + 1) * set.dimensions);
    this.#queries = Array.from({ length: set.queryCount }, (_, q) => row(set.queries, q));
    this.#index = new HierarchicalNSW(set.metric ?? "cosine", set.dimensions, "");
    this.#index.initIndex(set.count, 16, 200, 100);
    for (let i = 0; i < set.count; i++) this.#index.addPoint(row(set.base, i), i, false);
  }

  setEf(ef: number): void {
    this.#index?.setEfSearch(ef);
  }

  search(q: number, k: number): readonly number[] {
    return (this.#index as HnswIndex).searchKnn(this.#queries[q] as Float32Array, k, undefined).neighbors;
  }
}
