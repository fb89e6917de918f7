import type {
  ChatExportFormat,
  ChatSearchQuery,
  ChatSearchResult,
  ChatSession,
  ChatSessions,
  ChatTurn,
  ChatTurnPageRequest,
  NewChatSession,
  NewChatTurn,
} from "../../contracts/chat.ts";
import {
  checkChatQuery,
  checkNewSession,
  checkNewTurn,
  requireExportFormat,
  requireTitle,
} from "../../contracts/check-chat.ts";
import type { Page, PageRequest } from "../../contracts/documents.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { type CallSite, requireLookupId } from "../../contracts/validate.ts";
import { appendTurn } from "./append-turn.ts";
import { noSession, readSession, requireSession } from "./chat-rows.ts";
import { exportSession } from "./export-session.ts";
import { listSessions, listTurns } from "./list-chat.ts";
import { searchTurns } from "./search-turns.ts";
import { timeOrderedId } from "./time-ordered-id.ts";

/** Chat sessions in a SQL database. */
export class SqlChatSessions implements ChatSessions {
  readonly #db: SqlExecutor;

  /** @param db A migrated database, or a transaction on one; the caller closes it. */
  constructor(db: SqlExecutor) {
    this.#db = db;
  }

  async createSession(session?: NewChatSession): Promise<ChatSession> {
    const { title, metadata } = checkNewSession(at("createSession"), session);
    const now = Date.now();
    const id = timeOrderedId(now);
    await this.#db.run(
      `INSERT INTO chat_sessions (session_id, title, metadata, created_at, updated_at, activity)
       VALUES ($1, $2, $3, $4, $4, (SELECT coalesce(max(activity), 0) + 1 FROM chat_sessions))`,
      [id, title, metadata, now],
    );
    const read = JSON.parse(metadata) as Record<string, unknown>;
    return { id, title, metadata: read, createdAt: now, lastActiveAt: now, turnCount: 0 };
  }

  async getSession(id: string): Promise<ChatSession | undefined> {
    return readSession(this.#db, requireLookupId(at("getSession"), "id", id));
  }

  async listSessions(page?: PageRequest): Promise<Page<ChatSession>> {
    return listSessions(this.#db, page);
  }

  async renameSession(id: string, title: string | null): Promise<ChatSession> {
    const site = at("renameSession");
    const params = [requireLookupId(site, "id", id), requireTitle(site, title)];
    return this.#db.transaction(async (tx) => {
      const { changes } = await tx.run("UPDATE chat_sessions SET title = $2 WHERE session_id = $1", params);
      if (changes === 0) throw noSession(id, "renameSession");
      return requireSession(tx, id, "renameSession");
    });
  }

  async deleteSession(id: string): Promise<boolean> {
    const { changes } = await this.#db.run("DELETE FROM chat_sessions WHERE session_id = $1", [
      requireLookupId(at("deleteSession"), "id", id),
    ]);
    return changes > 0;
  }

  async appendTurn(sessionId: string, turn: NewChatTurn): Promise<ChatTurn> {
    const site = at("appendTurn");
    return appendTurn(this.#db, requireLookupId(site, "sessionId", sessionId), checkNewTurn(site, turn));
  }

  async listTurns(sessionId: string, page?: ChatTurnPageRequest): Promise<Page<ChatTurn>> {
    return listTurns(this.#db, requireLookupId(at("listTurns"), "sessionId", sessionId), page);
  }

  async exportSession(id: string, format: ChatExportFormat): Promise<string> {
    const site = at("exportSession");
    return exportSession(this.#db, requireLookupId(site, "id", id), requireExportFormat(site, format));
  }

  async searchTurns(query: ChatSearchQuery): Promise<ChatSearchResult> {
    return searchTurns(this.#db, checkChatQuery(at("searchTurns"), query));
  }
}

function at(operation: string): CallSite {
  return { capability: "chat", operation };
}
