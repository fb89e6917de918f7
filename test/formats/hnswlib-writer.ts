/** An element of an hnswlib index. */
export interface HnswlibElement {
  label: bigint;
  vector: readonly number[];
  deleted?: boolean;
  /** Links per level, level 0 first. */
  links: readonly (readonly number[])[];
}

/** What an index file says; what is left out follows from the elements. */
export interface HnswlibFile {
  elements: readonly HnswlibElement[];
  dimensions: number;
  m: number;
  /** Bytes of a `size_t`. */
  wordBytes?: 4 | 8;
  efConstruction?: number;
  maxElements?: number;
  entryPoint?: number;
}

/** Returns the bytes that hnswlib's `saveIndex` would write. */
export function writeHnswlib(file: HnswlibFile): Uint8Array {
  const { elements, dimensions, m, wordBytes = 8 } = file;
  const levels = elements.map(({ links }) => links.length - 1);
  const maxLevel = Math.max(-1, ...levels);
  const vectorOffset = 4 + 4 * 2 * m;
  const labelOffset = vectorOffset + 4 * dimensions;
  const bytes: number[] = [];
  const put = (size: number, write: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(size));
    write(view);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const u32 = (value: number): void => put(4, (view) => view.setUint32(0, value, true));
  const word = (value: number | bigint): void => {
    if (wordBytes === 8) put(8, (view) => view.setBigUint64(0, BigInt(value), true));
    else u32(Number(value));
  };
  const linkList = (links: readonly number[], room: number, flags: number): void => {
    u32(links.length | flags);
    for (let i = 0; i < room; i++) u32(links[i] ?? 0);
  };
  word(0);
  word(file.maxElements ?? elements.length + 1);
  word(elements.length);
  word(labelOffset + wordBytes);
  word(labelOffset);
  word(vectorOffset);
  u32(maxLevel);
  u32(file.entryPoint ?? (elements.length === 0 ? -1 : levels.indexOf(maxLevel)));
  word(m);
  word(2 * m);
  word(m);
  put(8, (view) => view.setFloat64(0, 1 / Math.log(m), true));
  word(file.efConstruction ?? 200);
  for (const { label, vector, deleted, links } of elements) {
    linkList(links[0] ?? [], 2 * m, deleted ? 1 << 16 : 0);
    for (const value of vector) put(4, (view) => view.setFloat32(0, value, true));
    word(label);
  }
  for (const { links } of elements) {
    u32((links.length - 1) * (4 + 4 * m));
    for (const level of links.slice(1)) linkList(level, m, 0);
  }
  return Uint8Array.from(bytes);
}
