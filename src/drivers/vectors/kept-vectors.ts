import type { KernelExchange } from "./kernel-exchange.ts";
import type { KernelExports } from "./kernel-exports.ts";
import type { VectorIndexOptions } from "./vector-index-options.ts";

/** Level of a slot that holds nothing. */
const FREE = 0xff;
/** Slot of a label that is not in. */
const NO_SLOT = 0xffffffff;

/** Which full-precision vectors are in an index's memory. */
export class KeptVectors {
  readonly #kernel: KernelExports;
  readonly #exchange: KernelExchange;
  readonly #options: Readonly<VectorIndexOptions>;
  /** Whether every one that a search may need is here. */
  #complete: boolean;
  /** 1 for each slot whose vector is here, where such are kept beside codes. */
  #kept: Uint8Array = new Uint8Array(0);

  constructor(kernel: KernelExports, exchange: KernelExchange, options: Readonly<VectorIndexOptions>) {
    this.#kernel = kernel;
    this.#exchange = exchange;
    this.#options = options;
    this.#complete = this.resident;
  }

  /** Whether they are kept here, as far as they have been read. */
  get resident(): boolean {
    return this.#options.resident || this.#options.quantization === "f32";
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Whether a search that needs the vector of this slot must be told it. */
  lacks(slot: number): boolean {
    return this.#options.quantization !== "f32" && (!this.#options.resident || this.#isVacant(slot));
  }

  /** Keeps the vector of a label; nothing happens where it is here already, or its label is not. */
  keep(label: number, vector: Float32Array): void {
    const slot = this.#kernel.slotOf(label) >>> 0;
    if (slot === NO_SLOT || this.#options.quantization === "f32" || !this.#isVacant(slot)) return;
    const row = this.#kernel.ioAt();
    this.#exchange.write(row, vector);
    this.#exchange.check(this.#kernel.keep(slot, row), "search");
    this.mark(slot);
  }

  /** Notes that the vector of this slot is here. */
  mark(slot: number): void {
    if (slot >= this.#kept.length) {
      const more = new Uint8Array(Math.max(slot + 1, this.#kernel.capacity()));
      more.set(this.#kept);
      this.#kept = more;
    }
    this.#kept[slot] = 1;
  }

  /** Notes that a snapshot was loaded, which brings codes without their vectors. */
  noteLoad(): void {
    this.#complete = this.#options.quantization === "f32";
  }

  /** Looks whether every vector is here by now. */
  settle(): void {
    if (this.#complete || !this.#options.resident) return;
    const slots = this.#kernel.slots();
    const levels = new Uint8Array(this.#kernel.memory.buffer, this.#kernel.levelsAt(), slots);
    for (let slot = 0; slot < slots; slot++) if (levels[slot] !== FREE && this.#isVacant(slot)) return;
    this.#complete = true;
  }

  #isVacant(slot: number): boolean {
    return this.#kept[slot] !== 1;
  }
}
