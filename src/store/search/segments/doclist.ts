import type { ChunkLengths } from "../chunk-lengths.ts";
import { firstFrom } from "../first-from.ts";
import type { OccurrenceList } from "../occurrences.ts";
import type { DoclistFragment } from "./leaf-reader.ts";
import { UnknownForm } from "./unknown-form.ts";

/** Stands before the number of a column, among positions that are two and more. */
const COLUMN = 1;
/** Columns of the index: heading, text, forms. */
export const COLUMNS: number = 3;

/** What the rows of a doclist are counted by. */
export interface DoclistCount {
  lengths: ChunkLengths;
  /** Only the first so many columns are counted; rows that have nothing in them are left out. */
  columns: number;
  /** Takes the rows. */
  into: OccurrenceList;
}

/**
 * Counts the occurrences that a doclist holds: rows, each a rowid less the one before, twice the size of its positions in bytes (the
 * lowest bit says that it was deleted, which this kind of index says otherwise), and the positions, column by column.
 *
 * @param deleted Rowids to be left out, ascending.
 * @throws UnknownForm when some rows may have been taken
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "doclist format"
 */
export function countDoclist(
  fragments: readonly DoclistFragment[],
  deleted: Uint32Array,
  { lengths, columns, into }: DoclistCount,
): void {
  const { bytes, absolutes } = joined(fragments);
  const counts = new Uint32Array(COLUMNS);
  let rowid = 0;
  let place = 0;
  let tombstone = 0;
  let absolute = 0;
  for (let at = 0; at < bytes.length;) {
    let value = 0;
    const start = at;
    while ((bytes[at] as number) >= 0x80) value = 128 * (value + (bytes[at++] as number) - 0x80);
    value += bytes[at++] as number;
    const before = rowid;
    while (absolute < absolutes.length && (absolutes[absolute] as number) < start) absolute++;
    rowid = absolutes[absolute] === start ? value : rowid + value;
    if (rowid <= before || at > bytes.length) throw new UnknownForm("a doclist");
    value = 0;
    while ((bytes[at] as number) >= 0x80) value = 128 * (value + (bytes[at++] as number) - 0x80);
    value += bytes[at++] as number;
    const from = at;
    at += value / 2;
    if (value % 2 !== 0 || !(at > from && at <= bytes.length)) throw new UnknownForm("a doclist");
    tombstone = deleted.length === 0 ? 0 : firstFrom(deleted, deleted.length, tombstone, rowid);
    if (deleted[tombstone] === rowid) continue;
    place = lengths.placeFrom(place, rowid);
    // One that came after the lengths were read has no place.
    if (place === lengths.size || lengths.keyAt(place) !== rowid) continue;
    counts.fill(0);
    if (countPositions(bytes, from, at, columns, counts)) into.add(place, counts);
  }
}

/** Counts the positions between two offsets by column. @returns whether there are any */
function countPositions(bytes: Uint8Array, from: number, end: number, columns: number, counts: Uint32Array): boolean {
  let column = 0;
  let before = 0;
  let counted = 0;
  let at = from;
  while (at < end) {
    const byte = bytes[at++] as number;
    if (byte === COLUMN) {
      counts[column] = counted - before;
      before = counted;
      column = bytes[at++] ?? COLUMNS;
      if (column >= COLUMNS) throw new UnknownForm("a doclist");
      if (column >= columns) return counted > 0;
    } else {
      counted++;
      if (byte >= 0x80) while ((bytes[at++] as number) >= 0x80);
    }
  }
  if (at !== end) throw new UnknownForm("a doclist");
  counts[column] = counted - before;
  return counted > 0;
}

/** Puts fragments together. @returns with them the offsets at which a rowid is absolute */
function joined(fragments: readonly DoclistFragment[]): { bytes: Uint8Array; absolutes: number[] } {
  const absolutes: number[] = [];
  let length = 0;
  for (const { bytes, firstRowid } of fragments) {
    if (firstRowid >= 0) absolutes.push(length + firstRowid);
    length += bytes.length;
  }
  const [only] = fragments;
  if (only !== undefined && fragments.length === 1) return { bytes: only.bytes, absolutes };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const fragment of fragments) {
    bytes.set(fragment.bytes, at);
    at += fragment.bytes.length;
  }
  return { bytes, absolutes };
}
