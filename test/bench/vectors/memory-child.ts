import { readFileSync } from "node:fs";
import { clusteredSet } from "./clustered.ts";
import type { Engine } from "./engine.ts";
import { nodePeers } from "./node-peers.ts";
import { LodestoreEngine } from "./our-engine.ts";
import type { ProcessMemory } from "./process-memory.ts";
import { K } from "./truth.ts";

/** Run by process-memory.ts: one engine, one size, one line of JSON. */
const [name = "", size = "0"] = process.argv.slice(2);
const engine = await load(name);
if (engine !== undefined) {
  const set = clusteredSet(Number(size), 100);
  const before = settledBytes();
  await engine.build(set);
  engine.setEf(32);
  for (let q = 0; q < set.queryCount; q++) await engine.search(q, K);
  const result: ProcessMemory = { bytesPerVector: (settledBytes() - before) / set.count };
  process.stdout.write(`\n${JSON.stringify(result)}\n`);
}
process.exit(0);

async function load(wanted: string): Promise<Engine | undefined> {
  if (!wanted.startsWith("lodestore")) return (await nodePeers(() => undefined, [wanted]))[0];
  const module = new WebAssembly.Module(readFileSync(new URL("../../../wasm/hnsw.wasm", import.meta.url)));
  return new LodestoreEngine(module, wanted === "lodestore, inside");
}

/** The resident set after collecting what is no longer used. */
function settledBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
