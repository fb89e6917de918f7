import type { KeptVectors } from "./kept-vectors.ts";
import type { IndexHit, KernelExchange } from "./kernel-exchange.ts";
import type { KernelExports } from "./kernel-exports.ts";
import type { SearchPlan } from "./search-plan.ts";
import type { VectorIndexOptions } from "./vector-index-options.ts";

/** Vectors that a filter lets through. The same object stands for the same labels. */
export interface AllowedVectors {
  labels: Uint32Array;
}

/** What a search found, and how. */
export interface IndexResult {
  /** Nearest first. */
  hits: IndexHit[];
  /** Whether a filtered walk ended at its budget. */
  gaveUp: boolean;
  /** Distances computed. */
  evaluations: number;
}

export interface IndexSearchOptions {
  k: number;
  /** Width of the walk, at least k. */
  ef: number;
  /** Results that full precision puts in order, k to 4096; 0 for none. */
  refine: number;
  plan: SearchPlan;
  /** What the filtered plans find. */
  allowed?: AllowedVectors;
  /** Distances after which a filtered walk gives up. */
  budget?: number;
}

/** Reads full-precision vectors by label. */
export type VectorsOf = (labels: number[]) => Promise<ReadonlyMap<number, Float32Array>>;

const PLANS: Record<SearchPlan, number> = { walk: 0, scan: 1, "filtered-walk": 2, "filtered-scan": 3 };
const BATCH_ROWS = 100;

/** Searches of one index: allows, finds, and puts the foremost in order by full precision. */
export class IndexSearch {
  readonly #kernel: KernelExports;
  readonly #exchange: KernelExchange;
  readonly #kept: KeptVectors;
  readonly #options: Readonly<VectorIndexOptions>;
  /** What the kernel's allowed bits stand for. */
  #allowed: AllowedVectors | undefined;

  constructor(
    kernel: KernelExports,
    exchange: KernelExchange,
    kept: KeptVectors,
    options: Readonly<VectorIndexOptions>,
  ) {
    this.#kernel = kernel;
    this.#exchange = exchange;
    this.#kept = kept;
    this.#options = options;
  }

  /** Forgets which slots are allowed: the index has changed, and others may stand there. */
  forgetAllowed(): void {
    this.#allowed = undefined;
  }

  /** Returns the nearest at once: where all vectors are kept. */
  searchKept(query: Float32Array, options: IndexSearchOptions): IndexResult {
    const before = this.#kernel.evaluations();
    const found = this.#find(query, options);
    this.#refine(Math.min(found, options.refine), 0);
    const hits = this.#hits(Math.min(found, options.k));
    return { hits, gaveUp: this.#gaveUp, evaluations: (this.#kernel.evaluations() - before) >>> 0 };
  }

  /** Returns the nearest, nearest first. */
  async search(query: Float32Array, options: IndexSearchOptions, vectorsOf?: VectorsOf): Promise<IndexResult> {
    if (this.#kept.complete) return this.searchKept(query, options);
    const before = this.#kernel.evaluations();
    let found = this.#find(query, options);
    const evaluations = (this.#kernel.evaluations() - before) >>> 0;
    const missing = this.#missing(Math.min(found, options.refine));
    if (missing.length === 0) {
      const refined = Math.min(found, options.refine);
      this.#refine(refined, 0);
      const hits = this.#completed(this.#hits(Math.min(found, options.k)), refined, query);
      return { hits, gaveUp: this.#gaveUp, evaluations };
    }
    const gaveUp = this.#gaveUp;
    const vectors = await (vectorsOf?.(missing) ?? new Map<number, Float32Array>());
    // Others searched and the index may have changed while they were read: the search says anew where they belong.
    found = this.#find(query, options);
    const refined = this.#refineWith(Math.min(found, options.refine), vectors);
    const hits = this.#completed(this.#hits(Math.min(found, options.k)), refined, query);
    return { hits, gaveUp, evaluations };
  }

  /** Searches for many vectors at once, row after row: where all are kept and nothing is filtered. */
  searchBatch(queries: Float32Array, options: IndexSearchOptions): IndexHit[][] {
    const { dimensions } = this.#options;
    const { rowBytes } = this.#exchange;
    const total = queries.length / dimensions;
    const size = 8 + 8 * options.k;
    this.#exchange.reserve(0, BATCH_ROWS * (rowBytes + size));
    const found: IndexHit[][] = [];
    for (let from = 0; from < total; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, total - from);
      const rows = this.#kernel.ioAt();
      const memory = new Float32Array(this.#kernel.memory.buffer, rows, (count * rowBytes) / 4);
      for (let i = 0; i < count; i++) {
        memory.set(queries.subarray((from + i) * dimensions, (from + i + 1) * dimensions), (i * rowBytes) / 4);
      }
      const target = rows + BATCH_ROWS * rowBytes;
      const fault = this.#kernel.searchBatch(
        rows,
        count,
        options.k,
        options.ef,
        options.refine,
        PLANS[options.plan],
        target,
      );
      this.#exchange.check(fault, "searchBatch", from + this.#kernel.faultRow.value);
      for (let i = 0; i < count; i++) {
        const at = target + i * size;
        found.push(this.#exchange.read(at + 8, new Uint32Array(this.#kernel.memory.buffer, at, 1)[0] as number));
      }
    }
    return found;
  }

  #find(query: Float32Array, options: IndexSearchOptions): number {
    if (options.allowed !== undefined) this.#allow(options.allowed);
    this.#exchange.write(this.#kernel.queryAt.value, query);
    const found = this.#kernel.search(options.ef, PLANS[options.plan], options.budget ?? 0xffffffff);
    this.#exchange.check(found, "search");
    return found;
  }

  /** Whether the last walk ended at its budget. */
  get #gaveUp(): boolean {
    return this.#kernel.gaveUp() !== 0;
  }

  /** Allows only these labels in the filtered plans. */
  #allow(allowed: AllowedVectors): void {
    if (this.#allowed === allowed) return;
    this.#kernel.allowNone();
    const size = this.#exchange.bytes / 4;
    for (let from = 0; from < allowed.labels.length; from += size) {
      const part = allowed.labels.subarray(from, from + size);
      const at = this.#kernel.ioAt();
      new Uint32Array(this.#kernel.memory.buffer, at, part.length).set(part);
      this.#kernel.allow(at, part.length);
    }
    this.#allowed = allowed;
  }

  /** Labels of results among the first `count` whose full-precision vector is not here. */
  #missing(count: number): number[] {
    const labels = new Uint32Array(this.#kernel.memory.buffer, this.#kernel.labelsAt(), this.#kernel.slots());
    const missing: number[] = [];
    for (let i = 0; i < count; i++) {
      const slot = this.#kernel.resultSlot(i) >>> 0;
      if (this.#kept.lacks(slot)) missing.push(labels[slot] as number);
    }
    return missing;
  }

  #refine(count: number, rows: number): void {
    if (count > 0) this.#exchange.check(this.#kernel.refine(count, rows), "search");
  }

  /** Puts results in order by vectors that were read from elsewhere; where one is missing they stay as they came.
   *  @returns how many have their distance by full precision. */
  #refineWith(count: number, vectors: ReadonlyMap<number, Float32Array>): number {
    const missing = this.#missing(count);
    const complete = missing.every((label) => vectors.has(label));
    if (this.#options.resident) {
      for (const label of missing) {
        const vector = vectors.get(label);
        if (vector !== undefined) this.#kept.keep(label, vector);
      }
      if (complete) this.#refine(count, 0);
    } else if (complete) {
      const { rowBytes } = this.#exchange;
      this.#exchange.reserve(0, count * rowBytes);
      const rows = this.#kernel.ioAt();
      missing.forEach((label, i) => this.#exchange.write(rows + i * rowBytes, vectors.get(label) as Float32Array));
      this.#refine(count, rows);
    }
    return complete ? count : 0;
  }

  /** Hits whose distances all mean the same: those of 8-bit codes under L2 lack the query's own square. */
  #completed(hits: IndexHit[], refined: number, query: Float32Array): IndexHit[] {
    if (this.#options.metric !== "l2" || this.#options.quantization !== "sq8" || hits.length <= refined) return hits;
    const square = query.reduce((sum, value) => sum + value * value, 0);
    return hits.map(({ label, distance }, at) => ({ label, distance: at < refined ? distance : distance + square }));
  }

  #hits(count: number): IndexHit[] {
    const target = this.#kernel.ioAt();
    this.#kernel.results(count, target);
    return this.#exchange.read(target, count);
  }
}
