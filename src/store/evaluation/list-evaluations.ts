import { checkRunFilter } from "../../contracts/check-evaluations.ts";
import { checkPage } from "../../contracts/check-page.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { EvalQueryResult, EvalRun, EvalRunFilter, EvalSuiteInfo } from "../../contracts/evaluations.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { decodeChatCursor, encodeChatCursor } from "../chat/chat-cursor.ts";
import { RESULT_COLUMNS, type ResultRow, requireRun, RUN_COLUMNS, type RunRow, toResult, toRun } from "./run-rows.ts";
import { readSuites } from "./suite-rows.ts";

/** Characters that end a page of results. */
const MAX_PAGE_TEXT = 16 * 1024 * 1024;

const SUITES = "suites";

/** Returns a page of suites, the last made first. The cursor is the key of the last. */
export async function listSuites(db: SqlExecutor, page: PageRequest | undefined): Promise<Page<EvalSuiteInfo>> {
  const site: CallSite = { capability: "evaluations", operation: "listSuites" };
  const { limit, cursor } = checkPage(site, page);
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeChatCursor(site, "page.cursor", cursor, SUITES);
  const suites = await readSuites(db, before, limit + 1);
  const items = suites.slice(0, limit).map(({ info }) => info);
  const last = suites[limit - 1];
  if (suites.length <= limit || last === undefined) return { items };
  return { items, nextCursor: encodeChatCursor(SUITES, last.key) };
}

/** Returns a page of runs, the last begun first. The cursor is the place of the last. */
export async function listRuns(
  db: SqlExecutor,
  filter: EvalRunFilter | undefined,
  page: PageRequest | undefined,
): Promise<Page<EvalRun>> {
  const site: CallSite = { capability: "evaluations", operation: "listRuns" };
  const { suite, status } = checkRunFilter(site, filter);
  const { limit, cursor } = checkPage(site, page);
  const list = `runs ${JSON.stringify([suite, status])}`;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeChatCursor(site, "page.cursor", cursor, list);
  const rows = await db.all<RunRow>(
    `SELECT ${RUN_COLUMNS} FROM eval_runs WHERE sequence < $1 AND ($3 IS NULL OR suite = $3) AND ($4 IS NULL OR status = $4)
     ORDER BY sequence DESC LIMIT $2`,
    [before, limit + 1, suite, status],
  );
  const last = rows[limit - 1];
  const items = rows.slice(0, limit).map(toRun);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: encodeChatCursor(list, last.sequence) };
}

/** Returns a page of the results of a run in the order of its suite. The cursor is the place of the next. */
export async function listResults(
  db: SqlExecutor,
  runId: string,
  page: PageRequest | undefined,
): Promise<Page<EvalQueryResult>> {
  const site: CallSite = { capability: "evaluations", operation: "listResults" };
  const { limit, cursor } = checkPage(site, page);
  const list = `results ${runId}`;
  const from = cursor === undefined ? 0 : decodeChatCursor(site, "page.cursor", cursor, list);
  const rows = db.iterate<ResultRow>(
    `SELECT ${RESULT_COLUMNS} FROM eval_query_results WHERE eval_run_id = $1 AND ordinal >= $2 ORDER BY ordinal LIMIT $3`,
    [runId, from, limit + 1],
  );
  const items: EvalQueryResult[] = [];
  let characters = 0;
  for await (const row of rows) {
    if (items.length === limit || characters > MAX_PAGE_TEXT)
      return { items, nextCursor: encodeChatCursor(list, row.ordinal) };
    items.push(toResult(row));
    characters += row.hits.length + row.found.length + row.query.length;
  }
  if (items.length === 0) await requireRun(db, runId, "listResults");
  return { items };
}
