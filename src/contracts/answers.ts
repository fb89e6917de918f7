import type { ChatCitation, NewChatCitation } from "./chat.ts";
import type { Page, PageRequest } from "./documents.ts";
import type { SearchMode } from "./search.ts";

/** `grounded`: it cites what it stands on. `ungrounded`: it does not, or not rightly. `refused`: nothing was answered. */
export type AnswerOutcome = "grounded" | "ungrounded" | "refused";

/** A chunk that was put before the model. */
export interface PackedChunk {
  /** 1 to 256 characters. Whether it is still there is not looked at when answers are read. */
  chunkId: string;
  documentId: string;
  /** The number by which the model was told to cite it, from 1. */
  number: number;
  /** Rank among the hits that it came from, from 1; null where it came from no search. */
  rank: number | null;
  /** Score of that hit. */
  score: number | null;
  /** Tokens that it took, 0 to 10,000,000. */
  tokens: number;
}

/** What a model counted. */
export interface AnswerUsage {
  /** 0 to 1,000,000,000; null where nobody counted. */
  promptTokens: number | null;
  completionTokens: number | null;
}

/** An answer that a model gave to a query, with what it stands on. It is never changed. */
export interface Answer {
  /** 32 hex digits; later answers have greater ids. */
  id: string;
  query: string;
  /** How the chunks were searched. */
  mode: SearchMode;
  text: string;
  outcome: AnswerOutcome;
  /** Why nothing was answered, for people; null unless it was refused. */
  refusalReason: string | null;
  /** What it cites, whole, so that it can be read when the chunks are gone. */
  citations: ChatCitation[];
  /** What was put before the model, in that order. */
  packedChunks: PackedChunk[];
  /** The name of a model. */
  model: string | null;
  /** Corpus revision at the moment at which the answer was recorded. */
  corpusRevision: number;
  usage: AnswerUsage;
  /** Milliseconds from the question to the whole answer; null where nobody measured. */
  latencyMs: number | null;
  metadata: Record<string, unknown>;
  /** The conversation it was given in, and the turn. They may be gone. */
  sessionId: string | null;
  turnId: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** An answer as callers hand it in. */
export interface NewAnswer {
  /** 1 to 4,096 characters. */
  query: string;
  mode: SearchMode;
  /** At most 1 MiB as UTF-8; may be empty. */
  text: string;
  /** `grounded` takes at least one citation. By default `grounded` where something is cited, else `ungrounded`. */
  outcome?: AnswerOutcome;
  /** 1 to 4,096 characters; goes with `refused` only. */
  refusalReason?: string | null;
  /** At most 100, as those of a chat turn: whole, or a chunk of this store by its id. */
  citations?: readonly NewChatCitation[];
  /** At most 1,000, each chunk and each number once. */
  packedChunks?: readonly PackedChunk[];
  /** 1 to 256 characters. */
  model?: string | null;
  usage?: { promptTokens?: number | null; completionTokens?: number | null };
  /** 0 to 1e9. */
  latencyMs?: number | null;
  /** JSON values only, at most 64 KiB as JSON; empty by default. */
  metadata?: Record<string, unknown>;
  /** A chat session that is there. */
  sessionId?: string | null;
  /** A turn that is there; its session is known by it. */
  turnId?: string | null;
}

/** Which answers to list. All given conditions must hold. */
export interface AnswerFilter {
  /** Milliseconds since 1970 or ISO 8601: recorded then or later. */
  createdAfter?: number | string;
  /** Recorded before then. */
  createdBefore?: number | string;
  /** One of these, at least one. */
  outcome?: AnswerOutcome | readonly AnswerOutcome[];
  model?: string;
  sessionId?: string;
}

/** Answers that were given from what is in the store, with what they stand on. Every method is atomic; what it wrote is durable when it
 *  resolves. Answers are no searchable content: they leave the corpus revision.
 *  @throws StorageError INVALID_INPUT from every method, naming the field; CLOSED, DRIVER, QUOTA_EXCEEDED, CORRUPT, and UNSUPPORTED from
 *    what writes in a store that was opened for reading only */
export interface Answers {
  /** Keeps an answer. The corpus revision is that of the same transaction, and so is what is looked up of the citations.
   *  @throws StorageError NOT_FOUND (a cited chunk of which nothing but its id is given; the session or the turn)
   *  @example
   *    const { hits } = await store.search({ text: query });
   *    const packed = packChunks(hits, await store.documents.getChunks(hits.map(({ chunkId }) => chunkId)), { maxTokens: 3000 });
   *    const text = await ask(model, query, packed.text);
   *    const { outcome, citations } = groundCitations(text, packed.sources);
   *    await store.answers.record({ query, mode: "lexical", text, outcome, citations, packedChunks: packed.packedChunks }); */
  record(answer: NewAnswer): Promise<Answer>;
  /** Returns the answer, or `undefined` where there is none. */
  get(id: string): Promise<Answer | undefined>;
  /** Lists answers, those that were recorded last first. A page ends early where its texts exceed 16 MiB.
   *  @param page The cursor belongs to the filter. */
  list(filter?: AnswerFilter, page?: PageRequest): Promise<Page<Answer>>;
  /** Deletes an answer. @returns whether there was one. */
  delete(id: string): Promise<boolean>;
}
