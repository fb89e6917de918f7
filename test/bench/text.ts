import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EvalAggregates, openStore } from "../../src/node.ts";
import { type Collection, collectionFiles, collectionSuite, readCollections, sourceBytes } from "./collection.ts";
import type { BenchContext } from "./report.ts";

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
    const suite = collectionSuite(name, collection, idOf);
    for (const stemming of ["rank", "match", "off"] as const) {
      const { aggregates } = await store.evaluations.run(suite, { k: 10, search: { stemming } });
      const suffix = stemming === "rank" ? "" : ` (stemming ${stemming})`;
      const { metrics, latency } = aggregates as EvalAggregates;
      context.report({ ...figure, metric: `ndcg@10${suffix}`, value: metrics?.ndcg ?? 0, unit: "" });
      if (stemming !== "rank") continue;
      context.report({ ...figure, metric: "map@100", value: metrics?.averagePrecision ?? 0, unit: "" });
      context.report({ ...figure, metric: "mrr@100", value: metrics?.reciprocalRank ?? 0, unit: "" });
      context.report({ ...figure, metric: "recall@10", value: metrics?.recall ?? 0, unit: "" });
      context.report({ ...figure, metric: "query p50", value: latency.p50, unit: "ms" });
      context.report({ ...figure, metric: "query p99", value: latency.p99, unit: "ms" });
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
