import type { CheckedRunOptions, CheckedSuite } from "../../contracts/check-evaluations.ts";
import type { EvalAggregates, EvalProgress, EvalQueryResult, EvalRun } from "../../contracts/evaluations.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import { ProgressListener } from "../progress-listener.ts";
import { latencyOf, meanMetrics } from "./metrics/mean-metrics.ts";
import { countMissing } from "./missing-documents.ts";
import { rankQuery, type SearchCall } from "./rank-query.ts";
import { runConfig } from "./run-config.ts";
import { RunRecord } from "./run-record.ts";

/** Results that are written at once. */
const BATCH = 50;

/** What a run works with. */
export interface RunParts {
  db: SqlDatabase;
  /** Where rows are written. */
  writable: SqlExecutor;
  search: SearchCall;
  /** Ids of the runs that are going on here. */
  live: Set<string>;
}

/** Asks every query of a suite and keeps what came. */
export async function runSuite(
  { db, writable, search, live }: RunParts,
  suite: CheckedSuite,
  options: CheckedRunOptions,
  signal: AbortSignal,
): Promise<EvalRun> {
  throwIfAborted(signal);
  const config = await runConfig(db, search, suite, options, signal);
  const missing = await countMissing(db, suite.judged, suite.queries);
  const record = new RunRecord(writable);
  live.add(record.id);
  try {
    await record.begin(suite, options.label, config);
    return await new SuiteRun(record, search, suite, options, missing, signal).run();
  } finally {
    live.delete(record.id);
  }
}

/** What is kept of a result once it is written. */
type Kept = Pick<EvalQueryResult, "metrics" | "elapsedMs">;

class SuiteRun {
  readonly #record: RunRecord;
  readonly #search: SearchCall;
  readonly #suite: CheckedSuite;
  readonly #options: CheckedRunOptions;
  readonly #missing: number;
  readonly #signal: AbortSignal;
  readonly #listener: ProgressListener<EvalProgress>;
  readonly #start = performance.now();
  readonly #kept: Kept[] = [];
  #batch: EvalQueryResult[] = [];
  #withoutHits = 0;
  #withoutVectors = 0;

  constructor(
    record: RunRecord,
    search: SearchCall,
    suite: CheckedSuite,
    options: CheckedRunOptions,
    missing: number,
    signal: AbortSignal,
  ) {
    this.#record = record;
    this.#search = search;
    this.#suite = suite;
    this.#options = options;
    this.#missing = missing;
    this.#signal = signal;
    this.#listener = new ProgressListener(options.onProgress);
  }

  async run(): Promise<EvalRun> {
    try {
      await this.#askAll();
      // Told before the run is completed: whoever throws then has one that failed.
      this.#tell(this.#suite.queries.length);
      await this.#listener.settle(this.#signal);
      throwIfAborted(this.#signal);
      return await this.#record.complete(this.#batch, this.#aggregates());
    } catch (error) {
      // Whoever answers searches may close before this does.
      const aborted = this.#signal.aborted || (error instanceof StorageError && error.code === "CLOSED");
      const reason = error instanceof Error ? error.message : String(error);
      await this.#record.end(this.#batch, aborted ? "cancelled" : "failed", reason);
      throwIfAborted(this.#signal);
      throw error;
    }
  }

  async #askAll(): Promise<void> {
    const { judged, queries } = this.#suite;
    const turns = new TurnTaker();
    for (const query of queries) {
      throwIfAborted(this.#signal);
      this.#listener.throwIfThrown();
      const { result, withoutVectors } = await rankQuery(this.#search, query, judged, this.#options, this.#signal);
      this.#batch.push(result);
      this.#kept.push({ metrics: result.metrics, elapsedMs: result.elapsedMs });
      if (result.hits.length === 0) this.#withoutHits++;
      if (withoutVectors) this.#withoutVectors++;
      if (this.#batch.length === BATCH && this.#kept.length < queries.length) await this.#write();
      await turns.breathe();
    }
  }

  async #write(): Promise<void> {
    const batch = this.#batch;
    await this.#record.write(batch);
    this.#batch = [];
    this.#tell(this.#record.done);
  }

  #tell(done: number): void {
    const total = this.#suite.queries.length;
    const elapsedMs = performance.now() - this.#start;
    this.#listener.tell({ runId: this.#record.id, done, total, elapsedMs });
  }

  #aggregates(): EvalAggregates {
    const scored = this.#kept.flatMap(({ metrics }) => metrics ?? []);
    return {
      metrics: meanMetrics(scored),
      scored: scored.length,
      unscored: this.#kept.length - scored.length,
      withoutHits: this.#withoutHits,
      withoutVectors: this.#withoutVectors,
      missing: this.#missing,
      latency: latencyOf(this.#kept.map(({ elapsedMs }) => elapsedMs)),
    };
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const cause: unknown = signal.reason;
  if (cause instanceof StorageError && cause.code === "CLOSED") throw cause;
  const message = "the evaluation was ended; what is done stays, as a run that was cancelled";
  throw new StorageError("ABORTED", message, { capability: "evaluations", operation: "run", cause });
}
