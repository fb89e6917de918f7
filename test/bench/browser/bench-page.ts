import { deleteStore, openStore, type IngestReport, type Store, type StoreStats } from "lodestore/browser";

import type { CacheTask } from "./cache-worker.ts";
import type { StreamTimes } from "../zipf-stream.ts";
import type { ChatTask, ChatTimes } from "./chat-worker.ts";
import type { VectorsResult, VectorsTask } from "./vectors-worker.ts";

/** What a benchmark calls in the page. Everything it passes and returns is JSON. */
export interface BenchPage {
  /** Takes the data in, then rebuilds the text index to see what it costs. */
  ingest(name: string): Promise<{ report: IngestReport; stats: StoreStats; rebuildMs: number }>;
  /** Inserts the rows of the store in one transaction by a bare sqlite-wasm program. */
  insertBare(name: string): Promise<{ insertMs: number; rows: number }>;
  /** Round trips of searches, one a keystroke. */
  type(name: string, queries: string[]): Promise<number[]>;
  /** Round trips of single-document ingests and of the smallest durable write. */
  append(name: string, count: number): Promise<{ ingestMs: number[]; putMs: number[] }>;
  coldOpen(name: string, query: string): Promise<{ openMs: number; firstHitMs: number; hits: number }>;
  remove(name: string): Promise<void>;
  /** Backs a store up, and restores it into another one. */
  move(name: string, rounds: number): Promise<{ exportMs: number; importMs: number; bytes: number }[]>;
  /** Appends turns to a store in a worker, and searches over them. */
  chat(task: ChatTask): Promise<ChatTimes>;
  /** Searches that repeat. */
  cache(task: CacheTask): Promise<StreamTimes>;
  /** Compares vector indexes in a worker. */
  vectors(task: VectorsTask): Promise<VectorsResult>;
  /** Takes the data in with the built-in embedder and waits until everything is embedded and indexed. */
  fillHybrid(name: string): Promise<{ chunks: number; ingestMs: number; embedMs: number; searchesMeanwhile: number[] }>;
  /** Round trips of searches in a mode, and of the same once more.
   *  @param settled Once the indexes are whole; else right after opening. */
  searchAll(
    name: string,
    mode: "lexical" | "vector" | "hybrid",
    queries: string[],
    settled: boolean,
  ): Promise<{ first: number[]; again: number[] }>;
  /** Opens the store without its snapshots, and waits until the indexes are whole again. */
  rebuildIndex(name: string): Promise<{ firstHitMs: number; rebuildMs: number }>;
  /** Opens the store and searches by meaning. */
  openToVectorHit(name: string, query: string): Promise<{ openMs: number; hitMs: number; report: string }>;
}

interface Doc {
  path: string;
  text: string;
}

async function docs(): Promise<Doc[]> {
  const response = await fetch("/bench-data.json");
  return (await response.json()) as Doc[];
}

async function withStore<T>(name: string, body: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ name });
  try {
    return await body(store);
  } finally {
    await store.close();
  }
}

const page: BenchPage = {
  async ingest(name) {
    const all = await docs();
    const encoder = new TextEncoder();
    const files = all.map((doc) => ({ path: doc.path, content: encoder.encode(doc.text) }));
    return withStore(name, async (store) => {
      const report = await store.ingest(files, { total: files.length });
      const stats = await store.stats();
      const start = performance.now();
      await store.documents.rebuildChunksFts();
      return { report, stats, rebuildMs: performance.now() - start };
    });
  },
  cache: (task) => asked(new Worker(new URL("./cache-worker.ts", import.meta.url), { type: "module" }), task),
  chat: (task) => asked(new Worker(new URL("./chat-worker.ts", import.meta.url), { type: "module" }), task),
  insertBare(name) {
    return asked(new Worker(new URL("./bare-worker.ts", import.meta.url), { type: "module" }), name);
  },
  async move(name, rounds) {
    const source = await openStore(hybridStore(name));
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      let start = performance.now();
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of source.export()) pieces.push(new Uint8Array(piece));
      const archive = new Blob(pieces.splice(0));
      const exportMs = performance.now() - start;
      const target = await openStore(hybridStore(`${name}-copy`));
      start = performance.now();
      await target.import(archive);
      runs.push({ exportMs, importMs: performance.now() - start, bytes: archive.size });
      await target.close();
      await deleteStore({ name: `${name}-copy` });
    }
    await source.close();
    return runs;
  },
  vectors(task) {
    return asked(new Worker(new URL("./vectors-worker.ts", import.meta.url), { type: "module" }), task);
  },
  async fillHybrid(name) {
    const all = await docs();
    const files = all.map((doc) => ({ path: doc.path, content: doc.text }));
    const store = await openStore(hybridStore(name));
    let start = performance.now();
    await store.ingest(files, { total: files.length, embed: "off" });
    const ingestMs = performance.now() - start;
    start = performance.now();
    const state = { running: true };
    const run = store.embeddings.run().finally(() => {
      state.running = false;
    });
    const searchesMeanwhile: number[] = [];
    while (state.running) {
      const asked = performance.now();
      await store.search({
        text: `install configuration ${searchesMeanwhile.length % 50}`,
        mode: "hybrid",
        fresh: true,
      });
      searchesMeanwhile.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await run;
    const embedMs = performance.now() - start;
    const { chunks } = await store.stats();
    await store.close();
    return { chunks, ingestMs, embedMs, searchesMeanwhile };
  },
  async searchAll(name, mode, queries, settled) {
    const store = await openStore(hybridStore(name));
    for (const text of queries.slice(0, 5)) await store.search({ text, mode, fresh: true });
    if (settled) await store.embeddings.flush();
    const passes: number[][] = [];
    for (let pass = 0; pass < 2; pass++) {
      const times: number[] = [];
      for (const text of queries) {
        const start = performance.now();
        await store.search({ text, mode, fresh: true });
        times.push(performance.now() - start);
      }
      passes.push(times);
    }
    await store.close();
    return { first: passes[0] ?? [], again: passes[1] ?? [] };
  },
  async openToVectorHit(name, query) {
    const start = performance.now();
    const store = await openStore(hybridStore(name));
    const openMs = performance.now() - start;
    const { hits } = await store.search({ text: query, mode: "vector", fresh: true });
    const hitMs = performance.now() - start;
    if (hits.length === 0) throw new Error("nothing was found");
    const report = JSON.stringify(await store.embeddings.openReports());
    await store.close();
    return { openMs, hitMs, report };
  },
  async rebuildIndex(name) {
    const stores = await (await navigator.storage.getDirectory()).getDirectoryHandle(".lodestore");
    await (await stores.getDirectoryHandle(name)).removeEntry("blobs", { recursive: true });
    const start = performance.now();
    const store = await openStore(hybridStore(name));
    await store.search({ text: "install", mode: "vector" });
    const firstHitMs = performance.now() - start;
    for (;;) {
      const indexes = await store.embeddings.indexes();
      if (indexes.every(({ generations }) => generations.every(({ unlinked }) => unlinked === 0))) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const rebuildMs = performance.now() - start;
    await store.close();
    return { firstHitMs, rebuildMs };
  },
  type(name, queries) {
    return withStore(name, async (store) => {
      const times: number[] = [];
      for (const query of queries) {
        const characters = [...query];
        for (let length = 1; length <= characters.length; length++) {
          const text = characters.slice(0, length).join("");
          const start = performance.now();
          await store.search({ text, prefixLast: true, fresh: true });
          times.push(performance.now() - start);
        }
      }
      return times;
    });
  },
  append(name, count) {
    return withStore(name, async (store) => {
      const ingestMs: number[] = [];
      const putMs: number[] = [];
      for (let index = 0; index < count; index++) {
        const content = `# Note ${index}\n\nA short note, number ${index}, written ${Date.now()}.\n`;
        let start = performance.now();
        await store.ingest({ path: `append/${index}.md`, content });
        ingestMs.push(performance.now() - start);
        start = performance.now();
        await store.documents.bumpCorpusRevision();
        putMs.push(performance.now() - start);
      }
      return { ingestMs, putMs };
    });
  },
  async coldOpen(name, query) {
    const start = performance.now();
    const store = await openStore({ name });
    const openMs = performance.now() - start;
    const { hits } = await store.search({ text: query, fresh: true });
    const firstHitMs = performance.now() - start;
    await store.close();
    return { openMs, firstHitMs, hits: hits.length };
  },
  remove: (name) => deleteStore({ name }),
};

function hybridStore(name: string): Parameters<typeof openStore>[0] {
  return { name, embedder: { kind: "hashing" } };
}

/** Posts one message to a worker and returns its one answer. */
function asked<T>(worker: Worker, message: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<T | { error: string }>) => {
      worker.terminate();
      const { data } = event;
      if (typeof data === "object" && data !== null && "error" in data) reject(new Error(data.error));
      else resolve(data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message);
  });
}

Object.assign(globalThis, { bench: page });
