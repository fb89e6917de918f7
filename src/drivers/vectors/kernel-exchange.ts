import { type StorageErrorCode, StorageError } from "../../errors.ts";
import type { KernelExports } from "./kernel-exports.ts";

/** Widest walk, and most results of a scan. */
const MAX_EF = 4096;

/** One result: the label of a vector, and its distance: minus the cosine or dot product, or the squared Euclidean distance. */
export interface IndexHit {
  label: number;
  distance: number;
}

/** What passes between the host and a kernel that was set up: vectors in, results out, and what it answers where it refuses. */
export class KernelExchange {
  readonly #kernel: KernelExports;
  readonly #rowFloats: number;
  #words: Uint32Array = new Uint32Array(0);
  #floats: Float32Array = new Float32Array(0);

  constructor(kernel: KernelExports) {
    this.#kernel = kernel;
    this.#rowFloats = kernel.rowFloats();
  }

  /** Bytes through which rows, labels and results pass, at least. */
  get bytes(): number {
    return Math.max(8 * MAX_EF, this.rowBytes);
  }

  /** Bytes of one vector. */
  get rowBytes(): number {
    return this.#rowFloats * 4;
  }

  /** Makes room for `capacity` vectors, and for so many bytes that pass at once.
   *  @throws StorageError QUOTA_EXCEEDED */
  reserve(capacity: number, bytes: number = this.bytes): void {
    if (this.#kernel.reserve(capacity, Math.max(bytes, this.bytes)) === 0) throw this.outOfMemory();
  }

  /** Writes a vector, filled up with zeros. */
  write(at: number, vector: Float32Array): void {
    const { floats } = this.#views();
    floats.set(vector, at / 4);
    if (this.#rowFloats > vector.length) floats.fill(0, at / 4 + vector.length, at / 4 + this.#rowFloats);
  }

  /** Reads results that the kernel has written. */
  read(at: number, count: number): IndexHit[] {
    const { words, floats } = this.#views();
    const hits: IndexHit[] = [];
    for (let i = at / 4, end = i + 2 * count; i < end; i += 2) {
      hits.push({ label: words[i] as number, distance: floats[i + 1] as number });
    }
    return hits;
  }

  /** Throws what a negative answer stands for.
   *  @param row Which of several vectors it is about. */
  check(answer: number, operation: string, row?: number): void {
    if (answer >= 0) return;
    if (answer === -1) throw this.outOfMemory();
    const which = row === undefined ? "vector" : `vector ${row}`;
    const what: Record<number, [StorageErrorCode, string]> = {
      [-2]: ["INVALID_INPUT", `${which} holds a value that is not finite`],
      [-3]: ["INVALID_INPUT", `${which} has length zero: its cosine is not defined`],
      [-4]: ["INVALID_INPUT", `${which} is longer than 1e18: distances would leave the range of 32-bit floats`],
    };
    const [code, message] = what[answer] ?? ["DRIVER", `the vector kernel answered ${answer}`];
    throw new StorageError(code, message, { capability: "vectors", operation });
  }

  outOfMemory(): StorageError {
    const mebibytes = Math.round(this.#kernel.memory.buffer.byteLength / 1048576);
    return new StorageError("QUOTA_EXCEEDED", `the vector index has reached its limit of memory at ${mebibytes} MiB`, {
      capability: "vectors",
      operation: "upsert",
    });
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
}
