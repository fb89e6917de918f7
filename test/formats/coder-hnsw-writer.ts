/** A node of a `coder/hnsw` layer. */
export interface CoderNode {
  key: string;
  vector: readonly number[];
  neighbours: readonly string[];
}

/** What an export says, in the order of its bytes. */
export interface CoderExport {
  version?: number;
  m?: number;
  levelFactor?: number;
  efSearch?: number;
  distance?: string;
  layers: readonly (readonly CoderNode[])[];
}

/** Returns the bytes of an export, also of one that makes no sense. */
export function writeCoderHnsw(graph: CoderExport): Uint8Array {
  const bytes: number[] = [];
  const floats = (value: number, size: 4 | 8): void => {
    const view = new DataView(new ArrayBuffer(size));
    if (size === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const varint = (value: number): void => void bytes.push(...zigzag(BigInt(value)));
  const text = (value: string): void => {
    const utf8 = new TextEncoder().encode(value);
    varint(utf8.length);
    bytes.push(...utf8);
  };
  varint(graph.version ?? 1);
  varint(graph.m ?? 16);
  floats(graph.levelFactor ?? 0.25, 8);
  varint(graph.efSearch ?? 20);
  text(graph.distance ?? "cosine");
  varint(graph.layers.length);
  for (const layer of graph.layers) {
    varint(layer.length);
    for (const { key, vector, neighbours } of layer) {
      text(key);
      varint(vector.length);
      for (const value of vector) floats(value, 4);
      varint(neighbours.length);
      for (const neighbour of neighbours) text(neighbour);
    }
  }
  return Uint8Array.from(bytes);
}

/** Returns a 64-bit integer as zigzag LEB128. */
export function zigzag(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
