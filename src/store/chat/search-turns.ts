import type { ChatRole, ChatSearchHit, ChatSearchResult } from "../../contracts/chat.ts";
import type { CheckedChatQuery } from "../../contracts/check-chat.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import { hash32 } from "../ids.ts";
import { allOf, anyOf, EXACT_COLUMNS, without } from "../search/expressions.ts";
import { parseQuery, type ParsedQuery } from "../search/query.ts";
import { type Marker, prepareMarks } from "../search/snippet.ts";
import { decodeChatCursor, encodeChatCursor } from "./chat-cursor.ts";
import { turnSnippet } from "./turn-snippet.ts";

interface RankedTurn {
  key: number;
  score: number;
}

interface HitRow {
  turn_id: string;
  session_id: string;
  title: string | null;
  turn_index: number;
  role: ChatRole;
  content: string;
  created_at: number;
  score: number;
}

const SITE: CallSite = { capability: "chat", operation: "searchTurns" };

/** Finds turns by their words, ranked by FTS5's BM25. The cursor is the number of hits before the page. */
export async function searchTurns(db: SqlExecutor, query: CheckedChatQuery): Promise<ChatSearchResult> {
  const { text, sessionId, role, k, cursor, snippetLength } = query;
  const list = hash32(JSON.stringify([text, sessionId, role]));
  const from = cursor === undefined ? 0 : decodeChatCursor(SITE, "cursor", cursor, list);
  const parsed = parseQuery(text, { stemming: "match", plainText: false, prefixLast: false }, SITE);
  const expression = expressionOf(parsed);
  if (expression === undefined) return { hits: [] };
  const ranked = await db.all<RankedTurn>(
    `SELECT t.turn_key AS key, -bm25(chat_turns_fts) AS score
     FROM chat_turns_fts CROSS JOIN chat_turns t ON t.turn_key = chat_turns_fts.rowid
     WHERE chat_turns_fts MATCH $1 AND ($2 IS NULL OR t.session_id = $2) AND ($3 IS NULL OR t.role = $3)
     ORDER BY score DESC, key DESC LIMIT $4 OFFSET $5`,
    [expression, sessionId, role, k + 1, from],
  );
  const marker = prepareMarks(parsed.marks, true);
  const hits = await describe(db, ranked.slice(0, k), marker, snippetLength);
  return ranked.length <= k ? { hits } : { hits, nextCursor: encodeChatCursor(list, from + k) };
}

/** What turns must hold, as FTS5 reads it; undefined where nothing is asked for. */
function expressionOf({ terms, required, excluded }: ParsedQuery): string | undefined {
  const telling = terms.filter(({ functionWord }) => !functionWord);
  const words = (telling.length === 0 ? terms : telling).map(({ ranking }) => ranking);
  if (words.length === 0) return undefined;
  const any = anyOf([...new Set([...words, ...required])]);
  const wanted = required.length === 0 ? any : `${allOf(required)} AND (${any})`;
  // The index over turns has no headings. What a person typed is words between quotes, in which no brace stands.
  return without(wanted, excluded).replaceAll(EXACT_COLUMNS, "{text}");
}

/** Reads texts one by one: each may be a megabyte. */
async function describe(
  db: SqlExecutor,
  ranked: readonly RankedTurn[],
  marker: Marker,
  snippetLength: number,
): Promise<ChatSearchHit[]> {
  const rows = db.iterate<HitRow>(
    `SELECT t.turn_id, t.session_id, s.title, t.turn_index, t.role, t.content, t.created_at, wanted.value ->> 'score' AS score
     FROM json_each($1) wanted CROSS JOIN chat_turns t ON t.turn_key = wanted.value ->> 'key'
     JOIN chat_sessions s ON s.session_id = t.session_id ORDER BY wanted.key`,
    [JSON.stringify(ranked)],
  );
  const hits: ChatSearchHit[] = [];
  for await (const row of rows) {
    hits.push({
      turnId: row.turn_id,
      sessionId: row.session_id,
      sessionTitle: row.title,
      index: row.turn_index,
      role: row.role,
      snippet: turnSnippet(row.content, marker, snippetLength),
      score: row.score,
      createdAt: row.created_at,
    });
  }
  return hits;
}
