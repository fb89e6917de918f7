import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VectorSet } from "./clustered.ts";
import { exactNeighbours, K } from "./truth.ts";

const FOLDER = new URL("../../../.cache/bench/", import.meta.url).pathname;

/** The true neighbours, kept in `.cache`: they take minutes. */
export function cachedTruth(set: VectorSet): Uint32Array[] {
  const file = join(FOLDER, `${set.name.replaceAll(/[^a-z0-9]+/gu, "-")}-${set.queryCount}.u32`);
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    const ids = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return Array.from({ length: set.queryCount }, (_, q) => ids.slice(q * K, (q + 1) * K));
  }
  const truth = exactNeighbours(set);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, new Uint8Array(Uint32Array.from(truth.flatMap((row) => [...row])).buffer));
  return truth;
}
