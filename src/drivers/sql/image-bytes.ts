import { StorageError } from "../../errors.ts";

/** Bytes that an image hands out at once. */
export const IMAGE_PIECE_BYTES: number = 256 * 1024;

/** Where a SQLite file says which versions may write and read it.
 *  @see https://www.sqlite.org/fileformat2.html#file_format_version_numbers */
const FORMAT_VERSIONS = [18, 19];
const WAL = 2;
const OTHER_JOURNAL = 1;

/** Returns a piece of a database file as one that needs no WAL beside it: what was copied whole has none.
 *  @param at Where in the file the piece begins.
 *  @returns the piece itself where nothing is to be changed, else a copy. */
export function withoutWal(piece: Uint8Array, at: number): Uint8Array {
  let changed = piece;
  for (const offset of FORMAT_VERSIONS) {
    if (offset < at || offset >= at + piece.byteLength || piece[offset - at] !== WAL) continue;
    if (changed === piece) changed = piece.slice();
    changed[offset - at] = OTHER_JOURNAL;
  }
  return changed;
}

/** @throws StorageError ABORTED */
export function throwIfCopyAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const cause: unknown = signal.reason;
  throw new StorageError("ABORTED", "the copy was aborted", { capability: "sql", operation: "image", cause });
}
