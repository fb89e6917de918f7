import type { Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { sqliteExports, type Pointer, type SqliteExports } from "./wasm-exports.ts";

const ARENA_BYTES = 64 * 1024;
/** UTF-8 bytes of one UTF-16 unit, at most. */
const MAX_UTF8_BYTES = 3;
/** Longer texts are measured before memory is taken for them. */
const EXACT_LENGTH = 1024 * 1024;
/** Texts up to this length go in and out faster without TextEncoder and TextDecoder, if they are ASCII. */
const SHORT = 24;

/** Bytes written for SQLite: `owned` ones are freed by whoever takes them, the others live until the next `reset`. */
export interface WasmBytes {
  pointer: Pointer;
  size: number;
  owned: boolean;
}

/** Texts and blobs on their way into and out of SQLite's memory. Short ones share one arena, reused for every statement. */
export class WasmMemory {
  readonly #sqlite3: Sqlite3Static;
  readonly #exports: SqliteExports;
  readonly #arena: Pointer;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #used = 0;
  /** Where the last write is, so that writing allocates nothing. */
  readonly written: WasmBytes = { pointer: 0, size: 0, owned: false };

  constructor(sqlite3: Sqlite3Static) {
    this.#sqlite3 = sqlite3;
    this.#exports = sqliteExports(sqlite3);
    this.#arena = this.#allocate(ARENA_BYTES);
  }

  /** Frees the arena for the next statement. */
  reset(): void {
    this.#used = 0;
  }

  /** Runs `write` and frees what it took of the arena: for bytes that SQLite copies at once. */
  scratch(write: () => void): void {
    const used = this.#used;
    write();
    this.#used = used;
  }

  /** Writes UTF-8 and says in `written` where. */
  writeText(text: string): void {
    if (text.length > EXACT_LENGTH) {
      this.writeBytes(this.#encoder.encode(text));
      return;
    }
    this.#reserve(text.length * MAX_UTF8_BYTES);
    const { pointer } = this.written;
    const heap = this.heap();
    let size = text.length <= SHORT ? writeAscii(heap, pointer, text) : -1;
    if (size < 0) {
      const room = heap.subarray(pointer, pointer + text.length * MAX_UTF8_BYTES);
      size = this.#encoder.encodeInto(text, room).written;
    }
    this.#keep(size);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.heap().set(bytes, this.written.pointer);
    this.#keep(bytes.byteLength);
  }

  readText(pointer: Pointer, size: number): string {
    const heap = this.heap();
    if (size <= SHORT) {
      const text = readAscii(heap, pointer, size);
      if (text !== undefined) return text;
    }
    return this.#decoder.decode(heap.subarray(pointer, pointer + size));
  }

  /** A zero-terminated text. */
  readCString(pointer: Pointer): string {
    return pointer === 0 ? "" : this.readText(pointer, this.heap().indexOf(0, pointer) - pointer);
  }

  /** A copy. */
  readBytes(pointer: Pointer, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.heap().subarray(pointer, pointer + size));
  }

  /** SQLite's memory as it is now: a call that allocates may move it. */
  heap(): Uint8Array {
    return this.#sqlite3.wasm.heap8u();
  }

  dispose(): void {
    this.#exports.sqlite3_free(this.#arena);
  }

  #reserve(size: number): void {
    const owned = this.#used + size > ARENA_BYTES;
    this.written.owned = owned;
    this.written.pointer = owned ? this.#allocate(size) : this.#arena + this.#used;
  }

  #keep(size: number): void {
    this.written.size = size;
    if (!this.written.owned) this.#used += size;
  }

  #allocate(size: number): Pointer {
    const pointer = this.#exports.sqlite3_malloc(size);
    if (pointer === 0) throw new RangeError(`out of memory: no ${size} bytes left for SQLite`);
    return pointer;
  }
}

function writeAscii(heap: Uint8Array, pointer: Pointer, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return -1;
    heap[pointer + i] = unit;
  }
  return text.length;
}

function readAscii(heap: Uint8Array, pointer: Pointer, size: number): string | undefined {
  let text = "";
  for (let i = pointer; i < pointer + size; i++) {
    const byte = heap[i] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
