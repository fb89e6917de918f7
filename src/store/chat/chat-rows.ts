import type { ChatCitation, ChatRole, ChatSession, ChatTurn } from "../../contracts/chat.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";

export interface SessionRow {
  session_id: string;
  title: string | null;
  metadata: string;
  created_at: number;
  updated_at: number;
  activity: number;
  turn_count: number;
}

/** Turns have no gaps, so the last one's number says how many there are. */
export const SESSION_COLUMNS = `s.session_id, s.title, s.metadata, s.created_at, s.updated_at, s.activity,
  (SELECT coalesce(max(t.turn_index) + 1, 0) FROM chat_turns t WHERE t.session_id = s.session_id) AS turn_count`;

export function toSession(row: SessionRow): ChatSession {
  return {
    id: row.session_id,
    title: row.title,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    createdAt: row.created_at,
    lastActiveAt: row.updated_at,
    turnCount: row.turn_count,
  };
}

export async function readSession(db: SqlExecutor, id: string): Promise<ChatSession | undefined> {
  const row = await db.get<SessionRow>(`SELECT ${SESSION_COLUMNS} FROM chat_sessions s WHERE s.session_id = $1`, [id]);
  return row === undefined ? undefined : toSession(row);
}

/** @throws StorageError NOT_FOUND */
export async function requireSession(db: SqlExecutor, id: string, operation: string): Promise<ChatSession> {
  const session = await readSession(db, id);
  if (session === undefined) throw noSession(id, operation);
  return session;
}

export function noSession(id: string, operation: string): StorageError {
  const context = { capability: "chat", operation } as const;
  return new StorageError("NOT_FOUND", `there is no chat session "${id}"`, context);
}

export interface TurnRow {
  turn_id: string;
  session_id: string;
  turn_index: number;
  role: ChatRole;
  content: string;
  citations: string;
  model: string | null;
  metadata: string;
  created_at: number;
}

export const TURN_COLUMNS =
  "t.turn_id, t.session_id, t.turn_index, t.role, t.content, t.citations, t.model, t.metadata, t.created_at";

export function toTurn(row: TurnRow): ChatTurn {
  return {
    id: row.turn_id,
    sessionId: row.session_id,
    index: row.turn_index,
    role: row.role,
    text: row.content,
    citations: JSON.parse(row.citations) as ChatCitation[],
    model: row.model,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    createdAt: row.created_at,
  };
}
