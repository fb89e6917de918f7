import type { VectorMetric, VectorRecord, VectorStore, VectorTable } from "../../../src/contracts/vectors.ts";
import { randomVectors, VectorCorpus } from "../../support/vector-corpus.ts";
import { VectorOracle } from "../../support/vector-oracle.ts";
import { Random } from "../../wasm/random.ts";
import type { OpenVectorStore } from "../vector-store.ts";

export const MODEL = { modelId: "test", modelVersion: "1" } as const;

/** A store with committed vectors in one table, and what a naive map of them says. */
export interface FilledStore {
  vectors: VectorStore;
  table: VectorTable;
  corpus: VectorCorpus;
  records: VectorRecord[];
  oracle: VectorOracle;
  random: Random;
}

export interface FillOptions {
  count?: number;
  dimensions?: number;
  metric?: VectorMetric;
  /** Vectors in the order of the chunks; random ones by default. */
  values?: Float32Array[];
}

/** Writes and commits vectors, and links what the store wants linked. */
export async function filledStore(opened: OpenVectorStore, options: FillOptions = {}): Promise<FilledStore> {
  const { count = 200, dimensions = options.values?.[0]?.length ?? 17, metric = "cosine" } = options;
  const { vectors, db } = opened;
  const random = new Random(dimensions);
  const corpus = await VectorCorpus.create(db, options.values?.length ?? count);
  const table = await vectors.ensureTable({ modelId: MODEL.modelId, dimensions, metric });
  const values = options.values ?? randomVectors(random, count, dimensions);
  const records = values.map((vector, at) => corpus.record(table, at, vector));
  await putCommitted({ vectors, table, corpus }, records);
  return { vectors, table, corpus, records, oracle: new VectorOracle(metric, records), random };
}

/** Writes vectors with their records, and links what the store wants linked. */
export async function putCommitted(
  { vectors, table, corpus }: Pick<FilledStore, "vectors" | "table" | "corpus">,
  records: readonly VectorRecord[],
): Promise<void> {
  for (let from = 0; from < records.length; from += 1000) {
    await vectors.upsert(table.indexId, records.slice(from, from + 1000));
  }
  await corpus.mark(table, records);
  await vectors.flush();
}
