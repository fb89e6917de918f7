import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EvalAggregates } from "../../src/contracts/evaluations.ts";
import type { Store } from "../../src/contracts/store.ts";
import { createHashingEmbedder, openStore } from "../../src/node.ts";
import { type Collection, collectionFiles, collectionSuite, readCollections } from "./collection.ts";
import { measureHybridInChromium } from "./hybrid-chromium.ts";
import type { BenchContext } from "./report.ts";

/**
 * Ranking quality of words, vectors and both, on every collection: with the hashing embedder, and with LSI vectors where there are some;
 * then its speed in Chromium.
 */
export async function run(context: BenchContext): Promise<void> {
  for (const [name, collection] of readCollections(context.dataDir, context.progress)) {
    await withStore(collection, true, (opened) => measure(context, name, collection, opened, "hashing"));
    const lsi = readLsi(join(context.dataDir, "vectors", "lsi", name));
    if (lsi === undefined) continue;
    await withStore(collection, false, async (opened) => {
      await putVectors(opened, lsi.documents);
      await measure(context, name, collection, opened, "lsi", lsi.queries);
    });
  }
  await measureHybridInChromium(context);
}

interface Opened {
  store: Store;
  /** Id of the entry at each path. */
  idOf: Map<string, string>;
}

async function withStore(
  collection: Collection,
  hashing: boolean,
  use: (opened: Opened) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await openStore({ dir, ...(hashing ? { embedder: createHashingEmbedder() } : {}) });
    const { files, idOf } = collectionFiles(collection);
    await store.ingest(files, { embed: hashing ? "wait" : "off" });
    await use({ store, idOf });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  context: BenchContext,
  name: string,
  collection: Collection,
  { store, idOf }: Opened,
  vectors: "hashing" | "lsi",
  queryVectors?: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const dataset = `${name}: ${collection.corpus.length} documents, ${collection.queries.length} queries`;
  context.progress(`suite hybrid: ${dataset}, ${vectors}`);
  const caseName = `${name.replace(/-dev$/u, "")}, ${vectors}`;
  const suite = collectionSuite(name, collection, idOf);
  // A query without a single known word has no direction: words alone answer it, or nothing does.
  const usable = [...(queryVectors ?? [])].filter(([, vector]) => vector.some((value) => value !== 0));
  const options = queryVectors === undefined ? {} : { vectors: Object.fromEntries(usable) };
  let lexical = 0;
  for (const mode of ["lexical", "vector", "hybrid"] as const) {
    const { aggregates } = await store.evaluations.run(suite, { k: 10, ...options, search: { mode } });
    const { metrics, latency } = aggregates as EvalAggregates;
    const value = metrics?.ndcg ?? 0;
    if (mode === "lexical") lexical = value;
    const figure = { suite: "hybrid", case: caseName, dataset };
    const beside = { baseline: lexical, ratio: value / lexical };
    context.report({ ...figure, metric: `ndcg@10 ${mode}`, value, unit: "", ...beside });
    context.report({ ...figure, metric: `p50 ${mode}`, value: latency.p50, unit: "ms" });
  }
}

/** Vectors by document and query id, where the folder has them. */
function readLsi(
  folder: string,
): { documents: Map<string, Float32Array>; queries: Map<string, Float32Array> } | undefined {
  if (!existsSync(folder)) return undefined;
  const read = (kind: string): Map<string, Float32Array> => {
    const ids = readFileSync(join(folder, `${kind}_ids.txt`), "utf8")
      .trim()
      .split(/\r?\n/u);
    const rows = readFvecs(join(folder, `${kind}.fvecs`));
    return new Map(ids.map((id, i) => [id, rows[i] as Float32Array]));
  };
  return { documents: read("base"), queries: read("query") };
}

/** Rows of little-endian int32 dimension and that many float32. */
export function readFvecs(path: string): Float32Array[] {
  const bytes = readFileSync(path);
  const rows: Float32Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const dimensions = bytes.readInt32LE(at);
    rows.push(Float32Array.from({ length: dimensions }, (_, i) => bytes.readFloatLE(at + 4 + 4 * i)));
    at += 4 + 4 * dimensions;
  }
  return rows;
}

/** Gives every chunk of a document the document's vector. A document of zeros has none. */
async function putVectors({ store, idOf }: Opened, vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
  const [first] = vectors.values();
  const dimensions = first?.length ?? 0;
  for (const [path, id] of idOf) {
    const vector = vectors.get(id);
    const document = await store.documents.getDocumentByWorkspacePath(path);
    if (vector === undefined || document === undefined || vector.every((value) => value === 0)) continue;
    const chunks = await store.documents.getChunksOf(document.id);
    await store.embeddings.put(
      { modelId: "lsi", modelVersion: "1", dimensions },
      chunks.map((chunk) => ({ chunkId: chunk.id, vector })),
    );
  }
}
