import type { ChunkLengths } from "../chunk-lengths.ts";
import { firstOf, type Occurrences, roomFor } from "../occurrences.ts";
import type { DoclistPiece } from "./leaf-reader.ts";

/** Fewest bytes of a row: its rowid, the size of its positions, one position. */
const ROW_BYTES = 3;

/** Stands before the number of a column, among positions that are two and more. */
const COLUMN = 1;

/**
 * Counts the occurrences that a doclist holds: rows, each a rowid less the one before, twice the size of its positions in bytes (the
 * lowest bit says that it was deleted, which this kind of index says otherwise), and the positions, column by column.
 *
 * @param deleted Rowids to be left out, ascending.
 * @returns `undefined` where the list is not of the form that is known here.
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "doclist format"
 */
export function countDoclist(
  pieces: readonly DoclistPiece[],
  deleted: Float64Array,
  lengths: ChunkLengths,
): Occurrences | undefined {
  const { bytes, wholes } = joined(pieces);
  const room = roomFor(Math.ceil(bytes.length / ROW_BYTES));
  const columns = [room.heading, room.text, room.forms];
  let size = 0;
  let rowid = 0;
  let place = 0;
  let tombstone = 0;
  let whole = 0;
  for (let at = 0; at < bytes.length;) {
    let value = 0;
    const start = at;
    while ((bytes[at] as number) >= 0x80) value = 128 * (value + (bytes[at++] as number) - 0x80);
    value += bytes[at++] as number;
    const before = rowid;
    while (whole < wholes.length && (wholes[whole] as number) < start) whole++;
    rowid = wholes[whole] === start ? value : rowid + value;
    if (rowid <= before || at > bytes.length) return undefined;
    value = 0;
    while ((bytes[at] as number) >= 0x80) value = 128 * (value + (bytes[at++] as number) - 0x80);
    value += bytes[at++] as number;
    const end = at + value / 2;
    if (value % 2 !== 0 || !(end > at && end <= bytes.length)) return undefined;
    while (tombstone < deleted.length && (deleted[tombstone] as number) < rowid) tombstone++;
    if (deleted[tombstone] === rowid) {
      at = end;
      continue;
    }
    place = lengths.placeFrom(place, rowid);
    // One that came after the lengths were read has no place.
    if (place === lengths.size || lengths.keyAt(place) !== rowid) {
      at = end;
      continue;
    }
    let column = 0;
    let count = 0;
    while (at < end) {
      const byte = bytes[at++] as number;
      if (byte === COLUMN) {
        (columns[column] as Uint32Array)[size] = count;
        count = 0;
        column = bytes[at++] ?? columns.length;
        if (column >= columns.length) return undefined;
      } else {
        count++;
        if (byte >= 0x80) while ((bytes[at++] as number) >= 0x80);
      }
    }
    if (at !== end) return undefined;
    (columns[column] as Uint32Array)[size] = count;
    room.places[size++] = place;
  }
  return firstOf(room, size);
}

/** Puts pieces together. @returns with them the offsets at which a rowid is whole */
function joined(pieces: readonly DoclistPiece[]): { bytes: Uint8Array; wholes: number[] } {
  const wholes: number[] = [];
  let length = 0;
  for (const { bytes, firstRowid } of pieces) {
    if (firstRowid >= 0) wholes.push(length + firstRowid);
    length += bytes.length;
  }
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return { bytes: only.bytes, wholes };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  return { bytes, wholes };
}
