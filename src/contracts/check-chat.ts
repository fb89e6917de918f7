import type {
  ChatCitation,
  ChatExportFormat,
  ChatRole,
  ChatSearchQuery,
  ChatTurnPageRequest,
  NewChatSession,
  NewChatTurn,
} from "./chat.ts";
import { checkHeadingPath, checkSpan } from "./check-blocks.ts";
import { MAX_HEADING_LENGTH, MAX_METADATA_BYTES } from "./check-documents.ts";
import { requireJsonObject } from "./check-json.ts";
import { checkPage } from "./check-page.ts";
import { requireWorkspacePath } from "./check-paths.ts";
import { MAX_K, MAX_QUERY_LENGTH, wellFormed } from "./check-search.ts";
import {
  type CallSite,
  invalidInput,
  requireInteger,
  requireList,
  requireLookupId,
  requireObject,
  requireOneOf,
  requireText,
} from "./validate.ts";

/** Longest title of a session, in UTF-16 units. */
export const MAX_CHAT_TITLE_LENGTH = 500;
/** Longest text of a turn, in UTF-8 bytes. */
export const MAX_TURN_BYTES: number = 1024 * 1024;
/** Most citations of a turn. */
export const MAX_CITATIONS = 100;
/** Longest name of a model. */
export const MAX_MODEL_LENGTH = 256;
/** Longest cursor of a search over turns. */
const MAX_CURSOR_LENGTH = 512;

const ROLES: readonly ChatRole[] = ["system", "user", "assistant", "tool"];
const FORMATS: readonly ChatExportFormat[] = ["json", "markdown"];
const ORDERS = ["oldest", "newest"] as const;

const SESSION_KEYS: readonly (keyof NewChatSession)[] = ["title", "metadata"];
const TURN_KEYS: readonly (keyof NewChatTurn)[] = ["role", "text", "citations", "model", "metadata"];
const PAGE_KEYS: readonly (keyof ChatTurnPageRequest)[] = ["limit", "cursor", "order"];
const CITATION_KEYS: readonly (keyof ChatCitation)[] = [
  "chunkId",
  "documentId",
  "title",
  "workspacePath",
  "headingPath",
  "span",
];
const QUERY_KEYS: readonly (keyof ChatSearchQuery)[] = ["text", "sessionId", "role", "k", "cursor", "snippetLength"];

/** A citation that is whole, or of which the rest is to be looked up. */
export type CheckedCitation = ChatCitation | { chunkId: string; documentId?: undefined };

/** A turn that was looked at whole: metadata as JSON text. */
export interface CheckedTurn {
  role: ChatRole;
  text: string;
  citations: CheckedCitation[];
  model: string | null;
  metadata: string;
}

/** Checks a session as callers hand it in. */
export function checkNewSession(site: CallSite, value: unknown): { title: string | null; metadata: string } {
  const { title, metadata } = requireObject(site, "session", value ?? {}, SESSION_KEYS);
  const inner: CallSite = { ...site, within: "session" };
  return { title: requireTitle(inner, title ?? null), metadata: requireMetadata(inner, metadata) };
}

/** Returns the value as a title, or `null`. */
export function requireTitle(site: CallSite, value: unknown): string | null {
  return value === null ? null : requireText(site, "title", value, { max: MAX_CHAT_TITLE_LENGTH });
}

/** Checks a turn as callers hand it in. */
export function checkNewTurn(site: CallSite, value: unknown): CheckedTurn {
  const { role, text, citations, model, metadata } = requireObject(site, "turn", value, TURN_KEYS);
  const inner: CallSite = { ...site, within: "turn" };
  return {
    role: requireOneOf(inner, "role", role, ROLES),
    text: requireTurnText(inner, text),
    citations: requireList(inner, "citations", citations ?? [], 0, MAX_CITATIONS).map((citation, index) =>
      checkCitation({ ...site, within: `turn.citations[${index}]` }, citation),
    ),
    model: model === undefined || model === null ? null : requireText(inner, "model", model, { max: MAX_MODEL_LENGTH }),
    metadata: requireMetadata(inner, metadata),
  };
}

/** Returns the value as the text of a turn: at most 1 MiB as UTF-8. */
export function requireTurnText(site: CallSite, value: unknown): string {
  const text = requireText(site, "text", value, { min: 0, max: MAX_TURN_BYTES });
  const bytes = text.length * 3 <= MAX_TURN_BYTES ? 0 : new TextEncoder().encode(text).byteLength;
  if (bytes <= MAX_TURN_BYTES) return text;
  throw invalidInput(site, "text", value, `a text of at most ${MAX_TURN_BYTES} bytes as UTF-8, this one is ${bytes}`);
}

/** Checks a citation, whole or by its chunk alone. */
export function checkCitation(site: CallSite, value: unknown): CheckedCitation {
  const given = requireObject(site, "", value, CITATION_KEYS);
  const chunkId = requireLookupId(site, "chunkId", given["chunkId"]);
  if (Object.values(given).filter((field) => field !== undefined).length === 1) return { chunkId };
  const { headingPath, span } = given;
  checkHeadingPath(site, headingPath);
  checkSpan(site, span);
  return {
    chunkId,
    documentId: requireLookupId(site, "documentId", given["documentId"]),
    title: requireText(site, "title", given["title"], { min: 0, max: MAX_HEADING_LENGTH }),
    workspacePath: requireWorkspacePath(site, "workspacePath", given["workspacePath"]),
    headingPath,
    span,
  };
}

function requireMetadata(site: CallSite, value: unknown): string {
  return value === undefined ? "{}" : requireJsonObject(site, "metadata", value, MAX_METADATA_BYTES);
}

/** Checks which page of turns is asked for. */
export function checkTurnPage(
  site: CallSite,
  value: unknown,
): { limit: number; cursor: string | undefined; order: "oldest" | "newest" } {
  const { order, ...page } = requireObject(site, "page", value ?? {}, PAGE_KEYS);
  const inner: CallSite = { ...site, within: "page" };
  return { ...checkPage(site, page), order: requireOneOf(inner, "order", order ?? "oldest", ORDERS) };
}

/** Returns the value as a format of exports. */
export function requireExportFormat(site: CallSite, value: unknown): ChatExportFormat {
  return requireOneOf(site, "format", value, FORMATS);
}

/** A search over turns with its defaults filled in. */
export interface CheckedChatQuery {
  text: string;
  sessionId: string | null;
  role: ChatRole | null;
  k: number;
  cursor: string | undefined;
  snippetLength: number;
}

/** Checks a search over turns. */
export function checkChatQuery(site: CallSite, value: unknown): CheckedChatQuery {
  const { text, sessionId, role, k, cursor, snippetLength } = requireObject(site, "query", value, QUERY_KEYS);
  return {
    text: requireText(site, "text", wellFormed(text), { min: 0, max: MAX_QUERY_LENGTH }),
    sessionId: sessionId === undefined ? null : requireLookupId(site, "sessionId", sessionId),
    role: role === undefined ? null : requireOneOf(site, "role", role, ROLES),
    k: requireInteger(site, "k", k ?? 10, 1, MAX_K),
    cursor: cursor === undefined ? undefined : requireText(site, "cursor", cursor, { max: MAX_CURSOR_LENGTH }),
    snippetLength: requireInteger(site, "snippetLength", snippetLength ?? 240, 40, 2000),
  };
}
