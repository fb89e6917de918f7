import { UnknownForm } from "./unknown-form.ts";
import { varintsOf } from "./varint.ts";

/** A part of the text index: what one commit or one merge wrote, terms in the order of their bytes. */
export interface Segment {
  id: number;
  /** Its leaves, by number. */
  firstLeaf: number;
  lastLeaf: number;
  /** Records that say which of its rows were deleted since. */
  tombstonePages: number;
}

/** What follows the four bytes of the cookie, in indexes that know deletions. */
const FORMAT = [0xff, 0x00, 0x00, 0x01];

/** Segments have ids of 16 bits. */
const MAX_SEGMENT_ID = 0xffff;

/** Takes FTS5's structure record apart.
 *  @returns the segments that hold something, the oldest first.
 *  @throws UnknownForm
 *  @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "Structure Records" */
export function decodeStructure(record: Uint8Array): Segment[] {
  if (FORMAT.some((byte, at) => record[4 + at] !== byte)) throw new UnknownForm("the structure record");
  const values = varintsOf(record.subarray(8));
  let at = 0;
  const next = (): number => values[at++] ?? Number.NaN;
  const [levels, expected] = [next(), next()];
  // The counter of writes.
  next();
  const segments: Segment[] = [];
  let seen = 0;
  for (let level = 0; level < levels && at < values.length; level++) {
    // How many of them are being merged.
    next();
    const found: Segment[] = [];
    for (let left = next(); left > 0 && at < values.length; left--) {
      const [id, firstLeaf, lastLeaf] = [next(), next(), next()];
      // The writes that it came of.
      at += 2;
      const tombstonePages = next();
      // How many of its entries were deleted, and how many there are.
      at += 2;
      seen++;
      // A segment that was merged to its end has no leaves left.
      if (firstLeaf > 0) found.push({ id, firstLeaf, lastLeaf, tombstonePages });
    }
    // What was written later is merged later: the levels begin with the newest.
    segments.unshift(...found);
  }
  const isWhole = at === values.length && seen === expected && segments.every(isSound);
  if (!isWhole) throw new UnknownForm("the structure record");
  return segments;
}

function isSound({ id, firstLeaf, lastLeaf }: Segment): boolean {
  return id > 0 && id <= MAX_SEGMENT_ID && firstLeaf <= lastLeaf;
}
