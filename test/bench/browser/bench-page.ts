import { deleteStore, openStore, type IngestReport, type Store, type StoreStats } from "lodestore/browser";

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
  insertBare(name) {
    const worker = new Worker(new URL("./bare-worker.ts", import.meta.url), { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<{ insertMs: number; rows: number } | { error: string }>) => {
        worker.terminate();
        if ("error" in event.data) reject(new Error(event.data.error));
        else resolve(event.data);
      };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(name);
    });
  },
  type(name, queries) {
    return withStore(name, async (store) => {
      const times: number[] = [];
      for (const query of queries) {
        const characters = [...query];
        for (let length = 1; length <= characters.length; length++) {
          const text = characters.slice(0, length).join("");
          const start = performance.now();
          await store.search({ text, prefixLast: true });
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
    const { hits } = await store.search({ text: query });
    const firstHitMs = performance.now() - start;
    await store.close();
    return { openMs, firstHitMs, hits: hits.length };
  },
  remove: (name) => deleteStore({ name }),
};

Object.assign(window, { bench: page });
