import { checkSearchQuery, type CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { SearchExplain, SearchHit, SearchQuery, SearchResult } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { AllowedChunks } from "../allowed-chunks.ts";
import type { ScoredChunk } from "./best-chunks.ts";
import { type Corpus, CorpusReader } from "./corpus.ts";
import { decodeLexicalCursor, encodeLexicalCursor, type LexicalCursor } from "./cursor.ts";
import { anyOf } from "./expressions.ts";
import { fingerprint } from "./fingerprint.ts";
import type { RankedKey } from "./fuse.ts";
import { describeHit, type HitRow, readHitRows } from "./hit-rows.ts";
import { mustOf, planSearch, type SearchPlan, type Tier } from "./plan.ts";
import { type Mark, parseQuery } from "./query.ts";
import { type Marker, prepareMarks } from "./snippet.ts";
import { timing, type Timed } from "./timing.ts";

/** So often a search begins anew at most because the corpus changed under it. */
const MOST_TRIES = 3;

/** A ranking without what its hits show. */
export interface LexicalRanking {
  ranked: RankedKey[];
  marks: Mark[];
  plan: SearchPlan;
  revision: number;
}

/** More than a page takes, so that it is full although some were deleted while they were ranked. */
const SPARE = 32;

/** A chunk in the order of the answer. */
interface RankedHit extends ScoredChunk {
  /** Index of the tier that it is of. */
  tier: number;
}

/** Finds chunks by their words: BM25 over the text index. */
export class LexicalSearch {
  readonly #db: SqlDatabase;
  readonly #corpus: CorpusReader;

  constructor(db: SqlDatabase, filters: AllowedChunks = new AllowedChunks(db)) {
    this.#db = db;
    this.#corpus = new CorpusReader({ db, filters });
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
    const before = cursor?.rank ?? 0;
    for (let tries = 1; ; tries++) {
      const corpus = await timed("revision", () => this.#corpus.current());
      const plan = await timed("plan", () => planSearch(parsed, corpus));
      // One more than wanted says whether there is a page after this one.
      const size = checked.k + 1 + (tries === 1 ? 0 : SPARE);
      const ranked = await rankTiers(plan.tiers, corpus, checked, cursor, size, timed);
      const read = tries === 1 ? ranked.slice(0, checked.k) : ranked;
      const rows = await timed("hits", () =>
        readHitRows(
          this.#db,
          read.map(({ chunkKey }) => chunkKey),
        ),
      );
      // What is shown must be what was ranked.
      if (tries < MOST_TRIES && !isOf(corpus, rows, read.length)) continue;
      const there = ranked.filter(({ chunkKey }, index) => index >= read.length || rows.has(chunkKey));
      const shown = there.slice(0, checked.k);
      const last = shown.at(-1);
      const marker = prepareMarks(parsed.marks, checked.stemming !== "off");
      const start = performance.now();
      const hits = shown.map(({ chunkKey, score }, index) =>
        lexicalHit(rows.get(chunkKey) as HitRow, score, before + index + 1, marker, checked.snippetLength),
      );
      steps.push({ name: "snippets", ms: performance.now() - start });
      const next =
        last === undefined || there.length === shown.length
          ? undefined
          : { tier: last.tier, score: last.score, key: last.chunkKey, rank: before + shown.length };
      return {
        hits,
        ...(next === undefined ? {} : { nextCursor: encodeLexicalCursor(fingerprint(checked), next) }),
        revision: corpus.revision,
        ...(checked.explain ? { explain: explainLexical(checked, plan, steps) } : {}),
      };
    }
  }

  /** Ranks the first `depth` chunks, without reading what they hold. */
  async rank(checked: CheckedSearchQuery, depth: number, timed: Timed): Promise<LexicalRanking> {
    const parsed = parseQuery(checked.text, checked);
    const corpus = await timed("revision", () => this.#corpus.current());
    const plan = await timed("plan", () => planSearch(parsed, corpus));
    const ranked = await rankTiers(plan.tiers, corpus, checked, undefined, depth, timed);
    return { ranked, marks: parsed.marks, plan, revision: corpus.revision };
  }

  /** What the words of a query mark in a snippet. */
  marksOf(checked: CheckedSearchQuery): Mark[] {
    return parseQuery(checked.text, checked).marks;
  }

  /** Corpus revision as of now. */
  async revision(): Promise<number> {
    return (await this.#corpus.current()).revision;
  }
}

/** Ranks tier after tier until there are enough. */
async function rankTiers(
  tiers: readonly Tier[],
  corpus: Corpus,
  query: CheckedSearchQuery,
  cursor: LexicalCursor | undefined,
  size: number,
  timed: Timed,
): Promise<RankedHit[]> {
  const ranked: RankedHit[] = [];
  for (let index = cursor?.tier ?? 0; index < tiers.length && ranked.length < size; index++) {
    const tier = tiers[index] as Tier;
    const after = cursor?.tier === index ? { chunkKey: cursor.key, score: cursor.score } : undefined;
    const found = await timed(tier.name, () => bestOf(tier, corpus, query, size - ranked.length, after));
    for (const chunk of found) ranked.push({ ...chunk, tier: index });
  }
  return ranked;
}

/** Finds the best chunks of a tier. */
async function bestOf(
  tier: Tier,
  corpus: Corpus,
  { filters }: CheckedSearchQuery,
  limit: number,
  after: ScoredChunk | undefined,
): Promise<ScoredChunk[]> {
  const places = async (expressions: readonly string[]): Promise<Uint32Array[]> => {
    const lists = await Promise.all(expressions.map((expression) => corpus.posting(expression)));
    return lists.map((list) => list.places);
  };
  const lists = await Promise.all(tier.ranking.map((expression) => corpus.posting(expression)));
  const conditions = {
    any: tier.any === undefined ? undefined : await places(tier.any),
    all: [...(await places([...new Set(tier.all)])), ...(filters === undefined ? [] : [await corpus.allowed(filters)])],
    none: await places(tier.none),
  };
  return corpus.best.find(lists, conditions, limit, after);
}

/** Whether rows are of this state of the corpus, and all there. */
function isOf(corpus: Corpus, rows: ReadonlyMap<number, HitRow>, count: number): boolean {
  return rows.size === count && [...rows.values()].every(({ revision }) => Number(revision) === corpus.revision);
}

function lexicalHit(row: HitRow, score: number, rank: number, marker: Marker, snippetLength: number): SearchHit {
  return {
    ...describeHit(row, marker, snippetLength),
    score,
    scoreKind: "bm25",
    lexicalRank: rank,
    lexicalScore: score,
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
    tiers: plan.tiers.map((tier) => ({ name: tier.name, ranking: anyOf(tier.ranking), must: mustOf(tier) ?? null })),
    commonWords: plan.commonWords,
    stemming: query.stemming,
    steps,
  };
}
