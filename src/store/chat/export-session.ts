import type { ChatExportFormat, ChatSession, ChatTurn } from "../../contracts/chat.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { noSession, requireSession, toTurn, TURN_COLUMNS, type TurnRow } from "./chat-rows.ts";
import { sessionMarkdown } from "./session-markdown.ts";

/** Most bytes of turns that are put into one text. */
const MAX_EXPORT_BYTES = 64 * 1024 * 1024;

/** Returns a session with the turns that it had when it was looked up: turns are only ever appended.
 *  @throws StorageError NOT_FOUND, UNSUPPORTED (too large) */
export async function exportSession(db: SqlExecutor, id: string, format: ChatExportFormat): Promise<string> {
  const session = await requireSession(db, id, "exportSession");
  await requireExportable(db, id);
  const rows = await db.all<TurnRow>(
    `SELECT ${TURN_COLUMNS} FROM chat_turns t WHERE t.session_id = $1 AND t.turn_index < $2 ORDER BY t.turn_index`,
    [id, session.turnCount],
  );
  if (rows.length < session.turnCount) throw noSession(id, "exportSession");
  const turns = rows.map(toTurn);
  return format === "json" ? sessionJson(session, turns) : sessionMarkdown(session, turns);
}

async function requireExportable(db: SqlExecutor, id: string): Promise<void> {
  const row = await db.get<{ bytes: number }>(
    `SELECT coalesce(sum(octet_length(content) + octet_length(citations) + octet_length(metadata)), 0) AS bytes
     FROM chat_turns WHERE session_id = $1`,
    [id],
  );
  const bytes = row?.bytes ?? 0;
  if (bytes <= MAX_EXPORT_BYTES) return;
  const message = `chat session "${id}" holds ${bytes} bytes, and one text takes ${MAX_EXPORT_BYTES}: page through its turns`;
  throw new StorageError("UNSUPPORTED", message, { capability: "chat", operation: "exportSession" });
}

function sessionJson(session: ChatSession, turns: readonly ChatTurn[]): string {
  return `${JSON.stringify({ format: "lodestore-chat", formatVersion: 1, session, turns }, null, 2)}\n`;
}
