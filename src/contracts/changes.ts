/** What a change is about. `documents`: a document with its passages and tags. `embeddings`: which embeddings are searched; one change
 *  stands for a batch. `jobs`: a job or its progress. `chat`: sessions and their turns. */
export type ChangeTopic = "documents" | "embeddings" | "jobs" | "chat" | "answers" | "evaluations";

/** One change that was committed, as a subscriber hears of it. */
export interface Change {
  /** Rises from change to change, not always by one. What comes after it: `subscribe({ since: sequence })`. */
  sequence: number;
  /** Null in a `reset`. */
  topic: ChangeTopic | null;
  /** `reset`: what came since is no longer in the log, whatever the topics: read everything anew; what comes after it follows. */
  kind: "inserted" | "updated" | "deleted" | "reset";
  /** Id of the document, job, session, turn, answer or evaluation; of embeddings, the model; null in a `reset`. */
  id: string | null;
  /** Of a document: what the corpus revision is at least, now that the change is there. */
  corpusRevision: number | null;
  /** Milliseconds since 1970; in a `reset` when it was noticed. */
  at: number;
  /** The session, in `chat`. */
  sessionId?: string;
  /** Place of a turn in its session, from 0. A change of the session itself has none. */
  turnIndex?: number;
}

export interface SubscribeOptions {
  /** What to hear of; everything by default. At least one. */
  topics?: readonly ChangeTopic[];
  /** The changes after this one, 0 for all that the log has; by default those that are committed from now on. */
  since?: number;
  /** Ends the subscription: a `next` that waits, or the next one, rejects with ABORTED. */
  signal?: AbortSignal;
}
