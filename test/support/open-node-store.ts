import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";
import { openStore, type OpenNodeStoreOptions, type Store } from "../../src/node.ts";

/** A folder that is gone after the test. */
export function storeFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "lodestore-node-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Opens a store on Node, with its index in memory unless another engine is named, that is closed after the test, in a folder of its own unless one is given. */
export async function openNodeStore(options: Partial<OpenNodeStoreOptions> = {}): Promise<Store> {
  const store = await openStore({ dir: options.dir ?? storeFolder(), embedOnOpen: false, vectors: "hnsw", ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Notes by path: each has a word of its own and one that all have. */
export function notes(count: number, word = "kiln"): { path: string; content: string }[] {
  return Array.from({ length: count }, (_, n) => ({
    path: `n${n}.md`,
    content: `# Note ${n}\n\nThe ${word} of number${n} burns.\n`,
  }));
}

/** Collects the threads that are started while `work` runs, by their roles. */
export async function threadsOf<T>(work: () => Promise<T>): Promise<{ result: T; threads: Worker[] }> {
  const threads: Worker[] = [];
  const onWorker = (worker: Worker): void => void threads.push(worker);
  process.on("worker", onWorker);
  try {
    return { result: await work(), threads };
  } finally {
    process.off("worker", onWorker);
  }
}
