import type { VectorMetric } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { IndexSearch, type IndexResult, type IndexSearchOptions, type VectorsOf } from "./index-search.ts";
import { KeptVectors } from "./kept-vectors.ts";
import { type IndexHit, KernelExchange } from "./kernel-exchange.ts";
import { type KernelExports, startKernel } from "./kernel-exports.ts";
import type { VectorIndexOptions } from "./vector-index-options.ts";

const METRICS: Record<VectorMetric, number> = { cosine: 0, dot: 1, l2: 2 };
/** What `finishLoad` finds wrong. */
const FAULTS: Record<number, string> = {
  1: "a level is out of range",
  2: "the blocks of upper links do not fit the levels",
  3: "a link points to where none may",
  4: "a label stands twice",
  5: "the entry is not a node of the top level",
  6: "a scale is not a number",
};
const PAGE_BYTES = 65536;
/** Slot of a label that is not in. */
const NO_SLOT = 0xffffffff;

/** What a snapshot holds of an index, as it lies in memory. */
export interface IndexRegions {
  levels: Uint8Array;
  labels: Uint8Array;
  uppers: Uint8Array;
  records: Uint8Array;
}

/** An index of vectors in a WebAssembly memory of its own: exact scan, and a graph for those that were linked. Labels are whole
 *  numbers from 0 to 2^32 - 1. It checks what vectors hold; their count and types are the caller's to check.
 *  @see wasm/README.md */
export class VectorIndex {
  readonly options: Readonly<VectorIndexOptions>;
  readonly #kernel: KernelExports;
  readonly #exchange: KernelExchange;
  readonly #kept: KeptVectors;
  readonly #search: IndexSearch;
  #changes = 0;

  constructor(module: WebAssembly.Module, options: VectorIndexOptions) {
    this.options = options;
    this.#kernel = startKernel(module);
    this.#kernel.init(
      options.dimensions,
      METRICS[options.metric],
      options.quantization === "f32" ? 0 : 1,
      options.m,
      options.efConstruction,
      BigInt(options.seed),
      options.resident ? 1 : 0,
      Math.min(65535, Math.floor(options.maxMemoryBytes / PAGE_BYTES)),
    );
    this.#exchange = new KernelExchange(this.#kernel);
    this.#kept = new KeptVectors(this.#kernel, this.#exchange, options);
    this.#search = new IndexSearch(this.#kernel, this.#exchange, this.#kept, options);
    this.reserve(0);
  }

  /** The kernel itself, for what reads and writes its memory: snapshots. */
  get kernel(): KernelExports {
    return this.#kernel;
  }

  /** Counts what changed the index: equal numbers mean an unchanged index. */
  get changes(): number {
    return this.#changes;
  }

  /** Vectors that are in. */
  get count(): number {
    return this.#kernel.live() >>> 0;
  }

  /** Vectors that are not linked: a search scans them. */
  get pendingCount(): number {
    return this.#kernel.pending() >>> 0;
  }

  /** Labels by slot, a view that the next change makes stale; a free slot holds an old label. */
  labels(): Uint32Array {
    return new Uint32Array(this.#kernel.memory.buffer, this.#kernel.labelsAt(), this.#kernel.slots());
  }

  get memoryBytes(): number {
    return this.#kernel.memory.buffer.byteLength;
  }

  /** Distances computed so far. */
  get evaluations(): number {
    return this.#kernel.evaluations() >>> 0;
  }

  /** Makes room for `capacity` vectors.
   *  @throws StorageError QUOTA_EXCEEDED */
  reserve(capacity: number): void {
    this.#exchange.reserve(capacity);
  }

  /** Takes a vector in, in place of what had its label. It is found at once; {@link link} makes finding it faster.
   *  @returns its slot, which it keeps.
   *  @throws StorageError INVALID_INPUT (not finite, zero under cosine, too large), QUOTA_EXCEEDED */
  add(label: number, vector: Float32Array): number {
    this.#exchange.write(this.#kernel.queryAt.value, vector);
    this.#change();
    const slot = this.#kernel.add(label);
    this.#exchange.check(slot, "upsert");
    this.#kept.mark(slot);
    return slot;
  }

  /** Takes over the regions of a snapshot, into an index that is still empty. What is not kept beside the codes comes with
   *  {@link keep}, or is read when a search needs it.
   *  @throws StorageError CORRUPT, QUOTA_EXCEEDED; then the index is of no use */
  load(entry: number, blocks: number, regions: IndexRegions): void {
    this.#change();
    this.#kept.noteLoad();
    if (this.#kernel.beginLoad(regions.levels.length, blocks) === 0) throw this.#exchange.outOfMemory();
    const memory = new Uint8Array(this.#kernel.memory.buffer);
    memory.set(regions.levels, this.#kernel.levelsAt());
    memory.set(regions.labels, this.#kernel.labelsAt());
    memory.set(regions.uppers, this.#kernel.poolAt());
    memory.set(regions.records, this.#kernel.recordsAt());
    const fault = this.#kernel.finishLoad(entry);
    if (fault === 0) return;
    const what = FAULTS[fault] ?? `fault ${fault}`;
    throw new StorageError("CORRUPT", `the graph contradicts itself: ${what}`, {
      capability: "vectors",
      operation: "open",
    });
  }

  /** XXH64 of bytes from outside, seed 0. */
  checksum(bytes: Uint8Array): bigint {
    const at = this.#kernel.ioAt();
    const step = this.#exchange.bytes & ~31;
    const exchange = new Uint8Array(this.#kernel.memory.buffer, at, step);
    this.#kernel.xxh64Begin();
    for (let from = 0; from < bytes.length; from += step) {
      const part = bytes.subarray(from, from + step);
      exchange.set(part);
      this.#kernel.xxh64Update(at, part.length);
    }
    return BigInt.asUintN(64, this.#kernel.xxh64End());
  }

  /** Takes a vector out; its place is used again. Returns whether there was one. */
  remove(label: number): boolean {
    this.#change();
    return this.#kernel.remove(label) !== 0;
  }

  has(label: number): boolean {
    return this.#kernel.slotOf(label) >>> 0 !== NO_SLOT;
  }

  /** Links at most `most` vectors that wait for it. Returns how many still do.
   *  @throws StorageError QUOTA_EXCEEDED */
  link(most: number): number {
    this.#change();
    const left = this.#kernel.link(most);
    if (left < 0) throw this.#exchange.outOfMemory();
    return left;
  }

  /** Whether no search has to wait for full-precision vectors. */
  get complete(): boolean {
    return this.#kept.complete;
  }

  /** Returns the nearest at once: for an index that is {@link complete}. */
  searchKept(query: Float32Array, options: IndexSearchOptions): IndexResult {
    return this.#search.searchKept(query, options);
  }

  /** Returns the nearest, nearest first.
   *  @param vectorsOf Reads full-precision vectors that are not kept here, by label; needed where some are not. What it
   *  leaves out stays in the order of the codes.
   *  @throws StorageError INVALID_INPUT (not finite, zero under cosine, too large) */
  async search(query: Float32Array, options: IndexSearchOptions, vectorsOf?: VectorsOf): Promise<IndexResult> {
    return this.#search.search(query, options, vectorsOf);
  }

  /** Searches for many vectors at once; each as {@link search} with the plans `scan` and `walk`. Needs resident vectors.
   *  @param queries Row after row, `dimensions` values each. */
  searchBatch(queries: Float32Array, options: IndexSearchOptions): IndexHit[][] {
    return this.#search.searchBatch(queries, options);
  }

  /** Whether full-precision vectors are kept here, as far as they have been read. */
  get resident(): boolean {
    return this.#kept.resident;
  }

  /** Keeps the full-precision vector of a label; nothing happens where it is here already, or its label is not. */
  keep(label: number, vector: Float32Array): void {
    this.#kept.keep(label, vector);
  }

  /** Looks whether every vector is kept by now: then the index is {@link complete}. */
  settle(): void {
    this.#kept.settle();
  }

  #change(): void {
    this.#changes++;
    this.#search.forgetAllowed();
  }
}
