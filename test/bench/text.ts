import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/node.ts";
import { type Collection, collectionFiles, meanNdcg, readCollections, sourceBytes } from "./collection.ts";
import { type BenchContext, median, quantile } from "./report.ts";

/** Ranking quality and index size on every collection in the folder `text`: corpus.jsonl.gz, queries.jsonl, qrels.tsv. */
export async function run(context: BenchContext): Promise<void> {
  for (const [name, collection] of readCollections(context.dataDir, context.progress)) {
    await measure(context, name, collection);
  }
}

async function measure(context: BenchContext, name: string, collection: Collection): Promise<void> {
  const caseName = name.replace(/-dev$/u, "");
  const dataset = `${name}: ${collection.corpus.length} documents, ${collection.queries.length} queries`;
  context.progress(`suite text: ${dataset}`);
  const dir = await mkdtemp(join(tmpdir(), "lodestore-bench-"));
  try {
    await using store = await openStore({ dir });
    const { files, idOf } = collectionFiles(collection);
    await store.ingest(files);
    const stats = await store.stats();
    const figure = { suite: "text", case: caseName, dataset };
    for (const stemming of ["rank", "match", "off"] as const) {
      const latencies: number[] = [];
      const rankings = new Map<string, string[]>();
      for (const query of collection.queries) {
        const start = performance.now();
        const { hits } = await store.search({ text: query.text, k: 50, stemming, plainText: true });
        latencies.push(performance.now() - start);
        rankings.set(query._id, [...new Set(hits.map((hit) => idOf.get(hit.citation.workspacePath) ?? ""))]);
      }
      const suffix = stemming === "rank" ? "" : ` (stemming ${stemming})`;
      const value = meanNdcg(collection, rankings);
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
