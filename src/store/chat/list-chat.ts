import type { ChatSession, ChatTurn, ChatTurnPageRequest } from "../../contracts/chat.ts";
import { checkTurnPage } from "../../contracts/check-chat.ts";
import { checkPage } from "../../contracts/check-page.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { decodeChatCursor, encodeChatCursor } from "./chat-cursor.ts";
import {
  requireSession,
  SESSION_COLUMNS,
  type SessionRow,
  toSession,
  toTurn,
  TURN_COLUMNS,
  type TurnRow,
} from "./chat-rows.ts";

/** Characters of text that end a page of turns. */
const MAX_PAGE_TEXT = 16 * 1024 * 1024;

const SESSIONS = "sessions";

/** Returns a page of sessions, newest activity first. The cursor is the activity of the last. */
export async function listSessions(db: SqlExecutor, page: PageRequest | undefined): Promise<Page<ChatSession>> {
  const site: CallSite = { capability: "chat", operation: "listSessions" };
  const { limit, cursor } = checkPage(site, page);
  const before =
    cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeChatCursor(site, "page.cursor", cursor, SESSIONS);
  const rows = await db.all<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM chat_sessions s WHERE s.activity < $1 ORDER BY s.activity DESC LIMIT $2`,
    [before, limit + 1],
  );
  const last = rows[limit - 1];
  const items = rows.slice(0, limit).map(toSession);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextCursor: encodeChatCursor(SESSIONS, last.activity) };
}

/** Returns a page of turns in order of their numbers. The cursor is the number of the next. */
export async function listTurns(
  db: SqlExecutor,
  sessionId: string,
  page: ChatTurnPageRequest | undefined,
): Promise<Page<ChatTurn>> {
  const site: CallSite = { capability: "chat", operation: "listTurns" };
  const { limit, cursor, order } = checkTurnPage(site, page);
  const list = `${order} ${sessionId}`;
  const first = order === "oldest" ? 0 : Number.MAX_SAFE_INTEGER;
  const from = cursor === undefined ? first : decodeChatCursor(site, "page.cursor", cursor, list);
  const range = order === "oldest" ? ">= $2 ORDER BY t.turn_index" : "<= $2 ORDER BY t.turn_index DESC";
  const rows = db.iterate<TurnRow>(
    `SELECT ${TURN_COLUMNS} FROM chat_turns t WHERE t.session_id = $1 AND t.turn_index ${range} LIMIT $3`,
    [sessionId, from, limit + 1],
  );
  const items: ChatTurn[] = [];
  let characters = 0;
  for await (const row of rows) {
    if (items.length === limit || characters > MAX_PAGE_TEXT)
      return { items, nextCursor: encodeChatCursor(list, row.turn_index) };
    items.push(toTurn(row));
    characters += row.content.length;
  }
  if (items.length === 0) await requireSession(db, sessionId, "listTurns");
  return { items };
}
