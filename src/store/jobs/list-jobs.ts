import { checkJobFilter } from "../../contracts/check-jobs.ts";
import { checkPage } from "../../contracts/check-page.ts";
import type { Page } from "../../contracts/documents.ts";
import type { Job } from "../../contracts/jobs.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { decodeChatCursor, encodeChatCursor } from "../chat/chat-cursor.ts";
import { hash32 } from "../ids.ts";
import { JOB_COLUMNS, type JobRow, toJob } from "./job-rows.ts";

/** Returns a page of jobs, newest first. The cursor is the number of the last. */
export async function listJobs(db: SqlExecutor, given: unknown, request: unknown): Promise<Page<Job>> {
  const site: CallSite = { capability: "jobs", operation: "list" };
  const { kind, status, createdAfter, createdBefore } = checkJobFilter(site, given);
  const { limit, cursor } = checkPage(site, request);
  const list = `jobs ${hash32(JSON.stringify([kind, status, createdAfter, createdBefore]))}`;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeChatCursor(site, "page.cursor", cursor, list);
  // A condition that is not asked for is left out, for a plan is made before the parameters are known.
  const conditions = ["sequence < $1"];
  const params: (string | number)[] = [before];
  const meets = (condition: string, value: string | number | null): void => {
    if (value !== null) conditions.push(`${condition} $${params.push(value)}`);
  };
  meets("kind =", kind);
  meets("status =", status);
  meets("created_at >=", createdAfter);
  meets("created_at <", createdBefore);
  const rows = await db.all<JobRow & { sequence: number }>(
    `SELECT ${JOB_COLUMNS}, sequence FROM jobs WHERE ${conditions.join(" AND ")} ORDER BY sequence DESC LIMIT $${params.push(limit + 1)}`,
    params,
  );
  const last = rows[limit - 1];
  const items = rows.slice(0, limit).map(toJob);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: encodeChatCursor(list, last.sequence) };
}
