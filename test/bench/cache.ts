import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqlBlobStore } from "../../src/drivers/blobs-sql.ts";
import { createHashingEmbedder } from "../../src/drivers/embed-hashing.ts";
import { openSqlNode } from "../../src/drivers/sql-node.ts";
import { HnswVectorStore } from "../../src/drivers/vectors-hnsw.ts";
import { AllowedChunks } from "../../src/store/allowed-chunks.ts";
import { indexId } from "../../src/store/ids.ts";
import { storeFunctions } from "../../src/store/schema-functions.ts";
import { SearchCache } from "../../src/store/search/search-cache.ts";
import { createStore } from "../../src/store/store.ts";
import { datasetName, type DocFile, readAstroDocs } from "./astro-docs.ts";
import type { BenchPage } from "./browser/bench-page.ts";
import { withChromium } from "./chromium-page.ts";
import { type BenchContext, type Figure, quantile } from "./report.ts";
import { runStream, type StreamTask, type StreamTimes } from "./zipf-stream.ts";

declare global {
  // The benchmark page puts it there.
  var bench: BenchPage;
}

const SEARCHES = 5000;
const EXPONENT = 1;
const WRITE_EVERY = [1000, 500, 100];

/** Searches that repeat as people's do, while documents change: how many are answered from what is kept, and what each costs in the thread
 *  of the store. The queries are the titles of the documents, the documents those in English. */
export async function run(context: BenchContext): Promise<void> {
  const files = (await readAstroDocs(context, "cache"))?.filter(({ path }) => path.startsWith("en/"));
  if (files === undefined) return;
  const queries = titlesOf(files);
  const task = (writeEvery: number, mode: StreamTask["mode"]): StreamTask => ({
    queries,
    searches: SEARCHES,
    exponent: EXPONENT,
    writeEvery,
    writes: files.filter((_, n) => n % 37 === 0).map(({ path, text }) => ({ path, content: text })),
    mode,
  });
  const dataset = (writeEvery: number): string =>
    `${datasetName(files)}, English; ${SEARCHES} searches for ${queries.length} titles, Zipf s = ${EXPONENT}, a document written every ${writeEvery}`;
  await withChromium("[]", async (session) => {
    context.progress("suite cache: chromium");
    const page = await session.freshPage();
    const asked = { name: "cache", files, stream: task(1000, "lexical") };
    const times = await page.evaluate((given) => bench.cache(given), asked);
    const figure = { suite: "cache", case: "chromium-opfs, in the worker, lexical", dataset: dataset(1000) };
    report(context, { ...figure, platform: `chromium ${session.version}` }, times);
    await page.evaluate((name) => bench.remove(name), asked.name);
  });
  for (const writeEvery of WRITE_EVERY) {
    for (const mode of ["lexical", "hybrid"] as const) {
      context.progress(`suite cache: node, ${mode}, a write every ${writeEvery}`);
      const figure = { suite: "cache", case: `node, ${mode}`, dataset: dataset(writeEvery) };
      report(context, figure, await onNode(files, task(writeEvery, mode)));
    }
  }
}

async function onNode(files: readonly DocFile[], task: StreamTask): Promise<StreamTimes> {
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  const db = await openSqlNode({ path: join(dir, "lodestore.db"), functions: storeFunctions });
  const kernel = await WebAssembly.compile(readFileSync(new URL("../../wasm/hnsw.wasm", import.meta.url)));
  const filters = new AllowedChunks(db);
  const searchCache = new SearchCache(db);
  const store = await createStore({
    db,
    blobs: new SqlBlobStore(db),
    filters,
    searchCache,
    vectors: new HnswVectorStore(db, { kernel, allowedChunks: filters.matching, indexId }),
    embedder: createHashingEmbedder(),
    embedOnOpen: false,
  });
  try {
    await store.ingest(
      files.map(({ path, text }) => ({ path, content: text })),
      { embed: task.mode === "lexical" ? "off" : "wait" },
    );
    return await runStream(store, searchCache, task);
  } finally {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function report(
  context: BenchContext,
  figure: Omit<Figure, "metric" | "value" | "unit">,
  { hitUs, missUs, cache }: StreamTimes,
): void {
  const one = (metric: string, value: number, unit: string): void => context.report({ ...figure, metric, value, unit });
  one("hit rate", 100 * cache.hitRate, "%");
  one("hit p50", quantile(hitUs, 0.5), "µs");
  one("hit p99", quantile(hitUs, 0.99), "µs");
  one("hit mean", hitUs.reduce((sum, us) => sum + us, 0) / hitUs.length, "µs");
  one("miss p50", quantile(missUs, 0.5), "µs");
  one("miss p99", quantile(missUs, 0.99), "µs");
  one("bytes at the end", cache.bytes, "bytes");
  one("entries at the end", cache.entries, "answers");
}

/** Distinct titles, in an order that has nothing to do with their paths. */
function titlesOf(files: readonly DocFile[]): string[] {
  const titles = files.flatMap(({ text }) => /^title:\s*["']?(.+?)["']?\s*$/mu.exec(text)?.[1] ?? []);
  const place = (title: string): number =>
    [...title].reduce((hash, char) => Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619), 7) >>> 0;
  return [...new Set(titles)].toSorted((a, b) => place(a) - place(b));
}
