import type { ChatTurn } from "../../contracts/chat.ts";
import type { CheckedTurn } from "../../contracts/check-chat.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { noSession, type TurnRow, toTurn } from "./chat-rows.ts";
import { lookUpCitations } from "./cited-chunks.ts";
import { timeOrderedId } from "./time-ordered-id.ts";

const APPEND = { capability: "chat", operation: "appendTurn" } as const;

/** Appends a turn and touches its session, in one transaction: nobody else takes the number in between.
 *  @throws StorageError NOT_FOUND */
export async function appendTurn(db: SqlExecutor, sessionId: string, turn: CheckedTurn): Promise<ChatTurn> {
  const { role, text, model, metadata } = turn;
  return db.transaction(async (tx) => {
    const citations = JSON.stringify(await lookUpCitations(tx, turn.citations, APPEND));
    const now = Date.now();
    const id = timeOrderedId(now);
    const [row] = await tx.all<Pick<TurnRow, "turn_index">>(
      `INSERT INTO chat_turns (turn_id, session_id, turn_index, role, content, citations, model, metadata, created_at)
       SELECT $1, s.session_id,
         (SELECT coalesce(max(t.turn_index) + 1, 0) FROM chat_turns t WHERE t.session_id = s.session_id), $3, $4, $5, $6, $7, $8
       FROM chat_sessions s WHERE s.session_id = $2 RETURNING turn_index`,
      [id, sessionId, role, text, citations, model, metadata, now],
    );
    if (row === undefined) throw noSession(sessionId, "appendTurn");
    await tx.run(
      `UPDATE chat_sessions SET updated_at = $2, activity = (SELECT max(activity) + 1 FROM chat_sessions) WHERE session_id = $1`,
      [sessionId, now],
    );
    const { turn_index } = row;
    return toTurn({
      turn_id: id,
      session_id: sessionId,
      turn_index,
      role,
      content: text,
      citations,
      model,
      metadata,
      created_at: now,
    });
  });
}
