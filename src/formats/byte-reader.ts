import { type FormatErrorCode, formatError } from "./format-error.ts";
import type { StorageError } from "../errors.ts";

/** Most bytes of a 64-bit varint: 9 × 7 bits and one more. */
const MAX_VARINT_BYTES = 10;

/**
 * Reads little-endian values one after the other. Nothing is read past the end and nothing is allocated by a length
 * that the file names: every length is held against the bytes left first.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #operation: string;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #offset = 0;

  /** @param operation What errors say was called. */
  constructor(bytes: Uint8Array, operation: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#operation = operation;
  }

  /** Where the next value begins, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left. */
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Returns the error for what is at this place. */
  error(code: FormatErrorCode, message: string, cause?: unknown): StorageError {
    return formatError(code, this.#operation, `${message} (at byte ${this.#offset})`, { cause });
  }

  /** Returns where `count` bytes begin, and goes past them. @param what Reads in "the file ends within …". */
  skip(count: number, what: string): number {
    if (!(count <= this.left))
      throw this.error("BAD_FORMAT", `the file ends within ${what}: ${count} bytes asked, ${this.left} left`);
    const at = this.#offset;
    this.#offset += count;
    return at;
  }

  /** Goes back (or ahead) to a place that `offset` gave. */
  seek(offset: number): void {
    this.#offset = offset;
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.skip(4, what), true);
  }

  int32(what: string): number {
    return this.#view.getInt32(this.skip(4, what), true);
  }

  float64(what: string): number {
    return this.#view.getFloat64(this.skip(8, what), true);
  }

  /** Returns an unsigned 64-bit integer; one that a double does not hold exactly is refused with `code`. */
  uint64(what: string, code: FormatErrorCode = "BAD_FORMAT"): number {
    const at = this.skip(8, what);
    const value = this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(value)) throw this.error(code, `${what} is beyond 2^53 - 1`);
    return value;
  }

  /** Returns a zigzag LEB128 integer from `min` to `max`, which are safe integers. */
  varint(what: string, min: number, max: number): number {
    let raw = 0;
    for (let i = 0; ; i++) {
      const byte = this.#bytes[this.skip(1, what)]!;
      if (i === MAX_VARINT_BYTES - 1 && byte > 1)
        throw this.error("BAD_FORMAT", `${what} is a varint of more than 64 bits`);
      raw += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) break;
    }
    // From 2^53 up `raw` is rounded, but then it is beyond `min` and `max` on either side.
    const value = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    if (value < min || value > max || raw > Number.MAX_SAFE_INTEGER) {
      throw this.error("BAD_FORMAT", `${what} is ${value}; it takes ${min} to ${max}`);
    }
    return value;
  }

  /** Returns a count of things of at least `leastBytes` bytes each, which must fit into the bytes left. */
  count(what: string, leastBytes: number): number {
    const count = this.varint(what, 0, Number.MAX_SAFE_INTEGER);
    if (count > this.left / leastBytes)
      throw this.error("BAD_FORMAT", `${what} is ${count}, more than ${this.left} bytes hold`);
    return count;
  }

  /** Returns a text: a varint length in bytes, then UTF-8. */
  text(what: string): string {
    const length = this.count(`the length of ${what}`, 1);
    const at = this.skip(length, what);
    try {
      return this.#utf8.decode(this.#bytes.subarray(at, at + length));
    } catch (cause) {
      throw this.error("BAD_FORMAT", `${what} is not valid UTF-8`, cause);
    }
  }

  /** Fills `target` with 32-bit floats; a value that is not finite is CORRUPT. */
  float32s(target: Float32Array, what: string): void {
    const at = this.skip(target.length * 4, what);
    for (let i = 0; i < target.length; i++) {
      const value = this.#view.getFloat32(at + 4 * i, true);
      if (value - value !== 0) {
        throw this.error("CORRUPT", `${what}[${i}] is ${value}, not a finite number`);
      }
      target[i] = value;
    }
  }

  /** Checks that the file ends here. */
  end(): void {
    if (this.left > 0) throw this.error("BAD_FORMAT", `the file goes on after its end: ${this.left} bytes left`);
  }
}
