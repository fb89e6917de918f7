import { clusteredSet } from "../vectors/clustered.ts";
import { type EngineName, openEngine } from "./engine-stores.ts";

/** What a process that opens a store with vectors and searches it measured. */
export interface EngineProcess {
  openMs: number;
  /** The first search. */
  firstMs: number;
  /** Growth of the resident set, after 200 searches. */
  memoryBytes: number;
}

const [name, dir, size] = process.argv.slice(2);
const SEARCHES = 200;
const set = clusteredSet(1000, SEARCHES);
globalThis.gc?.();
const before = process.memoryUsage().rss;
const start = performance.now();
const store = await openEngine(name as EngineName, dir ?? "", set.dimensions);
const openMs = performance.now() - start;
const ask = async (q: number): Promise<void> => {
  const vector = set.queries.subarray(q * set.dimensions, (q + 1) * set.dimensions);
  const { hits } = await store.vectors.search(store.table.indexId, vector, { modelVersion: "1", k: 10 });
  if (hits.length !== 10) throw new Error(`${hits.length} hits among ${size} vectors`);
};
const asked = performance.now();
await ask(0);
const firstMs = performance.now() - asked;
for (let q = 1; q < SEARCHES; q++) await ask(q);
globalThis.gc?.();
const memoryBytes = process.memoryUsage().rss - before;
await store.close();
process.stdout.write(`${JSON.stringify({ openMs, firstMs, memoryBytes } satisfies EngineProcess)}\n`);
