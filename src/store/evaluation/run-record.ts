import type { CheckedSuite } from "../../contracts/check-evaluations.ts";
import type {
  EvalAggregates,
  EvalQueryResult,
  EvalRun,
  EvalRunConfig,
  EvalRunStatus,
} from "../../contracts/evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { timeOrderedId } from "../chat/time-ordered-id.ts";
import { readCorpusRevision } from "../documents/corpus-revision.ts";
import { requireRun } from "./run-rows.ts";
import { suiteHash } from "./suite-rows.ts";

/** The rows of a run that is going on. What is there is whole at any moment: each batch of results is one transaction, and the last one
 *  completes the run. */
export class RunRecord {
  readonly id: string = timeOrderedId(Date.now());
  readonly #db: SqlExecutor;
  #done = 0;

  constructor(db: SqlExecutor) {
    this.#db = db;
  }

  /** Queries whose results are written. */
  get done(): number {
    return this.#done;
  }

  async begin(suite: CheckedSuite, label: string | null, config: EvalRunConfig): Promise<void> {
    const { name, queries } = suite;
    await this.#db.transaction(async (tx) => {
      const revision = await readCorpusRevision(tx);
      await tx.run(
        `INSERT INTO eval_runs (eval_run_id, suite, suite_hash, label, status, config, query_count, corpus_revision, started_at, sequence)
         VALUES ($1, $2, $3, $4, 'running', $5, $6, $7, $8, (SELECT coalesce(max(sequence), 0) + 1 FROM eval_runs))`,
        [this.id, name, suiteHash(suite), label, JSON.stringify(config), queries.length, revision, Date.now()],
      );
    });
  }

  async write(results: readonly EvalQueryResult[]): Promise<void> {
    await this.#db.transaction((tx) => this.#write(tx, results));
  }

  /** Writes the last results, and that the run is completed. */
  async complete(results: readonly EvalQueryResult[], aggregates: EvalAggregates): Promise<EvalRun> {
    return this.#db.transaction(async (tx) => {
      await this.#write(tx, results);
      await tx.run(
        `UPDATE eval_runs SET status = 'completed', metrics = $2, end_revision = $3, finished_at = $4 WHERE eval_run_id = $1`,
        [this.id, JSON.stringify(aggregates), await readCorpusRevision(tx), Date.now()],
      );
      return requireRun(tx, this.id, "run");
    });
  }

  /** Writes why the run ended before its last query, with the results so far. */
  async end(results: readonly EvalQueryResult[], status: EvalRunStatus, error: string): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await this.#write(tx, results);
      await tx.run("UPDATE eval_runs SET status = $2, error = $3, finished_at = $4 WHERE eval_run_id = $1", [
        this.id,
        status,
        error,
        Date.now(),
      ]);
    });
  }

  async #write(tx: SqlExecutor, results: readonly EvalQueryResult[]): Promise<void> {
    const from = this.#done;
    await tx.runMany(
      `INSERT INTO eval_query_results (eval_run_id, query_id, query, hits, found, relevant, metrics, elapsed_ms, ordinal)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      results.map(({ queryId, text, hits, found, relevant, metrics, elapsedMs }, index) => [
        this.id,
        queryId,
        text,
        JSON.stringify(hits),
        JSON.stringify(found),
        relevant,
        JSON.stringify(metrics ?? {}),
        elapsedMs,
        from + index,
      ]),
    );
    await tx.run("UPDATE eval_runs SET done_count = $2 WHERE eval_run_id = $1", [this.id, from + results.length]);
    this.#done = from + results.length;
  }
}
