import type {
  EvalAggregates,
  EvalHit,
  EvalMetrics,
  EvalQueryResult,
  EvalRun,
  EvalRunConfig,
  EvalRunStatus,
} from "../../contracts/evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";

export interface RunRow {
  eval_run_id: string;
  suite: string;
  suite_hash: string;
  label: string | null;
  status: EvalRunStatus;
  error: string | null;
  config: string;
  metrics: string | null;
  query_count: number;
  done_count: number;
  corpus_revision: number;
  end_revision: number | null;
  started_at: number;
  finished_at: number | null;
  sequence: number;
}

export const RUN_COLUMNS = `eval_run_id, suite, suite_hash, label, status, error, config, metrics, query_count, done_count,
  corpus_revision, end_revision, started_at, finished_at, sequence`;

export function toRun(row: Omit<RunRow, "sequence">): EvalRun {
  const completed = row.status === "completed" && row.metrics !== null;
  return {
    id: row.eval_run_id,
    suite: row.suite,
    suiteHash: row.suite_hash,
    label: row.label,
    status: row.status,
    error: row.error,
    config: JSON.parse(row.config) as EvalRunConfig,
    aggregates: completed ? (JSON.parse(row.metrics!) as EvalAggregates) : null,
    queryCount: row.query_count,
    doneCount: row.done_count,
    corpusRevision: row.corpus_revision,
    endRevision: row.end_revision,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

export async function readRun(db: SqlExecutor, id: string): Promise<EvalRun | undefined> {
  const row = await db.get<RunRow>(`SELECT ${RUN_COLUMNS} FROM eval_runs WHERE eval_run_id = $1`, [id]);
  return row === undefined ? undefined : toRun(row);
}

/** @throws StorageError NOT_FOUND */
export async function requireRun(db: SqlExecutor, id: string, operation: string): Promise<EvalRun> {
  const run = await readRun(db, id);
  if (run !== undefined) return run;
  const context = { capability: "evaluations", operation } as const;
  throw new StorageError("NOT_FOUND", `there is no evaluation run "${id}"`, context);
}

export interface ResultRow {
  query_id: string;
  query: string;
  hits: string;
  found: string;
  relevant: number;
  metrics: string;
  elapsed_ms: number;
  ordinal: number;
}

export const RESULT_COLUMNS = "query_id, query, hits, found, relevant, metrics, elapsed_ms, ordinal";

export function toResult(row: Omit<ResultRow, "ordinal">): EvalQueryResult {
  return {
    queryId: row.query_id,
    text: row.query,
    hits: JSON.parse(row.hits) as EvalHit[],
    found: JSON.parse(row.found) as [number, number][],
    relevant: row.relevant,
    metrics: row.relevant === 0 ? null : (JSON.parse(row.metrics) as EvalMetrics),
    elapsedMs: row.elapsed_ms,
  };
}
