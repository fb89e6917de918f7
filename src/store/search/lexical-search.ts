import type { SearchExplain, SearchHit, SearchQuery, SearchResult } from "../../contracts/search.ts";
import { checkSearchQuery, type CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { SqlDatabase, SqlValue } from "../../contracts/sql.ts";
import { compileDocumentFilter } from "../document-filter.ts";
import { TermStatistics } from "./statistics.ts";
import { decodeLexicalCursor, encodeLexicalCursor, type LexicalCursor } from "./cursor.ts";
import { fingerprint } from "./fingerprint.ts";
import type { RankedKey } from "./fuse.ts";
import { describeHit, HIT_COLUMNS, type HitRow } from "./hit-rows.ts";
import { planSearch, type SearchPlan, type Tier } from "./plan.ts";
import { allOf, type Mark, parseQuery, without } from "./query.ts";
import { type Marker, prepareMarks } from "./snippet.ts";
import { timing, type Timed } from "./timing.ts";

const SITE = { capability: "search", operation: "search" } as const;

/** BM25 weights of the columns heading, text and forms; measured on Cranfield, CACM and CMRC2018 (DESIGN.md). */
const WEIGHTS = "2.0, 1.0, 1.0";

/** A hit row with its score. */
interface ScoredRow extends HitRow {
  score: number;
}

/** A ranking without what its hits show. */
export interface LexicalRanking {
  ranked: RankedKey[];
  marks: Mark[];
  plan: SearchPlan;
  revision: number;
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
    return this.answer(checkSearchQuery(query), options);
  }

  /** Answers a query that was checked. */
  async answer(checked: CheckedSearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    const steps: SearchExplain["steps"] = [];
    const timed = timing(steps, options.signal);

    const cursor = checked.cursor === undefined ? undefined : decodeLexicalCursor(checked.cursor, fingerprint(checked));
    const parsed = parseQuery(checked.text, checked);
    const statistics = await timed("revision", () => this.#statistics.current());
    const plan = await timed("plan", () => planSearch(parsed, statistics));
    const rows = await this.#read(plan.tiers, checked, cursor, timed);
    const marker = prepareMarks(parsed.marks, checked.stemming !== "off");
    const start = performance.now();
    const hits = rows.found.map((row, index) =>
      lexicalHit(row, (cursor?.rank ?? 0) + index + 1, marker, checked.snippetLength),
    );
    steps.push({ name: "snippets", ms: performance.now() - start });
    return {
      hits,
      ...(rows.next === undefined ? {} : { nextCursor: encodeLexicalCursor(fingerprint(checked), rows.next) }),
      revision: rows.found[0] === undefined ? statistics.revision : Number(rows.found[0].revision),
      ...(checked.explain ? { explain: explainLexical(checked, plan, steps) } : {}),
    };
  }

  /** Ranks the first `depth` chunks, without reading what they hold. */
  async rank(checked: CheckedSearchQuery, depth: number, timed: Timed): Promise<LexicalRanking> {
    const parsed = parseQuery(checked.text, checked);
    const statistics = await timed("revision", () => this.#statistics.current());
    const plan = await timed("plan", () => planSearch(parsed, statistics));
    const ranked: RankedKey[] = [];
    for (const tier of plan.tiers) {
      const limit = depth - ranked.length;
      if (limit === 0) break;
      const rows = await timed(tier.name, () =>
        bestRows(tier, limit, (among) => {
          const { page, params } = tierPage(tier, among, checked, undefined, limit);
          return this.#db.all<RankedKey>(
            `WITH page AS MATERIALIZED (${page})
               SELECT chunk_key AS chunkKey, -score AS score FROM page ORDER BY page.score, chunk_key`,
            params,
          );
        }),
      );
      ranked.push(...rows);
    }
    return { ranked, marks: parsed.marks, plan, revision: statistics.revision };
  }

  /** What the words of a query mark in a snippet. */
  marksOf(checked: CheckedSearchQuery): Mark[] {
    return parseQuery(checked.text, checked).marks;
  }

  /** Corpus revision as of now. */
  async revision(): Promise<number> {
    return (await this.#statistics.current()).revision;
  }

  /** Reads tier after tier until the page is full. */
  async #read(
    tiers: readonly Tier[],
    query: CheckedSearchQuery,
    cursor: LexicalCursor | undefined,
    timed: Timed,
  ): Promise<{ found: ScoredRow[]; next: LexicalCursor | undefined }> {
    const found: ScoredRow[] = [];
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
        const next: LexicalCursor = {
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

  #readTier(
    tier: Tier,
    query: CheckedSearchQuery,
    after: LexicalCursor | undefined,
    limit: number,
  ): Promise<ScoredRow[]> {
    return bestRows(tier, limit, (among) => {
      const { page, params } = tierPage(tier, among, query, after, limit);
      return this.#db.all<ScoredRow>(
        `WITH page AS MATERIALIZED (${page})
           SELECT -page.score AS score, ${HIT_COLUMNS}
           FROM page CROSS JOIN chunks c ON c.chunk_key = page.chunk_key
           JOIN documents d ON d.document_key = c.document_key
           ORDER BY page.score, page.chunk_key`,
        params,
      );
    });
  }
}

/** Reads the best rows of a tier: some of its rows first, and what they show to be needed; in the end mostly not all.
 *  @param wanted How many.
 *  @param read Reads the rows that match an expression, or all. */
async function bestRows<Row extends { score: number }>(
  tier: Tier,
  wanted: number,
  read: (among: string | undefined) => Promise<Row[]>,
): Promise<Row[]> {
  let part = tier.pruning?.probe(wanted);
  for (let looks = 0; part !== undefined && looks < 2; looks++) {
    const rows = await read(part.rows);
    const floor = rows[wanted - 1]?.score ?? 0;
    if (floor > part.most) return rows;
    part = tier.pruning?.above(floor);
  }
  return read(undefined);
}

/** SQL of one page of a tier: `chunk_key` and `score`, which FTS5 gives as a negative number, best first.
 *  @param among Only rows that match this. */
function tierPage(
  tier: Tier,
  among: string | undefined,
  query: CheckedSearchQuery,
  after: LexicalCursor | undefined,
  limit: number,
): { page: string; params: SqlValue[] } {
  const params: SqlValue[] = [tier.ranking];
  const conditions = ["chunks_fts MATCH $1"];
  // The unary plus keeps SQLite from driving the text index row by row through the subquery.
  if (among !== undefined) {
    params.push(tier.must === undefined ? among : allOf([tier.must, among]));
    conditions.push(`+rowid IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $${params.length})`);
  } else if (tier.must !== undefined) {
    // Fewer rows match without it than with it.
    params.push(without(tier.ranking, [tier.must]));
    conditions.push(`+rowid NOT IN (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH $${params.length})`);
  }
  if (query.filters !== undefined) {
    const filter = compileDocumentFilter(query.filters, params.length + 1, SITE);
    params.push(...filter.params);
    conditions.push(
      `+rowid IN (SELECT c.chunk_key FROM documents d JOIN chunks c ON c.document_key = d.document_key WHERE ${filter.sql})`,
    );
  }
  const matching = `SELECT rowid AS chunk_key, bm25(chunks_fts, ${WEIGHTS}) AS score FROM chunks_fts WHERE ${conditions.join(" AND ")}`;
  params.push(limit);
  const most = `$${params.length}`;
  if (after === undefined) return { page: `${matching} ORDER BY score, rowid LIMIT ${most}`, params };
  params.push(-after.score, after.key);
  // Materialised so that every row is scored once.
  const page =
    `SELECT * FROM (SELECT * FROM (${matching} LIMIT -1 OFFSET 0)) ` +
    `WHERE (score, chunk_key) > ($${params.length - 1}, $${params.length}) ORDER BY score, chunk_key LIMIT ${most}`;
  return { page, params };
}

function lexicalHit(row: ScoredRow, rank: number, marker: Marker, snippetLength: number): SearchHit {
  return {
    ...describeHit(row, marker, snippetLength),
    score: row.score,
    scoreKind: "bm25",
    lexicalRank: rank,
    lexicalScore: row.score,
    vectorRank: null,
    vectorScore: null,
  };
}

/** How the words of a query were looked up. */
export function explainLexical(
  query: CheckedSearchQuery,
  plan: SearchPlan,
  steps: SearchExplain["steps"],
): SearchExplain {
  return {
    mode: query.mode,
    tiers: plan.tiers.map((tier) => ({ name: tier.name, ranking: tier.ranking, must: tier.must ?? null })),
    commonWords: plan.commonWords,
    stemming: query.stemming,
    steps,
  };
}
