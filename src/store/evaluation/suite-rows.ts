import { canonicalJson } from "../../contracts/check-json.ts";
import type { CheckedSuite } from "../../contracts/check-evaluations.ts";
import type { EvalQuery, EvalSuite, EvalSuiteInfo, JudgedBy } from "../../contracts/evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { hash32 } from "../ids.ts";

interface SuiteRow {
  suite_key: number;
  name: string;
  suite_hash: string;
  description: string | null;
  judged: JudgedBy;
  query_count: number;
  created_at: number;
  updated_at: number;
}

const COLUMNS = "suite_key, name, suite_hash, description, judged, query_count, created_at, updated_at";

function toInfo(row: SuiteRow): EvalSuiteInfo {
  return {
    name: row.name,
    hash: row.suite_hash,
    description: row.description,
    judged: row.judged,
    queryCount: row.query_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What the measures depend on, in whatever order the queries stand. */
export function suiteHash({ judged, queries }: Pick<CheckedSuite, "judged" | "queries">): string {
  const sorted = [...queries].sort((a, b) => (a.id < b.id ? -1 : 1));
  return hash32(canonicalJson({ kind: "eval_suite", judged, queries: sorted }));
}

/** Keeps a suite in the place of the one of its name; the same again changes nothing. */
export async function putSuite(db: SqlExecutor, suite: CheckedSuite): Promise<EvalSuiteInfo> {
  const { name, description, judged } = suite;
  const queries = JSON.stringify(suite.queries);
  const params = [name, suiteHash(suite), description, judged, suite.queries.length, Date.now(), queries];
  const [row] = await db.all<SuiteRow>(
    `INSERT INTO eval_suites (name, suite_hash, description, judged, query_count, created_at, updated_at, queries)
     VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
     ON CONFLICT (name) DO UPDATE SET suite_hash = excluded.suite_hash, description = excluded.description,
       judged = excluded.judged, query_count = excluded.query_count, queries = excluded.queries,
       updated_at = CASE WHEN (queries, description, judged) IS (excluded.queries, excluded.description, excluded.judged)
         THEN updated_at ELSE excluded.updated_at END
     RETURNING ${COLUMNS}`,
    params,
  );
  return toInfo(row!);
}

export async function readSuite(db: SqlExecutor, name: string): Promise<EvalSuite | undefined> {
  const row = await db.get<SuiteRow & { queries: string }>(
    `SELECT ${COLUMNS}, queries FROM eval_suites WHERE name = $1`,
    [name],
  );
  return row === undefined ? undefined : { ...toInfo(row), queries: JSON.parse(row.queries) as EvalQuery[] };
}

/** Returns up to `limit` suites that were made before the one of this key, the last one first, each with its key. */
export async function readSuites(
  db: SqlExecutor,
  before: number,
  limit: number,
): Promise<{ key: number; info: EvalSuiteInfo }[]> {
  const rows = await db.all<SuiteRow>(
    `SELECT ${COLUMNS} FROM eval_suites WHERE suite_key < $1 ORDER BY suite_key DESC LIMIT $2`,
    [before, limit],
  );
  return rows.map((row) => ({ key: row.suite_key, info: toInfo(row) }));
}
