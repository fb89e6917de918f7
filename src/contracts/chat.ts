import type { Page, PageRequest, SourceSpan } from "./documents.ts";
import type { Snippet } from "./search.ts";

export type ChatRole = "system" | "user" | "assistant" | "tool";

/** A conversation: its turns are numbered from 0 without gaps. */
export interface ChatSession {
  /** 32 hex digits; later sessions have greater ids. */
  id: string;
  title: string | null;
  /** JSON values only, at most 64 KiB as JSON. */
  metadata: Record<string, unknown>;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** When its last turn was appended, or when it was made. A new title is no activity. */
  lastActiveAt: number;
  turnCount: number;
}

/** What a turn stands on. It is kept with the turn, so that it can be read when the chunk is gone. */
export interface ChatCitation {
  /** Id of the chunk, 1 to 256 characters. Whether it is still there is not looked at when turns are read. */
  chunkId: string;
  documentId: string;
  /** Title of the document, at most 65,536 characters. */
  title: string;
  workspacePath: string;
  /** Texts of the headings above, outermost first; at most 64. */
  headingPath: string[];
  span: SourceSpan;
}

/** A citation as callers hand it in: whole, or a chunk of this store by its id, of which the rest is then looked up. */
export type NewChatCitation = ChatCitation | { chunkId: string };

/** One contribution to a conversation. It is never changed. */
export interface ChatTurn {
  /** 32 hex digits. */
  id: string;
  sessionId: string;
  /** Place in the session, from 0, without gaps. */
  index: number;
  role: ChatRole;
  text: string;
  citations: ChatCitation[];
  /** What made it: the name of a model. */
  model: string | null;
  metadata: Record<string, unknown>;
  createdAt: number;
}

/** A session as callers hand it in. */
export interface NewChatSession {
  /** 1 to 500 characters. */
  title?: string | null;
  /** JSON values only, at most 64 KiB as JSON; empty by default. */
  metadata?: Record<string, unknown>;
}

/** A turn as callers hand it in. */
export interface NewChatTurn {
  role: ChatRole;
  /** At most 1 MiB as UTF-8; may be empty. */
  text: string;
  /** At most 100. */
  citations?: readonly NewChatCitation[];
  /** 1 to 256 characters. */
  model?: string | null;
  /** JSON values only, at most 64 KiB as JSON; empty by default. */
  metadata?: Record<string, unknown>;
}

export interface ChatTurnPageRequest extends PageRequest {
  /** `oldest` first, by default, or `newest` first. */
  order?: "oldest" | "newest";
}

/** A search over what was said. */
export interface ChatSearchQuery {
  /** What to find, at most 4,096 characters, as {@link SearchQuery.text}: `"a phrase"`, `begin*`, `-not`, and words in any script.
   *  Other forms of an English word are found, too. */
  text: string;
  /** Only in this session. */
  sessionId?: string;
  /** Only turns of this role. */
  role?: ChatRole;
  /** Hits a page, 1 to 1000; 10 by default. */
  k?: number;
  /** `nextCursor` of the page before; the rest of the query must be the same. */
  cursor?: string;
  /** Longest snippet in characters, 40 to 2000; 240 by default. */
  snippetLength?: number;
}

export interface ChatSearchHit {
  turnId: string;
  sessionId: string;
  /** Title of the session. */
  sessionTitle: string | null;
  /** Place of the turn in its session. */
  index: number;
  role: ChatRole;
  snippet: Snippet;
  /** BM25, higher is better; comparable only within one result. */
  score: number;
  createdAt: number;
}

export interface ChatSearchResult {
  /** Best first; of equal scores the newer turn. */
  hits: ChatSearchHit[];
  /** Absent when there is no further page. Turns that come or go between two pages may move hits from one to the next. */
  nextCursor?: string;
}

export type ChatExportFormat = "json" | "markdown";

/** Conversations about what is in the store, kept beside it. Every method is atomic; what it wrote is durable when it resolves. Chat is
 *  no searchable content: it leaves the corpus revision, and `Store.search` does not find it.
 *  @throws StorageError INVALID_INPUT from every method, naming the field; CLOSED, DRIVER, QUOTA_EXCEEDED, CORRUPT, and UNSUPPORTED from
 *    what writes in a store that was opened for reading only */
export interface ChatSessions {
  /** Begins a conversation without turns. */
  createSession(session?: NewChatSession): Promise<ChatSession>;
  /** Returns the session, or `undefined` where there is none. */
  getSession(id: string): Promise<ChatSession | undefined>;
  /** Lists sessions, those with the newest activity first. What becomes active between two pages is not seen again on a later one. */
  listSessions(page?: PageRequest): Promise<Page<ChatSession>>;
  /** Gives a session another title, or none.
   *  @param title 1 to 500 characters, or `null`.
   *  @throws StorageError NOT_FOUND */
  renameSession(id: string, title: string | null): Promise<ChatSession>;
  /** Deletes a session with its turns. @returns whether there was one. */
  deleteSession(id: string): Promise<boolean>;
  /** Appends a turn at the end of a session, which becomes the most recently active one: both, or nothing. Turns that are appended at the
   *  same time get numbers in the order of the calls.
   *  @throws StorageError NOT_FOUND (session, or a cited chunk of which nothing but its id is given)
   *  @example
   *    const { hits } = await store.search({ text: question });
   *    await store.chat.appendTurn(session.id, { role: "user", text: question });
   *    await store.chat.appendTurn(session.id, { role: "assistant", text: answer, citations: hits.map(({ chunkId }) => ({ chunkId })) }); */
  appendTurn(sessionId: string, turn: NewChatTurn): Promise<ChatTurn>;
  /** Lists the turns of a session by number. A page ends early where its texts exceed 16 MiB.
   *  @param page The cursor belongs to the session and the order.
   *  @throws StorageError NOT_FOUND (session) */
  listTurns(sessionId: string, page?: ChatTurnPageRequest): Promise<Page<ChatTurn>>;
  /** Returns a whole session as text, as it was at one moment: JSON that programs read back (`lodestore-chat`, version 1), or Markdown for
   *  people, with its citations as footnotes of each turn.
   *  @throws StorageError NOT_FOUND; UNSUPPORTED where its turns hold more than 64 MiB: page through `listTurns` */
  exportSession(id: string, format: ChatExportFormat): Promise<string>;
  /** Finds turns by their words. */
  searchTurns(query: ChatSearchQuery): Promise<ChatSearchResult>;
}
