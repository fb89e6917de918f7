import { createReadStream, createWriteStream, openAsBlob } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Worker } from "node:worker_threads";
import { openStore, type Store } from "../../../src/node.ts";
import { datasetName, readAstroDocs } from "../astro-docs.ts";
import { type BenchContext, median } from "../report.ts";
import { mulberry32 } from "../vectors/clustered.ts";
import { type SeenLoop, watchLoop } from "./loop-watch.ts";

const ROUNDS = 2;
const READERS = 1;
const VECTORS = 10_000;
const DIMENSIONS = 384;
const MOST_DIMENSIONS = 4096;
/** Vectors of the most dimensions. */
const MANY_DIMENSIONS = 2000;
const MOST_HITS = 1000;
/** Just below the limit of a file, which is 16 MiB. */
const BIG_BYTES = 16 * 2 ** 20 - 64;
const BASELINE_MS = 3000;
/** A turn before and after the call, so that what it does first and last is seen. */
const AROUND_MS = 20;
const BIG_PATH = "big/text.txt";

/** One call that carries much. */
interface BigCall {
  name: string;
  run(store: Store, round: number): Promise<unknown>;
}

/** The longest stretch of the caller's event loop that each of the calls takes that carry much, beside what the machine does to a loop
 *  with nothing to do while as many threads compute. */
export async function run(context: BenchContext): Promise<void> {
  const files = await readAstroDocs(context, "node");
  if (files === undefined) return;
  const dataset = datasetName(files);
  const idle: SeenLoop[] = [];
  for (let round = 0; round < ROUNDS; round++) idle.push(await besideBusyThreads(READERS + 1));
  tell(context, `nothing, beside ${READERS + 1} busy threads`, dataset, idle);
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await openStore({ dir: join(dir, "store"), readers: READERS, vectors: "hnsw" });
    context.progress("suite node: a store for the big calls");
    await store.ingest(files.map((file) => ({ path: file.path, content: file.text })));
    const chunkIds = await someChunks(store);
    for (const call of await bigCalls(dir, chunkIds)) {
      context.progress(`suite node: ${call.name}`);
      const seen: SeenLoop[] = [];
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        seen.push(await watched(() => call.run(store, round)));
        took.push(performance.now() - start - 2 * AROUND_MS);
      }
      tell(context, call.name, dataset, seen, took);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function bigCalls(dir: string, chunkIds: readonly string[]): Promise<BigCall[]> {
  const text = bigText("wörd");
  const wide = bigText("窯");
  const bytes = new TextEncoder().encode(text);
  const file = join(dir, "text.txt");
  const archive = join(dir, "store.tar");
  await writeFile(file, bytes);
  // Made by the caller: what it takes is none of the store's.
  const blobs = { inMemory: new Blob([bytes]), ofFile: await openAsBlob(file) };
  const take = (store: Store, round: number, content: string | Uint8Array | Blob): Promise<unknown> =>
    store.ingest([{ path: `${BIG_PATH}-${round}`, content }], { embed: "off" });
  const drop = async (store: Store, round: number): Promise<void> => {
    const document = await store.documents.getDocumentByWorkspacePath(`${BIG_PATH}-${round}`);
    if (document !== undefined) await store.documents.deleteDocument(document.id);
  };
  const ingestOf = (name: string, content: string | Uint8Array | Blob): BigCall => ({
    name: `ingest of 16 MiB as ${name}`,
    run: async (store, round) => {
      await take(store, round, content);
      await drop(store, round);
    },
  });
  return [
    ...[DIMENSIONS, MOST_DIMENSIONS].map((dimensions): BigCall => {
      const vectors = vectorsOf(chunkIds, dimensions);
      const generation = { modelId: `bench-${dimensions}`, dimensions };
      return {
        name: `put of ${vectors.length} vectors of ${dimensions}`,
        run: (store, round) => store.embeddings.put({ ...generation, modelVersion: String(round) }, vectors),
      };
    }),
    ingestOf("a string", text),
    ingestOf("a string of two bytes a character", wide),
    ingestOf("bytes", bytes),
    ingestOf("a Blob", blobs.inMemory),
    ingestOf("a Blob of a file", blobs.ofFile),
    {
      name: `search with k ${MOST_HITS}`,
      run: async (store) => {
        const { hits } = await store.search({
          text: "astro component",
          k: MOST_HITS,
          snippetLength: 2000,
          fresh: true,
        });
        if (hits.length < MOST_HITS) throw new Error(`${hits.length} hits`);
      },
    },
    {
      name: "getAssetBytes of 16 MiB",
      run: async (store) => {
        const { id } = await store.documents.putAssetWithBytes({ bytes, mediaType: "text/plain" });
        const read = await store.documents.getAssetBytes(id);
        if (read.byteLength !== bytes.byteLength) throw new Error("other bytes");
      },
    },
    {
      name: "export to a file",
      run: (store) => pipeline(store.export(), createWriteStream(archive)),
    },
    {
      name: "export, drained",
      run: async (store) => {
        for await (const _ of store.export()) {
          // Nothing is done with it: what is left is what handing it out takes.
        }
      },
    },
    { name: "import of a file as a stream", run: (_, round) => into(dir, round, () => createReadStream(archive)) },
    { name: "import of a file as a Blob", run: (_, round) => into(dir, round, () => openAsBlob(archive)) },
  ];
}

async function into(dir: string, round: number, open: () => AsyncIterable<Uint8Array> | Promise<Blob>): Promise<void> {
  const target = join(dir, `import-${round}`);
  {
    await using store = await openStore({ dir: target, readers: READERS, vectors: "hnsw" });
    await store.import(await open());
  }
  await rm(target, { recursive: true });
}

async function watched(work: () => Promise<unknown>): Promise<SeenLoop> {
  const stop = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, AROUND_MS));
  await work();
  await new Promise((resolve) => setTimeout(resolve, AROUND_MS));
  return stop();
}

async function besideBusyThreads(count: number): Promise<SeenLoop> {
  const busy = Array.from({ length: count }, () => new Worker("for (;;);", { eval: true }));
  const seen = await watched(() => new Promise((resolve) => setTimeout(resolve, BASELINE_MS)));
  await Promise.all(busy.map((thread) => thread.terminate()));
  return seen;
}

async function someChunks(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for (const path of await store.documents.allWorkspacePaths()) {
    const document = await store.documents.getDocumentByWorkspacePath(path);
    if (document !== undefined) ids.push(...(await store.documents.getChunksOf(document.id)).map(({ id }) => id));
    if (ids.length >= VECTORS) break;
  }
  return ids.slice(0, VECTORS);
}

/** Views of one buffer; fewer of the most dimensions, for what they take on disk. */
function vectorsOf(chunkIds: readonly string[], dimensions: number): { chunkId: string; vector: Float32Array }[] {
  const random = mulberry32(dimensions);
  const count = dimensions === DIMENSIONS ? chunkIds.length : Math.min(chunkIds.length, MANY_DIMENSIONS);
  const all = new Float32Array(count * dimensions).map(() => random() - 0.5);
  return chunkIds.slice(0, count).map((chunkId, at) => ({
    chunkId,
    vector: all.subarray(at * dimensions, (at + 1) * dimensions),
  }));
}

/** Lines of words, each of its own; some letters take more than a byte. */
function bigText(beginning: string): string {
  const random = mulberry32(5);
  const lines: string[] = [];
  for (let size = 0; ;) {
    const words = Array.from({ length: 10 }, () => `${beginning}${Math.floor(random() * 50_000)}`);
    const line = `${words.join(" ")}\n\n`;
    size += Buffer.byteLength(line);
    if (size > BIG_BYTES) return lines.join("");
    lines.push(line);
  }
}

function tell(
  context: BenchContext,
  name: string,
  dataset: string,
  seen: readonly SeenLoop[],
  took: readonly number[] = [],
): void {
  const row = (metric: string, values: readonly number[], of = Math.max): void =>
    context.report({ suite: "node", case: name, dataset, metric, value: of(...values), unit: "ms" });
  if (took.length > 0) row("whole call", took, (...all) => median(all));
  row(
    "own time in a turn max",
    seen.map(({ turn }) => turn.max),
  );
  row(
    "event-loop delay max",
    seen.map(({ delay }) => delay.max),
  );
}
