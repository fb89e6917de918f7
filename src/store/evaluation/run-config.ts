import type { CheckedRunOptions, CheckedSuite } from "../../contracts/check-evaluations.ts";
import type { EvalRunConfig } from "../../contracts/evaluations.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { PACKAGE_VERSION } from "../archive/package-version.ts";
import { type SearchCall, searchQueryOf } from "./rank-query.ts";

/** Notes how a run is made. Where vectors take part, the first query that has one is asked once beforehand: the answer says which model
 *  serves, and whether there is one at all.
 *  @throws StorageError what a search throws */
export async function runConfig(
  db: SqlDatabase,
  search: SearchCall,
  suite: CheckedSuite,
  options: CheckedRunOptions,
  signal: AbortSignal,
): Promise<EvalRunConfig> {
  const { k, depth, vectors } = options;
  const counts = await db.get<{ documents: number; chunks: number; schema: number }>(
    `SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM chunks) AS chunks,
       (SELECT max(version) FROM schema_migrations) AS schema`,
  );
  return {
    k,
    depth,
    search: options.search,
    judged: suite.judged,
    ownVectors: vectors !== undefined,
    model: options.search.mode === "lexical" ? null : await servingModel(search, suite, options, signal),
    documents: counts?.documents ?? 0,
    chunks: counts?.chunks ?? 0,
    packageVersion: PACKAGE_VERSION,
    schemaVersion: counts?.schema ?? 0,
    engine: (await db.capabilities()).engine,
  };
}

async function servingModel(
  search: SearchCall,
  { queries }: CheckedSuite,
  options: CheckedRunOptions,
  signal: AbortSignal,
): Promise<EvalRunConfig["model"]> {
  const asking = queries.map((query) => searchQueryOf(query, options)).find((query) => isByVectors(query?.mode));
  if (asking === undefined) return null;
  const { explain } = await search({ ...asking, k: 1, explain: true }, { signal });
  if (explain?.vector === undefined) return null;
  const { modelId, modelVersion, dimensions } = explain.vector;
  return { modelId, modelVersion, dimensions };
}

function isByVectors(mode: string | undefined): boolean {
  return mode === "vector" || mode === "hybrid";
}
