import type { Answer } from "../../contracts/answers.ts";
import type { CheckedAnswer } from "../../contracts/check-answers.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { lookUpCitations } from "../chat/cited-chunks.ts";
import { timeOrderedId } from "../chat/time-ordered-id.ts";
import { readCorpusRevision } from "../documents/corpus-revision.ts";
import { ANSWER_COLUMNS, type AnswerRow, toAnswer } from "./answer-rows.ts";

const RECORD = { capability: "answers", operation: "record" } as const;

/** Keeps an answer with the corpus revision and the citations of one moment.
 *  @throws StorageError NOT_FOUND */
export async function recordAnswer(db: SqlExecutor, answer: CheckedAnswer): Promise<Answer> {
  return db.transaction(async (tx) => {
    const citations = await lookUpCitations(tx, answer.citations, RECORD);
    const sessionId = await requireConversation(tx, answer);
    const now = Date.now();
    const row: Omit<AnswerRow, "sequence"> = {
      answer_id: timeOrderedId(now),
      query: answer.query,
      mode: answer.mode,
      answer: answer.text,
      outcome: answer.outcome,
      refusal_reason: answer.refusalReason,
      citations: JSON.stringify(citations),
      packed_chunks: JSON.stringify(answer.packedChunks),
      model: answer.model,
      corpus_revision: await readCorpusRevision(tx),
      prompt_tokens: answer.promptTokens,
      completion_tokens: answer.completionTokens,
      latency_ms: answer.latencyMs,
      metadata: answer.metadata,
      session_id: sessionId,
      turn_id: answer.turnId,
      created_at: now,
    };
    await tx.run(
      `INSERT INTO answers (${ANSWER_COLUMNS})
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
         (SELECT coalesce(max(sequence), 0) + 1 FROM answers))`,
      Object.values(row),
    );
    return toAnswer(row);
  });
}

/** Returns the session that the answer was given in, which that of its turn is. */
async function requireConversation(
  tx: SqlExecutor,
  { sessionId, turnId }: Pick<CheckedAnswer, "sessionId" | "turnId">,
): Promise<string | null> {
  if (turnId === null) {
    if (sessionId === null) return null;
    const session = await tx.get("SELECT 1 AS found FROM chat_sessions WHERE session_id = $1", [sessionId]);
    if (session === undefined) throw notFound(`there is no chat session "${sessionId}"`);
    return sessionId;
  }
  const turn = await tx.get<{ session_id: string }>("SELECT session_id FROM chat_turns WHERE turn_id = $1", [turnId]);
  if (turn === undefined) throw notFound(`there is no chat turn "${turnId}"`);
  if (sessionId !== null && sessionId !== turn.session_id) {
    throw notFound(`the chat session "${sessionId}" has no turn "${turnId}"`);
  }
  return turn.session_id;
}

function notFound(message: string): StorageError {
  return new StorageError("NOT_FOUND", message, RECORD);
}
