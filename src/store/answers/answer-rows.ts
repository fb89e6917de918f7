import type { Answer, AnswerOutcome, PackedChunk } from "../../contracts/answers.ts";
import type { ChatCitation } from "../../contracts/chat.ts";
import type { SearchMode } from "../../contracts/search.ts";

export interface AnswerRow {
  answer_id: string;
  query: string;
  mode: SearchMode;
  answer: string;
  outcome: AnswerOutcome;
  refusal_reason: string | null;
  citations: string;
  packed_chunks: string;
  model: string | null;
  corpus_revision: number;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  latency_ms: number | null;
  metadata: string;
  session_id: string | null;
  turn_id: string | null;
  created_at: number;
  sequence: number;
}

export const ANSWER_COLUMNS = `answer_id, query, mode, answer, outcome, refusal_reason, citations, packed_chunks, model, corpus_revision,
  prompt_tokens, completion_tokens, latency_ms, metadata, session_id, turn_id, created_at, sequence`;

export function toAnswer(row: Omit<AnswerRow, "sequence">): Answer {
  return {
    id: row.answer_id,
    query: row.query,
    mode: row.mode,
    text: row.answer,
    outcome: row.outcome,
    refusalReason: row.refusal_reason,
    citations: JSON.parse(row.citations) as ChatCitation[],
    packedChunks: JSON.parse(row.packed_chunks) as PackedChunk[],
    model: row.model,
    corpusRevision: row.corpus_revision,
    usage: { promptTokens: row.prompt_tokens, completionTokens: row.completion_tokens },
    latencyMs: row.latency_ms,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    sessionId: row.session_id,
    turnId: row.turn_id,
    createdAt: row.created_at,
  };
}
