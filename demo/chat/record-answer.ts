import { type Answer, type ChatTurn, groundCitations, type NewAnswer, type PackedChunk, type Store } from "lodestore";
import { packedSources } from "./packed-sources.ts";
import { readMetadata } from "./turn-metadata.ts";

/** What there is to say of an answer besides its turn. */
export interface AnswerFacts {
  question: string;
  mode: NewAnswer["mode"];
  /** What was put before a model; nothing where none took part. */
  packedChunks: readonly PackedChunk[];
  latencyMs: number;
}

/** Keeps what was answered with what it stands on, beside the turn in which it was said. */
export function recordAnswer(store: Store, turn: ChatTurn, facts: AnswerFacts): Promise<Answer> {
  const { question, mode, packedChunks, latencyMs } = facts;
  const { answer, ended } = readMetadata(turn);
  const { outcome, citations } = groundCitations(turn.text, packedSources(turn.citations));
  const isRefused = answer === "nothing";
  return store.answers.record({
    query: question,
    mode,
    text: turn.text,
    outcome: isRefused ? "refused" : outcome,
    refusalReason: isRefused ? reasonOf(turn) : null,
    citations: isRefused ? [] : citations,
    packedChunks,
    model: turn.model,
    latencyMs,
    metadata: { answer, ...(ended !== null && { ended }) },
    turnId: turn.id,
  });
}

function reasonOf({ citations }: ChatTurn): string {
  return citations.length === 0
    ? "Nothing was found for the question."
    : "No passage that was found holds enough of the question.";
}
