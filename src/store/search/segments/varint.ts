/** Reads SQLite's variable-length integers one after the other: seven bits a byte, the highest first.
 *  Those below 2^53 only; a ninth byte, which holds eight bits, does not come in them.
 *  @see https://www.sqlite.org/fileformat2.html#varint */
export function varintsOf(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = 128 * value + (byte & 0x7f);
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
  }
  return values;
}
