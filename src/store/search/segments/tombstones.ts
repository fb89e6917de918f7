import { UnknownForm } from "./unknown-form.ts";

/** Bytes before the slots of a record. */
const HEADER = 8;
/** Bytes of a slot, which the first byte of the record says: wider ones come with rowids that chunks do not have. */
const SLOT = 4;

/** Takes records of deleted rows apart: hash tables in whose empty slots stands zero.
 *  @returns the rowids, ascending.
 *  @throws UnknownForm
 *  @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "Tombstone Hash Page" */
export function decodeTombstones(records: readonly Uint8Array[]): Uint32Array {
  const rowids: number[] = [];
  for (const record of records) {
    const slots = (record.byteLength - HEADER) / SLOT;
    if (record[0] !== SLOT || !Number.isInteger(slots)) throw new UnknownForm("a record of deleted rows");
    const view = new DataView(record.buffer, record.byteOffset + HEADER, slots * SLOT);
    for (let at = 0; at < view.byteLength; at += SLOT) {
      const rowid = view.getUint32(at);
      if (rowid !== 0) rowids.push(rowid);
    }
  }
  return Uint32Array.from(rowids).sort();
}
