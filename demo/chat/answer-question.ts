import type { ChatTurn, NewChatTurn, PackedChunk } from "lodestore";
import { complete } from "./completion.ts";
import type { EndpointChoice } from "./endpoint-choice.ts";
import { extractAnswer, extractText } from "./extract-answer.ts";
import { packPassages } from "./pack-passages.ts";
import { citationOf, type Passage } from "./passage.ts";
import { promptFor } from "./prompt.ts";
import { metadataOf } from "./turn-metadata.ts";

export const NOTHING_ANSWERS = "Nothing in your documents answers this.";

/** Share of the context that is for the last turns. */
const HISTORY_SHARE = 0.25;

/** An answer as a turn, and what was put before the model that gave it. */
export interface MadeAnswer {
  turn: NewChatTurn;
  packedChunks: PackedChunk[];
}

interface AnswerOptions {
  /** `null` where no model is connected. */
  model: EndpointChoice | null;
  /** Turns before the question, oldest first. */
  turns: readonly Pick<ChatTurn, "role" | "text">[];
  signal: AbortSignal;
  /** Called with the passages that the answer is made from, and with the answer as far as it is there. */
  onProgress: (passages: readonly Passage[], text: string) => void;
}

/** Answers a question from the passages that were found for it. Stopping keeps what a model said until then.
 *  @throws CompletionError; the signal's reason where nothing was said before it aborted */
export async function answerQuestion(
  question: string,
  passages: readonly Passage[],
  { model, turns, signal, onProgress }: AnswerOptions,
): Promise<MadeAnswer> {
  if (passages.length === 0 || model === null) return { turn: withoutModel(question, passages), packedChunks: [] };
  const { endpoint, contextTokens } = model;
  const historyTokens = Math.floor(contextTokens * HISTORY_SHARE);
  const { context, passages: packed } = packPassages(passages, contextTokens - historyTokens);
  let said = "";
  const made = (text: string, ended: "stopped" | "limit" | null): MadeAnswer => ({
    turn: {
      role: "assistant",
      text,
      citations: packed.map(citationOf),
      model: endpoint.model,
      metadata: metadataOf("model", packed, ended),
    },
    packedChunks: context.packedChunks,
  });
  onProgress(packed, said);
  try {
    const { text, isWhole } = await complete(endpoint, promptFor(question, context.text, turns, { historyTokens }), {
      signal,
      onText(piece) {
        said += piece;
        onProgress(packed, said);
      },
    });
    return made(text, isWhole ? null : "limit");
  } catch (error) {
    if (!signal.aborted || said.trim() === "") throw error;
    return made(said, "stopped");
  }
}

/** The sentences of the passages that answer, or that there are none. */
function withoutModel(question: string, passages: readonly Passage[]): NewChatTurn {
  const extract = extractAnswer(question, passages);
  return {
    role: "assistant",
    text: extract === null ? NOTHING_ANSWERS : extractText(extract),
    citations: passages.map(citationOf),
    metadata: metadataOf(extract === null ? "nothing" : "extract", passages),
  };
}
