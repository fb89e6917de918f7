import { type StorageErrorCode, StorageError } from "../../errors.ts";
import { type KernelExports, startKernel } from "./kernel-exports.ts";

export type VectorMetric = "cosine" | "dot" | "l2";
/** How the walk reads vectors: 8-bit codes with a scale each, or 32-bit floats. */
export type Quantization = "sq8" | "f32";

/** Parameters of an index. */
export interface VectorIndexOptions {
  dimensions: number;
  metric: VectorMetric;
  quantization: Quantization;
  /** Links a node has above layer 0, 4 to 64; layer 0 has 2 m - 2. 0 makes an index that is only scanned. */
  m: number;
  /** Width of the walk that finds a new node's neighbours, 8 to 4096. */
  efConstruction: number;
  /** Seed of the levels: equal seed, order and vectors make equal graphs. */
  seed: number;
  /** Keeps full-precision vectors beside the codes: 4 bytes a dimension each. Without, {@link VectorIndex.search} is told them. */
  resident: boolean;
  /** Most bytes of memory, 4 GiB - 64 KiB at most. */
  maxMemoryBytes: number;
}

/** One result: the label of a vector, and its distance: minus the cosine or dot product, or the squared Euclidean distance. */
export interface IndexHit {
  label: number;
  distance: number;
}

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

/** How a search goes about it. */
export type SearchPlan = "scan" | "walk" | "filtered-scan" | "filtered-walk";

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

const METRICS: Record<VectorMetric, number> = { cosine: 0, dot: 1, l2: 2 };
const PLANS: Record<SearchPlan, number> = { walk: 0, scan: 1, "filtered-walk": 2, "filtered-scan": 3 };
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
/** Level of a slot that holds nothing. */
const FREE = 0xff;
/** Slot of a label that is not in. */
const NO_SLOT = 0xffffffff;
const BATCH_ROWS = 100;
/** Widest walk, and most results of a scan. */
export const MAX_EF = 4096;
/** Largest label. */
export const MAX_LABEL = 0xffffffff;

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
  readonly #rowFloats: number;
  #words: Uint32Array = new Uint32Array(0);
  #floats: Float32Array = new Float32Array(0);
  #changes = 0;
  /** Whether every full-precision vector that a search may need is here. */
  #complete: boolean;
  /** 1 for each slot whose full-precision vector is here, where such are kept. */
  #kept: Uint8Array = new Uint8Array(0);
  /** What the kernel's allowed bits stand for, and at which change. */
  #allowed: AllowedVectors | undefined;
  #allowedAt = 0;

  constructor(module: WebAssembly.Module, options: VectorIndexOptions) {
    this.options = options;
    this.#complete = options.resident || options.quantization === "f32";
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
    this.#rowFloats = this.#kernel.rowFloats();
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
    if (this.#kernel.reserve(capacity, this.#exchangeBytes) === 0) throw outOfMemory(this.memoryBytes);
  }

  /** Takes a vector in, in place of what had its label. It is found at once; {@link link} makes finding it faster.
   *  @returns its slot, which it keeps.
   *  @throws StorageError INVALID_INPUT (not finite, zero under cosine, too large), QUOTA_EXCEEDED */
  add(label: number, vector: Float32Array): number {
    this.#write(this.#kernel.queryAt.value, vector);
    this.#changes++;
    const slot = this.#kernel.add(label);
    this.#check(slot, "upsert");
    this.#markKept(slot);
    return slot;
  }

  /** Takes over the regions of a snapshot, into an index that is still empty. What is not kept beside the codes comes with
   *  {@link keep}, or is read when a search needs it.
   *  @throws StorageError CORRUPT, QUOTA_EXCEEDED; then the index is of no use */
  load(entry: number, blocks: number, regions: IndexRegions): void {
    this.#changes++;
    this.#complete = this.options.quantization === "f32";
    if (this.#kernel.beginLoad(regions.levels.length, blocks) === 0) throw outOfMemory(this.memoryBytes);
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
    const step = this.#exchangeBytes & ~31;
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
    this.#changes++;
    return this.#kernel.remove(label) !== 0;
  }

  has(label: number): boolean {
    return this.#kernel.slotOf(label) >>> 0 !== NO_SLOT;
  }

  /** Links at most `most` vectors that wait for it. Returns how many still do.
   *  @throws StorageError QUOTA_EXCEEDED */
  link(most: number): number {
    this.#changes++;
    const left = this.#kernel.link(most);
    if (left < 0) throw outOfMemory(this.memoryBytes);
    return left;
  }

  /** Whether no search has to wait for full-precision vectors. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Returns the nearest at once: for an index that is {@link complete}. */
  searchKept(query: Float32Array, options: IndexSearchOptions): IndexResult {
    const before = this.#kernel.evaluations();
    const found = this.#find(query, options);
    this.#refine(Math.min(found, options.refine), 0);
    const hits = this.#hits(Math.min(found, options.k));
    return { hits, gaveUp: this.#gaveUp, evaluations: (this.#kernel.evaluations() - before) >>> 0 };
  }

  /** Returns the nearest, nearest first.
   *  @param vectorsOf Reads full-precision vectors that are not kept here, by label; needed where some are not. What it
   *  leaves out stays in the order of the codes.
   *  @throws StorageError INVALID_INPUT (not finite, zero under cosine, too large) */
  async search(
    query: Float32Array,
    options: IndexSearchOptions,
    vectorsOf?: (labels: number[]) => Promise<ReadonlyMap<number, Float32Array>>,
  ): Promise<IndexResult> {
    if (this.#complete) return this.searchKept(query, options);
    const before = this.evaluations;
    let found = this.#find(query, options);
    const evaluations = (this.evaluations - before) >>> 0;
    const missing = this.#missing(Math.min(found, options.refine));
    if (missing.length === 0) {
      const refined = Math.min(found, options.refine);
      this.#refine(refined, 0);
      const hits = this.#completed(this.#hits(Math.min(found, options.k)), refined, query);
      return { hits, gaveUp: this.#gaveUp, evaluations };
    }
    const gaveUp = this.#gaveUp;
    const vectors = await (vectorsOf?.(missing.map(({ label }) => label)) ?? new Map<number, Float32Array>());
    // Others searched and the index may have changed while they were read: the search says anew where they belong.
    found = this.#find(query, options);
    const refined = this.#refineWith(Math.min(found, options.refine), vectors);
    const hits = this.#completed(this.#hits(Math.min(found, options.k)), refined, query);
    return { hits, gaveUp, evaluations };
  }

  /** Searches for many vectors at once; each as {@link search} with the plans `scan` and `walk`. Needs resident vectors.
   *  @param queries Row after row, `dimensions` values each. */
  searchBatch(queries: Float32Array, options: IndexSearchOptions): IndexHit[][] {
    const { dimensions } = this.options;
    const rowFloats = this.#rowFloats;
    const total = queries.length / dimensions;
    const size = 8 + 8 * options.k;
    this.#makeRoom(BATCH_ROWS * (rowFloats * 4 + size));
    const found: IndexHit[][] = [];
    for (let from = 0; from < total; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, total - from);
      const rows = this.#kernel.ioAt();
      const memory = new Float32Array(this.#kernel.memory.buffer, rows, count * rowFloats);
      for (let i = 0; i < count; i++) {
        memory.set(queries.subarray((from + i) * dimensions, (from + i + 1) * dimensions), i * rowFloats);
      }
      const target = rows + BATCH_ROWS * rowFloats * 4;
      const fault = this.#kernel.searchBatch(
        rows,
        count,
        options.k,
        options.ef,
        options.refine,
        PLANS[options.plan],
        target,
      );
      this.#check(fault, "searchBatch", from + this.#kernel.faultRow.value);
      for (let i = 0; i < count; i++) {
        const at = target + i * size;
        found.push(this.#read(at + 8, new Uint32Array(this.#kernel.memory.buffer, at, 1)[0] as number));
      }
    }
    return found;
  }

  /** Whether full-precision vectors are kept here, as far as they have been read. */
  get resident(): boolean {
    return this.options.resident || this.options.quantization === "f32";
  }

  /** Keeps the full-precision vector of a label; nothing happens where it is here already, or its label is not. */
  keep(label: number, vector: Float32Array): void {
    const slot = this.#kernel.slotOf(label) >>> 0;
    if (slot === NO_SLOT || this.options.quantization === "f32" || !this.#isVacant(slot)) return;
    const row = this.#kernel.ioAt();
    this.#write(row, vector);
    this.#check(this.#kernel.keep(slot, row), "search");
    this.#markKept(slot);
  }

  /** Looks whether every vector is kept by now: then the index is {@link complete}. */
  settle(): void {
    if (this.#complete || !this.options.resident) return;
    const slots = this.#kernel.slots();
    const levels = new Uint8Array(this.#kernel.memory.buffer, this.#kernel.levelsAt(), slots);
    for (let slot = 0; slot < slots; slot++) if (levels[slot] !== FREE && this.#isVacant(slot)) return;
    this.#complete = true;
  }

  #isVacant(slot: number): boolean {
    return this.#kept[slot] !== 1;
  }

  #markKept(slot: number): void {
    if (slot >= this.#kept.length) {
      const more = new Uint8Array(Math.max(slot + 1, this.#kernel.capacity()));
      more.set(this.#kept);
      this.#kept = more;
    }
    this.#kept[slot] = 1;
  }

  #makeRoom(exchangeBytes: number): void {
    if (this.#kernel.reserve(0, Math.max(exchangeBytes, this.#exchangeBytes)) === 0)
      throw outOfMemory(this.memoryBytes);
  }

  /** Bytes through which rows, labels and results pass. */
  get #exchangeBytes(): number {
    return Math.max(8 * MAX_EF, this.#rowFloats * 4);
  }

  #find(query: Float32Array, options: IndexSearchOptions): number {
    if (options.allowed !== undefined) this.#allow(options.allowed);
    this.#write(this.#kernel.queryAt.value, query);
    const found = this.#kernel.search(options.ef, PLANS[options.plan], options.budget ?? 0xffffffff);
    this.#check(found, "search");
    return found;
  }

  /** Whether the last walk ended at its budget. */
  get #gaveUp(): boolean {
    return this.#kernel.gaveUp() !== 0;
  }

  /** Allows only these labels in the filtered plans. */
  #allow(allowed: AllowedVectors): void {
    if (this.#allowed === allowed && this.#allowedAt === this.#changes) return;
    this.#kernel.allowNone();
    const size = this.#exchangeBytes / 4;
    for (let from = 0; from < allowed.labels.length; from += size) {
      const part = allowed.labels.subarray(from, from + size);
      const at = this.#kernel.ioAt();
      new Uint32Array(this.#kernel.memory.buffer, at, part.length).set(part);
      this.#kernel.allow(at, part.length);
    }
    this.#allowed = allowed;
    this.#allowedAt = this.#changes;
  }

  /** Results among the first `count` whose full-precision vector is not here. */
  #missing(count: number): { slot: number; label: number }[] {
    if (this.options.quantization === "f32") return [];
    const labels = this.labels();
    const missing: { slot: number; label: number }[] = [];
    for (let i = 0; i < count; i++) {
      const slot = this.#kernel.resultSlot(i) >>> 0;
      if (!this.options.resident || this.#isVacant(slot)) missing.push({ slot, label: labels[slot] as number });
    }
    return missing;
  }

  #refine(count: number, rows: number): void {
    if (count > 0) this.#check(this.#kernel.refine(count, rows), "search");
  }

  /** Puts results in order by vectors that were read from elsewhere; where one is missing they stay as they came.
   *  @returns how many have their distance by full precision. */
  #refineWith(count: number, vectors: ReadonlyMap<number, Float32Array>): number {
    const missing = this.#missing(count);
    const complete = missing.every(({ label }) => vectors.has(label));
    if (this.options.resident) {
      for (const { label } of missing) {
        const vector = vectors.get(label);
        if (vector !== undefined) this.keep(label, vector);
      }
      if (complete) this.#refine(count, 0);
    } else if (complete) {
      this.#makeRoom(count * this.#rowFloats * 4);
      const rows = this.#kernel.ioAt();
      missing.forEach(({ label }, i) =>
        this.#write(rows + i * this.#rowFloats * 4, vectors.get(label) as Float32Array),
      );
      this.#refine(count, rows);
    }
    return complete ? count : 0;
  }

  /** Hits whose distances all mean the same: those of 8-bit codes under L2 lack the query's own square. */
  #completed(hits: IndexHit[], refined: number, query: Float32Array): IndexHit[] {
    if (this.options.metric !== "l2" || this.options.quantization !== "sq8" || hits.length <= refined) return hits;
    const square = query.reduce((sum, value) => sum + value * value, 0);
    return hits.map(({ label, distance }, at) => ({ label, distance: at < refined ? distance : distance + square }));
  }

  #hits(count: number): IndexHit[] {
    const target = this.#kernel.ioAt();
    this.#kernel.results(count, target);
    return this.#read(target, count);
  }

  #read(at: number, count: number): IndexHit[] {
    const { words, floats } = this.#views();
    const hits: IndexHit[] = [];
    for (let i = at / 4, end = i + 2 * count; i < end; i += 2) {
      hits.push({ label: words[i] as number, distance: floats[i + 1] as number });
    }
    return hits;
  }

  /** The whole memory; made anew when it has grown. */
  #views(): { words: Uint32Array; floats: Float32Array } {
    const { buffer } = this.#kernel.memory;
    if (this.#words.buffer !== buffer) {
      this.#words = new Uint32Array(buffer);
      this.#floats = new Float32Array(buffer);
    }
    return { words: this.#words, floats: this.#floats };
  }

  #write(at: number, vector: Float32Array): void {
    const { floats } = this.#views();
    floats.set(vector, at / 4);
    if (this.#rowFloats > vector.length) floats.fill(0, at / 4 + vector.length, at / 4 + this.#rowFloats);
  }

  #check(result: number, operation: string, row?: number): void {
    if (result >= 0) return;
    if (result === -1) throw outOfMemory(this.memoryBytes);
    const which = row === undefined ? "vector" : `vector ${row}`;
    const what: Record<number, [StorageErrorCode, string]> = {
      [-2]: ["INVALID_INPUT", `${which} holds a value that is not finite`],
      [-3]: ["INVALID_INPUT", `${which} has length zero: its cosine is not defined`],
      [-4]: ["INVALID_INPUT", `${which} is longer than 1e18: distances would leave the range of 32-bit floats`],
    };
    const [code, message] = what[result] ?? ["DRIVER", `the vector kernel answered ${result}`];
    throw new StorageError(code, message, { capability: "vectors", operation });
  }
}

function outOfMemory(bytes: number): StorageError {
  return new StorageError(
    "QUOTA_EXCEEDED",
    `the vector index has reached its limit of memory at ${Math.round(bytes / 1048576)} MiB`,
    { capability: "vectors", operation: "upsert" },
  );
}

/** Nodes per level of an index's graph, layer 0 first. */
export function levelsOf(index: VectorIndex): number[] {
  const { kernel } = index;
  const levels = new Uint8Array(kernel.memory.buffer, kernel.levelsAt(), kernel.slots());
  const nodes: number[] = [];
  for (const level of levels) {
    if (level > 15) continue;
    for (let at = 0; at <= level; at++) nodes[at] = (nodes[at] ?? 0) + 1;
  }
  return nodes;
}
