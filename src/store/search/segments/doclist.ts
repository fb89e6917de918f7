import type { ChunkLengths } from "../chunk-lengths.ts";
import type { OccurrenceList } from "../occurrences.ts";
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
 * @param columns Only the first so many columns are counted; rows that have nothing in them are left out.
 * @param into Takes the rows.
 * @returns whether the list is of the form that is known here; where it is not, some rows may have been taken.
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "doclist format"
 */
export function countDoclist(
  pieces: readonly DoclistPiece[],
  deleted: Float64Array,
  lengths: ChunkLengths,
  columns: number,
  into: OccurrenceList,
): boolean {
  const { bytes, wholes } = joined(pieces);
  into.reserve(Math.ceil(bytes.length / ROW_BYTES));
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
    if (rowid <= before || at > bytes.length) return false;
    value = 0;
    while ((bytes[at] as number) >= 0x80) value = 128 * (value + (bytes[at++] as number) - 0x80);
    value += bytes[at++] as number;
    const end = at + value / 2;
    if (value % 2 !== 0 || !(end > at && end <= bytes.length)) return false;
    const from = at;
    at = end;
    while (tombstone < deleted.length && (deleted[tombstone] as number) < rowid) tombstone++;
    if (deleted[tombstone] === rowid) continue;
    place = lengths.placeFrom(place, rowid);
    // One that came after the lengths were read has no place.
    if (place === lengths.size || lengths.keyAt(place) !== rowid) continue;
    const counted = countPositions(bytes, from, end, columns, into);
    if (counted < 0) return false;
    if (counted > 0) into.add(place);
  }
  return true;
}

/** Counts the positions between two offsets, for the next row. @returns how many there are, -1 where they are of another form */
function countPositions(
  bytes: Uint8Array,
  from: number,
  end: number,
  columns: number,
  { counts, size }: OccurrenceList,
): number {
  let column = 0;
  let before = 0;
  let counted = 0;
  let at = from;
  while (at < end) {
    const byte = bytes[at++] as number;
    if (byte === COLUMN) {
      (counts[column] as Uint32Array)[size] = counted - before;
      before = counted;
      column = bytes[at++] ?? counts.length;
      if (column >= counts.length) return -1;
      if (column >= columns) return counted;
    } else {
      counted++;
      if (byte >= 0x80) while ((bytes[at++] as number) >= 0x80);
    }
  }
  (counts[column] as Uint32Array)[size] = counted - before;
  return at === end ? counted : -1;
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
