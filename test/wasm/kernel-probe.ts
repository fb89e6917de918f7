import { type KernelExports, startKernel } from "../../src/drivers/vectors/kernel-exports.ts";
import type { ReferenceOptions } from "./reference/reference-index.ts";

export interface ProbeOptions extends ReferenceOptions {
  resident: boolean;
  maxPages: number;
  ioBytes: number;
}

export const METRICS = { cosine: 0, dot: 1, l2: 2 } as const;
export const KINDS = { f32: 0, sq8: 1 } as const;
export const EXACT = 1;
export const FILTERED = 2;
export const NONE = 0xffffffff;
export const FREE = 0xff;
export const PENDING = 0xfe;
/** Where wasm/assembly/state.ts puts the heads of the lists of free blocks. */
const FREE_UPPER = 0x46000;

export interface ProbeHit {
  slot: number;
  label: number;
  distance: number;
}

/** A kernel whose memory can be read as what it stands for. */
export class KernelProbe {
  readonly options: ProbeOptions;
  readonly kernel: KernelExports;

  constructor(module: WebAssembly.Module, options: ProbeOptions) {
    this.options = options;
    this.kernel = startKernel(module);
    this.kernel.init(
      options.dimensions,
      METRICS[options.metric],
      KINDS[options.kind],
      options.m,
      options.efConstruction,
      options.seed,
      Number(options.resident),
      options.maxPages,
    );
    if (this.kernel.reserve(0, options.ioBytes) === 0) throw new Error("no memory to begin with");
  }

  get m0(): number {
    return Math.max(0, 2 * this.options.m - 2);
  }

  get codeAt(): number {
    return 8 + 4 * this.m0;
  }

  get hasRows(): boolean {
    return this.options.resident && this.options.kind === "sq8";
  }

  get slots(): number {
    return this.kernel.slots() >>> 0;
  }

  words(at: number, length: number): Uint32Array {
    return new Uint32Array(this.kernel.memory.buffer, at, length);
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.kernel.memory.buffer, at, length);
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.kernel.memory.buffer, at, length);
  }

  add(label: number, vector: Float32Array): number {
    this.writeQuery(vector);
    return this.kernel.add(label);
  }

  writeQuery(vector: Float32Array): void {
    this.floats(this.kernel.queryAt.value, vector.length).set(vector);
  }

  /** Writes a row of exchange: the vector, and zeros to the row's end. */
  writeRow(at: number, vector: Float32Array): void {
    const row = this.floats(at, this.kernel.rowFloats());
    row.fill(0);
    row.set(vector);
  }

  allow(labels: number[]): number {
    this.kernel.allowNone();
    let known = 0;
    const size = this.options.ioBytes / 4;
    for (let from = 0; from < labels.length; from += size) {
      const part = labels.slice(from, from + size);
      this.words(this.kernel.ioAt(), part.length).set(part);
      known += this.kernel.allow(this.kernel.ioAt(), part.length);
    }
    return known;
  }

  search(vector: Float32Array, ef: number, plan: number, budget = 0xffffffff): number {
    this.writeQuery(vector);
    return this.kernel.search(ef, plan, budget);
  }

  hits(count: number): ProbeHit[] {
    const at = this.kernel.ioAt();
    this.kernel.results(count, at);
    return this.readHits(at, count).map((hit, i) => ({ slot: this.kernel.resultSlot(i) >>> 0, ...hit }));
  }

  readHits(at: number, count: number): { label: number; distance: number }[] {
    const words = this.words(at, 2 * count);
    const floats = this.floats(at, 2 * count);
    return Array.from({ length: count }, (_, i) => ({
      label: words[2 * i] as number,
      distance: floats[2 * i + 1] as number,
    }));
  }

  /** A level, FREE or PENDING. */
  level(slot: number): number {
    return this.bytes(this.kernel.levelsAt() + slot, 1)[0] as number;
  }

  label(slot: number): number {
    return this.words(this.kernel.labelsAt() + 4 * slot, 1)[0] as number;
  }

  upper(slot: number): number {
    return this.words(this.kernel.uppersAt() + 4 * slot, 1)[0] as number;
  }

  recordAt(slot: number): number {
    return this.kernel.recordsAt() + slot * this.kernel.strideBytes();
  }

  /** The places for links in a layer, NONE where none is. */
  places(slot: number, level: number): Uint32Array {
    const { m } = this.options;
    if (level === 0) return this.words(this.recordAt(slot) + 8, this.m0);
    return this.words(this.kernel.poolAt() + (this.upper(slot) + level - 1) * m * 4, m);
  }

  links(slot: number, level: number): number[] {
    const places = [...this.places(slot, level)];
    const end = places.indexOf(NONE);
    return end < 0 ? places : places.slice(0, end);
  }

  /** Blocks of upper links that are free, of `count` together. */
  freeBlocks(count: number): number[] {
    const blocks: number[] = [];
    let index = this.words(FREE_UPPER + 4 * count, 1)[0] as number;
    while (index !== NONE) {
      blocks.push(index);
      if (blocks.length > this.kernel.poolUsed()) throw new Error("the list of free blocks goes in a circle");
      index = this.words(this.kernel.poolAt() + index * this.options.m * 4, 1)[0] as number;
    }
    return blocks;
  }
}
