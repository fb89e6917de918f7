import { UnknownForm } from "./unknown-form.ts";

/** The part of a doclist that is on one leaf. */
export interface DoclistFragment {
  bytes: Uint8Array;
  /** Offset in `bytes` of the first rowid, which is absolute there and not a difference; -1 where none begins. */
  firstRowid: number;
}

/** Bytes before the terms of a leaf. */
const HEADER = 4;

/**
 * Finds terms on the leaves of a segment, which are given to it one after the other, and cuts out their doclists.
 *
 * A leaf is: offset of the first rowid that stands before any term, offset of its footer (16 bits each); the rest of a doclist that began
 * before; terms, each with its doclist; in the footer the offsets of the terms, each less the one before. The first term of a leaf is
 * whole, the others leave out what they have in common with the one before.
 *
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "Segment leaves"
 */
export class LeafReader {
  readonly doclists: DoclistFragment[][] = [];
  readonly #wanted: Uint8Array;
  readonly #prefix: boolean;
  /** The doclist that goes on with the next leaf. */
  #open: DoclistFragment[] | undefined;

  /** @param wanted A term as it is filed.
   *  @param prefix Whether all terms that begin so are wanted. */
  constructor(wanted: Uint8Array, prefix: boolean) {
    this.#wanted = wanted;
    this.#prefix = prefix;
  }

  /** Takes the next leaf.
   *  @returns whether the one after it may hold more.
   *  @throws UnknownForm */
  take(leaf: Uint8Array): boolean {
    const footer = uint16At(leaf, 2);
    if (leaf.byteLength < HEADER || footer < HEADER || footer > leaf.byteLength) throw new UnknownForm("a leaf");
    const offsets = termOffsets(leaf, footer);
    if (this.#open !== undefined) {
      const end = offsets[0] ?? footer;
      const first = uint16At(leaf, 0);
      if (first >= end) throw new UnknownForm("a leaf");
      this.#open.push({ bytes: leaf.subarray(HEADER, end), firstRowid: first === 0 ? -1 : first - HEADER });
      if (offsets.length === 0) return true;
      this.#open = undefined;
    }
    return this.#findTerms(leaf, offsets, footer);
  }

  #findTerms(leaf: Uint8Array, offsets: readonly number[], footer: number): boolean {
    const wanted = this.#wanted;
    // How many bytes the term has in common with the wanted one, and whether it comes before it.
    let common = 0;
    let before = true;
    for (const [index, offset] of offsets.entries()) {
      const end = offsets[index + 1] ?? footer;
      const [kept, afterKept] = index === 0 ? [0, offset] : varintAt(leaf, offset);
      const [length, from] = varintAt(leaf, afterKept);
      const to = from + length;
      if (to > end) throw new UnknownForm("a term");
      // A term that keeps more than they have in common stands on the same side of the wanted one.
      if (kept <= common) {
        common = kept;
        let at = from;
        for (; common < wanted.length && at < to && leaf[at] === wanted[common]; at++) common++;
        before = common < wanted.length && (at >= to || (leaf[at] as number) < (wanted[common] as number));
      }
      const matches = common === wanted.length && (this.#prefix || kept + length === wanted.length);
      if (matches) {
        const list = [{ bytes: leaf.subarray(to, end), firstRowid: 0 }];
        this.doclists.push(list);
        if (end === footer) this.#open = list;
        else if (!this.#prefix) return false;
      } else if (!before) return false;
    }
    return this.#open !== undefined || this.#prefix;
  }
}

function uint16At(bytes: Uint8Array, at: number): number {
  return 256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0);
}

/** Reads one variable-length integer of at most five bytes. @returns it and the offset behind it */
function varintAt(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  for (let at = from; at < from + 5; at++) {
    const byte = bytes[at] ?? 0;
    value = 128 * value + (byte & 0x7f);
    if (byte < 0x80) return [value, at + 1];
  }
  throw new UnknownForm("a number on a leaf");
}

/** Returns where the terms of a leaf stand. */
function termOffsets(leaf: Uint8Array, footer: number): number[] {
  const offsets: number[] = [];
  let last = 0;
  for (let at = footer; at < leaf.byteLength;) {
    const [difference, next] = varintAt(leaf, at);
    last += difference;
    const isAfter = offsets.length === 0 ? last >= HEADER : difference > 0;
    if (!isAfter || last >= footer) throw new UnknownForm("the footer of a leaf");
    offsets.push(last);
    at = next;
  }
  return offsets;
}
