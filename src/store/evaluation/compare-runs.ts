import type { EvalComparison, EvalDifference, EvalMetric, EvalMetrics, EvalRun } from "../../contracts/evaluations.ts";
import type { CheckedCompareOptions } from "../../contracts/check-evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import { requireRun } from "./run-rows.ts";
import { bootstrapInterval } from "./significance/bootstrap-interval.ts";
import { pairedTTest } from "./significance/paired-t-test.ts";
import { randomisationTest } from "./significance/randomisation-test.ts";

/** What rounding makes of equal measures. */
const TIE = 1e-9;

interface PairRow {
  query_id: string;
  query: string;
  a: string;
  b: string;
}

/** Pairs two completed runs of the same suite by query.
 *  @throws StorageError NOT_FOUND, CONFLICT, ABORTED */
export async function compareRuns(
  db: SqlExecutor,
  ids: { a: string; b: string },
  { metric, seed, signal }: CheckedCompareOptions,
): Promise<EvalComparison> {
  const a = await requireRun(db, ids.a, "compare");
  const b = await requireRun(db, ids.b, "compare");
  requireComparable(a, b);
  const rows = await db.all<PairRow>(
    `SELECT x.query_id, x.query, x.metrics AS a, y.metrics AS b
     FROM eval_query_results x JOIN eval_query_results y ON y.eval_run_id = $2 AND y.query_id = x.query_id
     WHERE x.eval_run_id = $1 AND x.relevant > 0 ORDER BY x.ordinal`,
    [a.id, b.id],
  );
  const pairs = rows.map((row): EvalDifference => {
    const [valueA, valueB] = [valueOf(row.a, metric), valueOf(row.b, metric)];
    return { queryId: row.query_id, text: row.query, a: valueA, b: valueB, difference: valueB - valueA };
  });
  const differences = pairs.map(({ difference }) => (Math.abs(difference) <= TIE ? 0 : difference));
  const turns = new TurnTaker();
  const breathe = async (): Promise<void> => {
    await turns.breathe();
    if (signal?.aborted === true) throw aborted(signal);
  };
  const meanA = mean(pairs.map((pair) => pair.a));
  const meanB = mean(pairs.map((pair) => pair.b));
  return {
    metric,
    a,
    b,
    queries: pairs.length,
    meanA,
    meanB,
    difference: meanB - meanA,
    wins: differences.filter((one) => one > 0).length,
    ties: differences.filter((one) => one === 0).length,
    losses: differences.filter((one) => one < 0).length,
    tTest: pairedTTest(differences),
    randomisation: await randomisationTest(differences, seed, breathe),
    interval: await bootstrapInterval(differences, seed, breathe),
    seed,
    differences: pairs.sort((one, other) => other.difference - one.difference),
  };
}

function requireComparable(a: EvalRun, b: EvalRun): void {
  for (const { id, status } of [a, b]) {
    if (status !== "completed")
      throw conflict(`the evaluation run "${id}" is ${status}: only completed runs are compared`);
  }
  if (a.suiteHash !== b.suiteHash) {
    throw conflict(`the runs are of different suites: "${a.suite}" (${a.suiteHash}) and "${b.suite}" (${b.suiteHash})`);
  }
  for (const field of ["k", "depth"] as const) {
    const [ofA, ofB] = [a.config[field], b.config[field]];
    if (ofA !== ofB) throw conflict(`the runs were measured with ${field} ${ofA} and ${ofB}: only equals are compared`);
  }
}

function aborted({ reason }: AbortSignal): StorageError {
  const context = { capability: "evaluations", operation: "compare", cause: reason as unknown } as const;
  return new StorageError("ABORTED", "the comparison was ended", context);
}

function conflict(message: string): StorageError {
  return new StorageError("CONFLICT", message, { capability: "evaluations", operation: "compare" });
}

function valueOf(metrics: string, metric: EvalMetric): number {
  return (JSON.parse(metrics) as EvalMetrics)[metric];
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
