import type { IndexSearchOptions } from "../../../src/drivers/vectors/index-search.ts";
import { VectorIndex } from "../../../src/drivers/vectors/vector-index.ts";
import { refineCount } from "../../../src/drivers/vectors/search-plan.ts";
import type { VectorSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";
import { K } from "./truth.ts";

const M = 16;
const EF_CONSTRUCTION = 176;

/** Our kernel behind its host class, as the store uses it. */
export class LodestoreEngine implements Engine {
  readonly name = "lodestore";
  readonly parameters = `sq8, M ${M}, efConstruction ${EF_CONSTRUCTION}`;
  readonly #module: WebAssembly.Module;
  readonly #resident: boolean;
  #index: VectorIndex | undefined;
  #set: VectorSet | undefined;
  #ef = 64;

  constructor(module: WebAssembly.Module, resident = true) {
    this.#module = module;
    this.#resident = resident;
  }

  get index(): VectorIndex {
    return this.#index as VectorIndex;
  }

  async build(set: VectorSet): Promise<void> {
    this.take(set);
    while (this.index.link(1000) > 0);
  }

  /** Takes the set in without linking it. */
  take(set: VectorSet): void {
    this.#set = set;
    this.#index = new VectorIndex(this.#module, {
      dimensions: set.dimensions,
      metric: set.metric ?? "cosine",
      quantization: "sq8",
      m: M,
      efConstruction: EF_CONSTRUCTION,
      seed: 1,
      resident: this.#resident,
      maxMemoryBytes: 2 ** 32,
    });
    this.#index.reserve(set.count);
    for (let i = 0; i < set.count; i++) this.#index.add(i, this.vector(i));
  }

  setEf(ef: number): void {
    this.#ef = ef;
  }

  search(q: number, k: number): readonly number[] | Promise<readonly number[]> {
    if (!this.index.complete) return this.find(q, { k });
    const { dimensions, queries } = this.#set as VectorSet;
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    const { hits } = this.index.searchKept(query, { k, ef: this.#ef, refine: refineCount(k), plan: "walk" });
    return hits.map(({ label }) => label);
  }

  async find(q: number, options: Partial<IndexSearchOptions>): Promise<number[]> {
    const { dimensions, queries } = this.#set as VectorSet;
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    const { hits } = await this.index.search(
      query,
      { k: K, ef: this.#ef, refine: refineCount(K), plan: "walk", ...options },
      this.#resident ? undefined : async (labels) => new Map(labels.map((label) => [label, this.vector(label)])),
    );
    return hits.map(({ label }) => label);
  }

  vector(i: number): Float32Array {
    const { dimensions, base } = this.#set as VectorSet;
    return base.subarray(i * dimensions, (i + 1) * dimensions);
  }
}
