import { xxh64 } from "../../formats/xxh64.ts";

/**
 * One of the two files of a blob on OPFS. All numbers are little-endian:
 *
 *     0   4 bytes  magic "LHB1"
 *     4   uint32   0
 *     8   uint64   sequence: the newer of the two slots has the higher one
 *     16  uint64   length of the bytes
 *     24  uint64   XXH64 of the 24 bytes before
 *     32  bytes
 *
 * The header is cleared and flushed before the bytes are written, and written after they are flushed: a header that verifies
 * stands before bytes that are whole.
 */
export const SLOT_HEADER_BYTES = 32;

const MAGIC = 0x3142484c;

/** What a dedicated worker opens of a file; written out, for a program with the DOM in its types does not know it. */
export interface AccessHandle {
  read(buffer: Uint8Array, options: { at: number }): number;
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

export interface SlotHeader {
  sequence: number;
  length: number;
}

/** The header of a slot, or `undefined` where it is not whole. */
export function readSlotHeader(handle: AccessHandle): SlotHeader | undefined {
  const header = new Uint8Array(SLOT_HEADER_BYTES);
  if (handle.read(header, { at: 0 }) < SLOT_HEADER_BYTES) return undefined;
  return slotHeaderOf(header, handle.getSize());
}

/** The header that these bytes are, or `undefined` where they are none, or not of a file of this size. */
export function slotHeaderOf(header: Uint8Array, sizeBytes: number): SlotHeader | undefined {
  if (header.byteLength < SLOT_HEADER_BYTES) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, SLOT_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC || view.getBigUint64(24, true) !== xxh64(header.subarray(0, 24)))
    return undefined;
  const sequence = Number(view.getBigUint64(8, true));
  const length = Number(view.getBigUint64(16, true));
  return sizeBytes === SLOT_HEADER_BYTES + length ? { sequence, length } : undefined;
}

/** Writes a slot anew. */
export function writeSlot(handle: AccessHandle, sequence: number, bytes: Uint8Array): void {
  handle.truncate(0);
  handle.flush();
  writeWhole(handle, bytes, SLOT_HEADER_BYTES);
  endSlot(handle, sequence, bytes.length);
}

/** Makes a slot whole whose bytes were written after the place of its header. */
export function endSlot(handle: AccessHandle, sequence: number, length: number): void {
  handle.flush();
  const header = new Uint8Array(SLOT_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC, true);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setBigUint64(16, BigInt(length), true);
  view.setBigUint64(24, xxh64(header.subarray(0, 24)), true);
  writeWhole(handle, header, 0);
  handle.flush();
}

/** @returns the bytes of a slot whose header verified. */
export function readSlot(handle: AccessHandle, header: SlotHeader): Uint8Array {
  const bytes = new Uint8Array(header.length);
  const read = handle.read(bytes, { at: SLOT_HEADER_BYTES });
  if (read !== header.length) throw new Error(`${read} of ${header.length} bytes could be read`);
  return bytes;
}

/** A full disk may show as a short write. */
export function writeWhole(handle: AccessHandle, bytes: Uint8Array, at: number): void {
  const written = handle.write(bytes, { at });
  if (written === bytes.length) return;
  throw new DOMException(`${written} of ${bytes.length} bytes could be written`, "QuotaExceededError");
}
