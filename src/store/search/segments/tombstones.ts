/** Bytes before the slots of a record. */
const HEADER = 8;

/** Takes records of deleted rows apart: hash tables in whose empty slots stands zero.
 *  @returns the rowids, ascending; `undefined` where a record is not of the form that is known here.
 *  @see https://sqlite.org/src/file/ext/fts5/fts5_index.c "Tombstone Hash Page" */
export function decodeTombstones(records: readonly Uint8Array[]): Float64Array | undefined {
  const rowids: number[] = [];
  for (const record of records) {
    const width = record[0];
    if ((width !== 4 && width !== 8) || (record.byteLength - HEADER) % width !== 0) return undefined;
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    for (let at = HEADER; at < record.byteLength; at += width) {
      const rowid = width === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
      if (rowid !== 0) rowids.push(rowid);
    }
  }
  return Float64Array.from(rowids).sort();
}
