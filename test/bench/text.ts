import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { IngestFile } from "../../src/contracts/store.ts";
import { openStore } from "../../src/node.ts";
import { type BenchContext, median, quantile } from "./report.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

/** Ranking quality and index size on every collection in the folder `text`: corpus.jsonl.gz, queries.jsonl, qrels.tsv. */
export async function run(context: BenchContext): Promise<void> {
  const folder = join(context.dataDir, "text");
  if (!existsSync(folder)) {
    context.progress(`suite text: left out, no folder ${folder}`);
    return;
  }
  for (const name of readdirSync(folder).toSorted()) {
    const collection = readCollection(join(folder, name));
    if (collection === undefined) context.progress(`suite text: ${name} is not a collection, left out`);
    else await measure(context, name, collection);
  }
}

interface Entry {
  _id: string;
  title?: string;
  text: string;
}

interface Collection {
  corpus: Entry[];
  queries: Entry[];
  /** Grades by document, by query. */
  judgements: Map<string, Map<string, number>>;
}

function readCollection(folder: string): Collection | undefined {
  const [corpus, queries, qrels] = ["corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"].map((file) => join(folder, file));
  if (corpus === undefined || queries === undefined || qrels === undefined) return undefined;
  if (![corpus, queries, qrels].every((file) => existsSync(file))) return undefined;
  const judgements = new Map<string, Map<string, number>>();
  for (const line of readFileSync(qrels, "utf8").trim().split(/\r?\n/u).slice(1)) {
    const [query, document, grade] = line.split("\t");
    if (query === undefined || document === undefined) continue;
    const grades = judgements.get(query) ?? new Map<string, number>();
    grades.set(document, Number(grade));
    judgements.set(query, grades);
  }
  return {
    corpus: entries(gunzipSync(readFileSync(corpus)).toString("utf8")),
    queries: entries(readFileSync(queries, "utf8")),
    judgements,
  };
}

function entries(lines: string): Entry[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
}

async function measure(context: BenchContext, name: string, collection: Collection): Promise<void> {
  const caseName = name.replace(/-dev$/u, "");
  const dataset = `${name}: ${collection.corpus.length} documents, ${collection.queries.length} queries`;
  context.progress(`suite text: ${dataset}`);
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await openStore({ dir });
    const ids = new Map<string, string>();
    const files = collection.corpus.map((entry, index): IngestFile => {
      const path = `${index}.txt`;
      ids.set(path, entry._id);
      return { path, content: bodyOf(entry), ...(entry.title ? { title: entry.title } : {}) };
    });
    await store.ingest(files);
    const stats = await store.stats();
    const figure = { suite: "text", case: caseName, dataset };
    for (const stemming of ["rank", "match", "off"] as const) {
      const latencies: number[] = [];
      const gains: number[] = [];
      for (const query of collection.queries) {
        const grades = collection.judgements.get(query._id);
        if (grades === undefined) continue;
        const start = performance.now();
        const { hits } = await store.search({ text: query.text, k: 50, stemming, plainText: true });
        latencies.push(performance.now() - start);
        const ranked = new Set(hits.map((hit) => ids.get(hit.citation.workspacePath) ?? ""));
        const gain = ndcg([...ranked].slice(0, 10), grades);
        if (gain !== undefined) gains.push(gain);
      }
      const suffix = stemming === "rank" ? "" : ` (stemming ${stemming})`;
      const value = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
      context.report({ ...figure, metric: `ndcg@10${suffix}`, value, unit: "" });
      if (stemming === "rank") {
        context.report({ ...figure, metric: "query p50", value: median(latencies), unit: "ms" });
        context.report({ ...figure, metric: "query p99", value: quantile(latencies, 0.99), unit: "ms" });
      }
    }
    context.report({
      ...figure,
      metric: "index bytes per text byte",
      value: stats.textIndexBytes / collection.corpus.reduce((sum, entry) => sum + sourceBytes(entry), 0),
      unit: "",
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** An entry without text is its title. */
function bodyOf({ title = "", text }: Entry): string {
  return text === "" ? title : text;
}

/** Bytes of what the collection says, each once: some repeat the title at the start of the text. */
function sourceBytes({ title = "", text }: Entry): number {
  return Buffer.byteLength(text.startsWith(title) ? text : title + text);
}

/** Normalised discounted cumulative gain at 10; undefined where nothing is relevant.
 *  @see Järvelin & Kekäläinen 2002 */
function ndcg(ranked: readonly string[], grades: ReadonlyMap<string, number>): number | undefined {
  const discounted = (gains: readonly number[]): number =>
    gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
  const ideal = discounted([...grades.values()].toSorted((a, b) => b - a).slice(0, 10));
  return ideal === 0 ? undefined : discounted(ranked.map((id) => grades.get(id) ?? 0)) / ideal;
}
