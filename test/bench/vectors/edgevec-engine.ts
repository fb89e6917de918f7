import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";

interface EdgeVecIndex {
  insert(vector: Float32Array): number;
  search(query: Float32Array, k: number): { id: number; score: number }[];
  free(): void;
}

interface EdgeVecConfig {
  metric: string;
  m: number;
  m0: number;
  ef_construction: number;
  ef_search: number;
}

/** What the package exports. */
export interface EdgeVecLibrary {
  default(wasm?: URL): Promise<unknown>;
  initSync(wasm: { module: WebAssembly.Module }): unknown;
  EdgeVec: new (config: EdgeVecConfig) => EdgeVecIndex;
  EdgeVecConfig: new (dimensions: number) => EdgeVecConfig;
}

/** EdgeVec, M 16 (32 in layer 0), efConstruction 200. Its cosine and dot product find nothing right, so unit vectors are
 *  compared by L2, which puts them in the same order. A search's width is fixed when an index is made: it is built anew
 *  for each, so only a few are tried. */
export class EdgeVecEngine implements Engine {
  readonly parameters = "M 16, efConstruction 200";
  readonly #library: EdgeVecLibrary;
  #set: VectorSet | undefined;
  readonly #built = new Map<number, EdgeVecIndex>();
  #index: EdgeVecIndex | undefined;

  /** @param library Initialised. */
  constructor(library: EdgeVecLibrary) {
    this.#library = library;
  }

  get name(): string {
    return this.#set?.metric === "l2" ? "edgevec" : "edgevec (L2 on unit vectors)";
  }

  get widths(): readonly number[] {
    return (this.#set?.count ?? 0) > 20_000 ? [64, 160, 400] : [16, 24, 32, 48, 64, 96, 128, 192, 256, 400];
  }

  build(set: VectorSet): void {
    for (const index of this.#built.values()) index.free();
    this.#built.clear();
    this.#set = set;
    this.setEf(this.widths[0] as number);
  }

  setEf(ef: number): void {
    this.#index = this.#built.get(ef) ?? this.#make(ef);
    this.#built.set(ef, this.#index);
  }

  #make(ef: number): EdgeVecIndex {
    const { dimensions, count, base } = this.#set as VectorSet;
    const config = new this.#library.EdgeVecConfig(dimensions);
    Object.assign(config, { metric: "l2", m: 16, m0: 32, ef_construction: 200, ef_search: ef });
    const index = new this.#library.EdgeVec(config);
    for (let i = 0; i < count; i++) index.insert(base.subarray(i * dimensions, (i + 1) * dimensions));
    return index;
  }

  /** Its ids count from 1. */
  search(q: number, k: number): readonly number[] {
    const { dimensions, queries } = this.#set as VectorSet;
    const hits = (this.#index as EdgeVecIndex).search(queries.subarray(q * dimensions, (q + 1) * dimensions), k);
    return hits.map(({ id }) => id - 1);
  }
}
