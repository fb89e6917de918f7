import type { Answer, AnswerFilter } from "../../contracts/answers.ts";
import { checkAnswerFilter, type CheckedAnswerFilter } from "../../contracts/check-answers.ts";
import { checkPage } from "../../contracts/check-page.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { SqlExecutor, SqlValue } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { decodeChatCursor, encodeChatCursor } from "../chat/chat-cursor.ts";
import { ANSWER_COLUMNS, type AnswerRow, toAnswer } from "./answer-rows.ts";

/** Characters of text that end a page. */
const MAX_PAGE_TEXT = 16 * 1024 * 1024;

/** Returns a page of answers, the last recorded first. The cursor is the place of the last one. */
export async function listAnswers(
  db: SqlExecutor,
  filter: AnswerFilter | undefined,
  page: PageRequest | undefined,
): Promise<Page<Answer>> {
  const site: CallSite = { capability: "answers", operation: "list" };
  const checked = checkAnswerFilter(site, filter);
  const { limit, cursor } = checkPage(site, page);
  const list = `answers ${JSON.stringify(Object.values(checked))}`;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeChatCursor(site, "page.cursor", cursor, list);
  const { where, params } = conditions(checked);
  const rows = db.iterate<AnswerRow>(
    `SELECT ${ANSWER_COLUMNS} FROM answers WHERE sequence < $1 AND ${where} ORDER BY sequence DESC LIMIT $2`,
    [before, limit + 1, ...params],
  );
  const items: Answer[] = [];
  let last = 0;
  let characters = 0;
  for await (const row of rows) {
    if (items.length === limit || characters > MAX_PAGE_TEXT)
      return { items, nextCursor: encodeChatCursor(list, last) };
    items.push(toAnswer(row));
    last = row.sequence;
    characters += row.answer.length + row.citations.length + row.packed_chunks.length + row.metadata.length;
  }
  return { items };
}

/** What must hold, with parameters from $3 on. */
function conditions(filter: CheckedAnswerFilter): { where: string; params: SqlValue[] } {
  const { createdAfter, createdBefore, outcomes, model, sessionId } = filter;
  const params: SqlValue[] = [];
  const found = ["1"];
  const add = (condition: (place: string) => string, value: SqlValue): void => {
    params.push(value);
    found.push(condition(`$${params.length + 2}`));
  };
  if (createdAfter !== null) add((place) => `created_at >= ${place}`, createdAfter);
  if (createdBefore !== null) add((place) => `created_at < ${place}`, createdBefore);
  if (outcomes !== null) add((place) => `outcome IN (SELECT value FROM json_each(${place}))`, JSON.stringify(outcomes));
  if (model !== null) add((place) => `model = ${place}`, model);
  if (sessionId !== null) add((place) => `session_id = ${place}`, sessionId);
  return { where: found.join(" AND "), params };
}
