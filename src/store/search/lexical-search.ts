import type { SearchExplain, SearchHit, SearchQuery, SearchResult } from "../../contracts/search.ts";
import { checkSearchQuery, type CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { SqlDatabase, SqlValue } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { compileDocumentFilter } from "../document-filter.ts";
import { TermStatistics } from "./statistics.ts";
import { decodeCursor, encodeCursor, type SearchCursor } from "./cursor.ts";
import { planSearch, type Tier } from "./plan.ts";
import { parseQuery } from "./query.ts";
import { makeSnippet, type Marker, prepareMarks } from "./snippet.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** BM25 weights of the columns heading, text and forms; measured on Cranfield, CACM and CMRC2018 (DESIGN.md). */
const WEIGHTS = "2.0, 1.0, 1.0";

interface HitRow {
  chunk_key: number;
  score: number;
  revision: string;
  chunk_id: string;
  document_id: string;
  title: string;
  heading_path: string;
  workspace_path: string;
  line_start: number;
  line_end: number;
  text: string;
}

/** Finds chunks by their words: BM25 over the text index. */
export class LexicalSearch {
  readonly #db: SqlDatabase;
  readonly #statistics: TermStatistics;

  constructor(db: SqlDatabase) {
    this.#db = db;
    this.#statistics = new TermStatistics(db);
  }

  /** Answers a query; see `Store.search`. */
  async search(query: SearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    const checked = checkSearchQuery(query);
    if (checked.mode !== "lexical") throw unsupportedMode(checked.mode);
    const steps: SearchExplain["steps"] = [];
    const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      throwIfAborted(options.signal);
      const start = performance.now();
      const result = await work();
      steps.push({ name, ms: performance.now() - start });
      return result;
    };

    const cursor = checked.cursor === undefined ? undefined : decodeCursor(checked.cursor, fingerprint(checked));
    const parsed = parseQuery(checked.text, checked);
    const statistics = await timed("revision", () => this.#statistics.current());
    const plan = await timed("plan", () => planSearch(parsed, statistics));
    const rows = await this.#read(plan.tiers, checked, cursor, timed);
    const marker = prepareMarks(parsed.marks, checked.stemming !== "off");
    const start = performance.now();
    const hits = rows.found.map((row, index) =>
      toHit(row, (cursor?.rank ?? 0) + index + 1, marker, checked.snippetLength),
    );
    steps.push({ name: "snippets", ms: performance.now() - start });
    return {
      hits,
      ...(rows.next === undefined ? {} : { nextCursor: encodeCursor(rows.next) }),
      revision: rows.found[0] === undefined ? statistics.revision : Number(rows.found[0].revision),
      ...(checked.explain ? { explain: explain(checked, plan.tiers, plan.commonWords, steps) } : {}),
    };
  }

  /** Reads tier after tier until the page is full. */
  async #read(
    tiers: readonly Tier[],
    query: CheckedSearchQuery,
    cursor: SearchCursor | undefined,
    timed: <T>(name: string, work: () => Promise<T>) => Promise<T>,
  ): Promise<{ found: HitRow[]; next: SearchCursor | undefined }> {
    const found: HitRow[] = [];
    let lastTier = cursor?.tier ?? 0;
    for (let index = lastTier; index < tiers.length; index++) {
      const tier = tiers[index];
      if (tier === undefined) break;
      const after = cursor !== undefined && index === cursor.tier ? cursor : undefined;
      const wanted = query.k - found.length + 1;
      const rows = await timed(tier.name, () => this.#readTier(tier, query, after, wanted));
      const room = query.k - found.length;
      if (room > 0 && rows.length > 0) lastTier = index;
      found.push(...rows.slice(0, room));
      if (rows.length > room) {
        const last = found.at(-1);
        if (last === undefined) break;
        const next: SearchCursor = {
          query: fingerprint(query),
          tier: lastTier,
          score: last.score,
          key: last.chunk_key,
          rank: (cursor?.rank ?? 0) + found.length,
        };
        return { found, next };
      }
    }
    return { found, next: undefined };
  }

  #readTier(tier: Tier, query: CheckedSearchQuery, after: SearchCursor | undefined, limit: number): Promise<HitRow[]> {
    const params: SqlValue[] = [tier.ranking];
    const conditions = ["chunks_fts MATCH $1"];
    // The unary plus keeps SQLite from driving the text index row by row through the subquery.
    if (tier.must !== undefined) {
      params.push(tier.must);
      conditions.push(`+rowid IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $${params.length})`);
    }
    if (query.filters !== undefined) {
      const filter = compileDocumentFilter(query.filters, params.length + 1, SITE);
      params.push(...filter.params);
      conditions.push(
        `+rowid IN (SELECT c.chunk_key FROM documents d JOIN chunks c ON c.document_key = d.document_key WHERE ${filter.sql})`,
      );
    }
    const matching = `SELECT rowid AS chunk_key, bm25(chunks_fts, ${WEIGHTS}) AS score FROM chunks_fts WHERE ${conditions.join(" AND ")}`;
    let page = `${matching} ORDER BY score, rowid LIMIT $${params.length + 1}`;
    if (after !== undefined) {
      // FTS5 scores are negative, best first; materialised so that every row is scored once.
      page =
        `SELECT * FROM (SELECT * FROM (${matching} LIMIT -1 OFFSET 0)) WHERE (score, chunk_key) > ($${params.length + 2}, $${params.length + 3}) ` +
        `ORDER BY score, chunk_key LIMIT $${params.length + 1}`;
    }
    params.push(limit);
    if (after !== undefined) params.push(-after.score, after.key);
    return this.#db.all<HitRow>(
      `WITH page AS MATERIALIZED (${page})
         SELECT page.chunk_key, -page.score AS score, c.chunk_id, c.heading_path, c.line_start, c.line_end, c.text,
                d.document_id, d.title, d.workspace_path,
                (SELECT value FROM kv WHERE key = 'corpus_revision') AS revision
         FROM page CROSS JOIN chunks c ON c.chunk_key = page.chunk_key
         JOIN documents d ON d.document_key = c.document_key
         ORDER BY page.score, page.chunk_key`,
      params,
    );
  }
}

function toHit(row: HitRow, rank: number, marker: Marker, snippetLength: number): SearchHit {
  const headingPath = JSON.parse(row.heading_path) as string[];
  return {
    chunkId: row.chunk_id,
    documentId: row.document_id,
    title: row.title,
    headingPath,
    snippet: makeSnippet(row.text, marker, snippetLength),
    citation: {
      workspacePath: row.workspace_path,
      headingPath,
      span: { kind: "line", start: row.line_start, end: row.line_end },
    },
    score: row.score,
    scoreKind: "bm25",
    lexicalRank: rank,
    lexicalScore: row.score,
    vectorRank: null,
    vectorScore: null,
  };
}

function explain(
  query: CheckedSearchQuery,
  tiers: readonly Tier[],
  commonWords: string[],
  steps: SearchExplain["steps"],
): SearchExplain {
  return {
    mode: query.mode,
    tiers: tiers.map((tier) => ({ name: tier.name, ranking: tier.ranking, must: tier.must ?? null })),
    commonWords,
    stemming: query.stemming,
    steps,
  };
}

/** Fingerprint of everything that decides which rows come in which order. */
function fingerprint(query: CheckedSearchQuery): string {
  const text = JSON.stringify([
    query.text,
    query.mode,
    query.stemming,
    query.plainText,
    query.prefixLast,
    query.filters ?? null,
  ]);
  // FNV-1a: guards against mix-ups, not against attack; a forged cursor only moves the page.
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new StorageError("ABORTED", "the search was aborted", {
      capability: "search",
      operation: "search",
      cause: signal.reason,
    });
  }
}

function unsupportedMode(mode: string): StorageError {
  return new StorageError("UNSUPPORTED", `mode "${mode}" needs a vector index; this store searches "lexical"`, {
    capability: "search",
    operation: "search",
  });
}
