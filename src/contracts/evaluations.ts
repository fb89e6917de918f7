import type { DocumentFilter, Page, PageRequest } from "./documents.ts";
import type { SearchMode, SearchQuery } from "./search.ts";

/** What judgements are of: documents by their workspace path (which outlives another ingest) or by their id, or chunks by theirs. */
export type JudgedBy = "path" | "document" | "chunk";

/** A query with what is relevant to it. */
export interface EvalQuery {
  /** 1 to 256 characters, once in a suite. */
  id: string;
  /** At most 4,096 characters; collections have empty ones, too, which find nothing. */
  text: string;
  /** Grades by path or id, -1,000 to 1,000, whole; at most 10,000. 1 and more is relevant, 0 and less is not, nor is what is not judged.
   *  A query with nothing relevant is run, but has no metrics and is in no mean. */
  judgements: Record<string, number>;
  /** The documents that are searched. */
  filters?: DocumentFilter;
}

/** A query as callers hand it in: with judgements, or with what is expected, each of grade 1. */
export interface NewEvalQuery {
  id: string;
  text: string;
  judgements?: Readonly<Record<string, number>>;
  expected?: readonly string[];
  filters?: DocumentFilter;
}

/** A suite as callers hand it in. */
export interface NewEvalSuite {
  /** 1 to 256 characters. */
  name: string;
  /** At most 4,096 characters. */
  description?: string | null;
  /** `path` by default. */
  judged?: JudgedBy;
  /** 1 to 10,000, at most 16 MiB as JSON. */
  queries: readonly NewEvalQuery[];
}

/** A suite of queries, without them. */
export interface EvalSuiteInfo {
  name: string;
  /** Over all that the measures depend on: how it is judged and its queries. Runs of the same hash can be compared. 32 hex digits. */
  hash: string;
  description: string | null;
  judged: JudgedBy;
  queryCount: number;
  createdAt: number;
  /** When it was last put as another one than before. */
  updatedAt: number;
}

export interface EvalSuite extends EvalSuiteInfo {
  queries: EvalQuery[];
}

/** How queries are asked; what is left out is as in a search, but `plainText`: the queries of a suite are questions, so true by default. */
export type EvalSearchOptions = Pick<
  SearchQuery,
  "mode" | "modelId" | "weights" | "collapse" | "ef" | "stemming" | "plainText"
>;

export interface EvalRunOptions {
  /** Documents that the measures at k look at, 1 to 1000; 10 by default. */
  k?: number;
  /** Documents that are reached for each query, `k` to 1000; 100 by default, or `k`. Average precision and reciprocal rank look at all of them. */
  depth?: number;
  search?: EvalSearchOptions;
  /** Embeddings of the queries by query id, for a store without an embedder, or of another model. Where a query has none, `vector` finds
   *  nothing for it and `hybrid` asks by words alone. */
  vectors?: Readonly<Record<string, Float32Array>>;
  /** What people call the run, 1 to 256 characters. */
  label?: string | null;
  /** Ends the run after the query at hand; what is done stays, as a run that was cancelled. The promise rejects with ABORTED. */
  signal?: AbortSignal;
  /** Called after every batch of queries that was written, and at the end. When it throws, the run ends as failed and rejects with it;
   *  a promise it returns is waited for at the end. */
  onProgress?: (progress: EvalProgress) => void;
}

export interface EvalProgress {
  runId: string;
  done: number;
  total: number;
  elapsedMs: number;
}

/** `interrupted`: the process ended before the run did. Only `completed` runs can be compared. */
export type EvalRunStatus = "running" | "completed" | "cancelled" | "failed" | "interrupted";

/** Measures of one ranking, each 0 to 1, as trec_eval defines them. */
export interface EvalMetrics {
  /** nDCG at k: gains are grades, the one at rank r divided by log2(r + 1); the ideal is over all that is judged. `ndcg_cut_k`
   *  @see Järvelin & Kekäläinen 2002, and trec_eval's m_ndcg_cut.c */
  ndcg: number;
  /** Share of what is relevant that is among the first k. `recall_k` */
  recall: number;
  /** Share of the first k that is relevant; fewer than k found count as k. `P_k` */
  precision: number;
  /** One divided by the rank of the first relevant document. `recip_rank` */
  reciprocalRank: number;
  /** Sum of the precisions at the rank of each relevant document that was found, divided by all that are relevant. `map` */
  averagePrecision: number;
}

export type EvalMetric = keyof EvalMetrics;

/** Times of all queries, in milliseconds. A quantile is the smallest time that so many queries do not exceed. */
export interface EvalLatency {
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** What a run says of all its queries. */
export interface EvalAggregates {
  /** Means over the scored queries; null where there are none. */
  metrics: EvalMetrics | null;
  /** Queries with something relevant: those that found nothing count as 0, as with trec_eval's `-c`. */
  scored: number;
  /** Queries with nothing relevant. */
  unscored: number;
  /** Queries for which nothing was found. */
  withoutHits: number;
  /** Hybrid queries that were answered by words alone. */
  withoutVectors: number;
  /** Relevant documents, or chunks, that the store did not hold when the run began. */
  missing: number;
  latency: EvalLatency;
}

/** How a run was made. */
export interface EvalRunConfig {
  k: number;
  depth: number;
  /** Everything that a query was asked with, defaults filled in. */
  search: EvalSearchOptions & { mode: SearchMode; plainText: boolean };
  judged: JudgedBy;
  /** Whether the run was given embeddings of the queries. */
  ownVectors: boolean;
  /** The model whose embeddings were searched, null in `lexical`. */
  model: { modelId: string; modelVersion: string; dimensions: number } | null;
  documents: number;
  chunks: number;
  packageVersion: string;
  schemaVersion: number;
  /** Engine of the database: `SQLite 3.54.1`. */
  engine: string;
}

export interface EvalRun {
  /** 32 hex digits; later runs have greater ids. */
  id: string;
  suite: string;
  suiteHash: string;
  label: string | null;
  status: EvalRunStatus;
  /** Why it failed. */
  error: string | null;
  config: EvalRunConfig;
  /** Null unless it is completed. */
  aggregates: EvalAggregates | null;
  queryCount: number;
  /** Queries whose results are there. */
  doneCount: number;
  /** Corpus revision when it began, */
  corpusRevision: number;
  /** and when it ended; null unless it is completed. Another one: the corpus changed in between. */
  endRevision: number | null;
  startedAt: number;
  finishedAt: number | null;
}

/** One of the first k of a ranking. */
export interface EvalHit {
  chunkId: string;
  documentId: string;
  workspacePath: string;
  /** Rank among documents, or chunks where those are judged; from 1. */
  rank: number;
  /** Score of the hit that stands for the document: its first. */
  score: number;
  /** Null where it is not judged. */
  grade: number | null;
}

export interface EvalQueryResult {
  queryId: string;
  text: string;
  /** The first k documents. */
  hits: EvalHit[];
  /** Rank and grade of every relevant document that was found, up to the depth of the run: all measures follow from them. */
  found: [rank: number, grade: number][];
  /** Relevant documents in all. */
  relevant: number;
  /** Null where nothing is relevant. */
  metrics: EvalMetrics | null;
  /** Until the first 50 hits were there. */
  elapsedMs: number;
}

export interface EvalRunFilter {
  suite?: string;
  status?: EvalRunStatus;
}

export interface EvalCompareOptions {
  /** `ndcg` by default. */
  metric?: EvalMetric;
  /** Seed of the random numbers, 0 to 4,294,967,295; 1 by default. The same seed gives the same answer anywhere. */
  seed?: number;
  /** Ends the comparison. The promise rejects with ABORTED. */
  signal?: AbortSignal;
}

/** The difference of one query: `b - a`. */
export interface EvalDifference {
  queryId: string;
  text: string;
  a: number;
  b: number;
  difference: number;
}

/** Two runs of one suite beside each other, paired by query. */
export interface EvalComparison {
  metric: EvalMetric;
  a: EvalRun;
  b: EvalRun;
  /** Queries that were scored. */
  queries: number;
  meanA: number;
  meanB: number;
  /** `meanB - meanA`. */
  difference: number;
  /** Queries in which `b` is better, */
  wins: number;
  /** equal within 1e-9, */
  ties: number;
  /** or worse. */
  losses: number;
  /** Two-sided paired t-test; null for fewer than two queries. `t` is null where all differences are equal. */
  tTest: { t: number | null; degreesOfFreedom: number; pValue: number } | null;
  /** Two-sided paired randomisation test: signs of the differences are drawn, or all of them tried where these are no more.
   *  @see Smucker, Allan & Carterette 2007 */
  randomisation: { pValue: number; permutations: number; exact: boolean };
  /** 95 % interval of the difference of the means: percentiles of 10,000 bootstrap samples of the queries. */
  interval: { low: number; high: number };
  seed: number;
  /** Greatest gain first; of equal ones in the order of the suite. */
  differences: EvalDifference[];
}

/** Suites of queries, runs of them through the search of this store, and what these say. What they write is durable when it resolves, and
 *  leaves the corpus revision.
 *  @throws StorageError INVALID_INPUT from every method, naming the field; CLOSED, DRIVER, QUOTA_EXCEEDED, CORRUPT, and UNSUPPORTED from
 *    what writes in a store that was opened for reading only */
export interface Evaluations {
  /** Keeps a suite under its name, in the place of one that is there. Putting the same again changes nothing. */
  putSuite(suite: NewEvalSuite): Promise<EvalSuiteInfo>;
  /** Returns a suite with its queries, or `undefined` where there is none. */
  getSuite(name: string): Promise<EvalSuite | undefined>;
  /** Lists suites, the last made first. */
  listSuites(page?: PageRequest): Promise<Page<EvalSuiteInfo>>;
  /** Deletes a suite; its runs stay. @returns whether there was one. */
  deleteSuite(name: string): Promise<boolean>;
  /** Asks every query of a suite, one after the other, through `Store.search`, and keeps what came: the run is written before its first
   *  query, results in batches of 50, and aggregates with the last of them. Where documents are judged, the first hit of each counts, and
   *  pages are turned until `depth` documents are there or hits end.
   *  @param suite Name of a suite that was put, or a suite, which is not kept.
   *  @returns the run, completed.
   *  @throws StorageError NOT_FOUND (suite), ABORTED, UNSUPPORTED (vectors), what a search throws: a run that has begun is kept as failed then
   *  @example
   *    const suite = { name: "kilns", queries: [{ id: "1", text: "how hot is cone 6", expected: ["guides/kiln.md"] }] };
   *    const before = await store.evaluations.run(suite);
   *    const after = await store.evaluations.run(suite, { search: { mode: "hybrid" } });
   *    const { difference, randomisation } = await store.evaluations.compare(before.id, after.id); */
  run(suite: string | NewEvalSuite, options?: EvalRunOptions): Promise<EvalRun>;
  /** Returns the run, or `undefined` where there is none. */
  getRun(id: string): Promise<EvalRun | undefined>;
  /** Lists runs, the last begun first.
   *  @param page The cursor belongs to the filter. */
  listRuns(filter?: EvalRunFilter, page?: PageRequest): Promise<Page<EvalRun>>;
  /** Lists what a run found, in the order of the suite.
   *  @throws StorageError NOT_FOUND (run) */
  listResults(runId: string, page?: PageRequest): Promise<Page<EvalQueryResult>>;
  /** Deletes a run with its results. @returns whether there was one.
   *  @throws StorageError CONFLICT (it is running) */
  deleteRun(id: string): Promise<boolean>;
  /** Compares two completed runs, query by query.
   *  @throws StorageError NOT_FOUND (run); CONFLICT (suites of different hashes, other `k` or `depth`, a run that is not completed); ABORTED */
  compare(a: string, b: string, options?: EvalCompareOptions): Promise<EvalComparison>;
}
