import type { CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { RankedChunk, ScoreKind, SearchExplain, SearchHit, SearchResult } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { fingerprint } from "./fingerprint.ts";
import { type FusedKey, fuse, type RankedKey } from "./fuse.ts";
import { describeHit, type HitRow, readHitRows } from "./hit-rows.ts";
import { explainLexical, type LexicalRanking, type LexicalSearch, timing, type Timed } from "./lexical-search.ts";
import { nearDuplicates, shinglesOf } from "./near-duplicates.ts";
import { type Marker, prepareMarks } from "./snippet.ts";
import { type NearestChunks, type VectorParts, VectorRanking } from "./vector-ranking.ts";

/** Hits of each list that take part at least: all pages of one query come from lists of the same depth. */
const LEAST_DEPTH = 100;
const MOST_DEPTH = 1000;
/** Weight of the vector list beside the words' 1, where nobody says another: measured with LSI vectors on Cranfield (DESIGN.md). */
const VECTOR_WEIGHT = 1.2;

/** Both lists of one query. */
interface Lists {
  lexical: LexicalRanking | undefined;
  nearest: NearestChunks | undefined;
  failure: StorageError | undefined;
}

/** Finds chunks by the nearness of their embeddings, alone or fused with the ranking by words. */
export class RankedSearch {
  readonly #db: SqlDatabase;
  readonly #lexical: LexicalSearch;
  readonly #ranking: VectorRanking;
  /** Weight of the vector list that the embedder asks for. */
  readonly #vectorWeight: number;

  constructor(db: SqlDatabase, lexical: LexicalSearch, parts: VectorParts) {
    this.#db = db;
    this.#lexical = lexical;
    this.#ranking = new VectorRanking(db, parts);
    this.#vectorWeight = parts.embedder?.fusionWeight ?? VECTOR_WEIGHT;
  }

  async answer(query: CheckedSearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    const steps: SearchExplain["steps"] = [];
    const timed = timing(steps, options.signal);
    const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor, fingerprint(query));
    const depth = cursor?.tier ?? Math.min(MOST_DEPTH, Math.max(LEAST_DEPTH, 2 * query.k));
    const from = cursor?.key ?? 0;
    const lists = await this.#lists(query, depth, timed, options.signal);
    const weights = this.#weights(query);
    const fused = fuse(lists.lexical?.ranked ?? [], lists.nearest?.ranked ?? [], weights);
    const page = await timed("hits", () => this.#page(fused, from, query));
    const scoreKind = query.mode === "vector" ? (lists.nearest?.scoreKind ?? "cosine") : "rrf";
    const marker = prepareMarks(lists.lexical?.marks ?? this.#lexical.marksOf(query), query.stemming !== "off");
    const start = performance.now();
    const hits = page.shown.map((shown) => toHit(shown, scoreKind, marker, query.snippetLength));
    steps.push({ name: "snippets", ms: performance.now() - start });
    const revision = lists.lexical?.revision ?? Number(page.shown[0]?.row.revision ?? (await this.#lexical.revision()));
    return {
      hits,
      ...(page.next < fused.length
        ? { nextCursor: encodeCursor({ query: fingerprint(query), tier: depth, score: 0, key: page.next, rank: 0 }) }
        : {}),
      revision,
      ...(lists.failure === undefined
        ? {}
        : { withoutVectors: { code: lists.failure.code, message: lists.failure.message } }),
      ...(query.explain ? { explain: explain(query, lists, await this.#idsOf(fused), weights, steps) } : {}),
    };
  }

  async #lists(query: CheckedSearchQuery, depth: number, timed: Timed, signal?: AbortSignal): Promise<Lists> {
    const hybrid = query.mode === "hybrid";
    const lexical = hybrid && query.text.trim() !== "" ? await this.#lexical.rank(query, depth, timed) : undefined;
    try {
      const vector = await this.#ranking.vectorOf(query, timed, signal);
      const nearest = vector === undefined ? undefined : await this.#ranking.rank(query, vector, depth, timed, signal);
      return { lexical, nearest, failure: undefined };
    } catch (error) {
      // Words still find something while a model cannot be reached or is not ready; the answer says that it stands on them alone.
      const excusable =
        hybrid && error instanceof StorageError && error.capability === "embedder" && error.code !== "ABORTED";
      if (!excusable) throw error;
      return { lexical, nearest: undefined, failure: error };
    }
  }

  /** Ids of the chunks of both lists: only for whoever wants to look at them. */
  async #idsOf(fused: readonly FusedKey[]): Promise<Map<number, string>> {
    const rows = await this.#db.all<{ key: number; id: string }>(
      `SELECT c.chunk_key AS key, c.chunk_id AS id FROM json_each($1) j CROSS JOIN chunks c ON c.chunk_key = j.value`,
      [JSON.stringify(fused.map(({ chunkKey }) => chunkKey))],
    );
    return new Map(rows.map(({ key, id }) => [key, id]));
  }

  #weights(query: CheckedSearchQuery): { lexical: number; vector: number } {
    if (query.mode === "vector") return { lexical: 0, vector: 1 };
    const ownModel = query.vector === undefined;
    return {
      lexical: query.weights.lexical ?? 1,
      vector: query.weights.vector ?? (ownModel ? this.#vectorWeight : VECTOR_WEIGHT),
    };
  }

  /** Reads the next `k` hits from `from` on, without near-duplicates where that is asked for. */
  async #page(
    fused: readonly FusedKey[],
    from: number,
    query: CheckedSearchQuery,
  ): Promise<{ shown: ShownHit[]; next: number }> {
    const shown: ShownHit[] = [];
    // Without near-duplicates a page must know what the pages before it showed.
    const before: ShownHit[] = [];
    let at = query.collapse ? 0 : from;
    while (at < fused.length && shown.length < query.k) {
      const part = fused.slice(at, at + Math.max(query.k, 32));
      const rows = await readHitRows(
        this.#db,
        part.map(({ chunkKey }) => chunkKey),
      );
      for (const key of part) {
        if (shown.length === query.k) break;
        const place = at++;
        const row = rows.get(key.chunkKey);
        if (row === undefined) continue;
        const double = query.collapse ? doubleOf(row, [...before, ...shown]) : undefined;
        if (double !== undefined) double.collapsed.push(row.chunk_id);
        else (place < from ? before : shown).push(newShown(row, key, query.collapse));
      }
    }
    return { shown, next: at };
  }
}

/** A hit on its way out. */
interface ShownHit {
  row: HitRow;
  key: FusedKey;
  shingles: Set<string> | undefined;
  collapsed: string[];
}

function newShown(row: HitRow, key: FusedKey, collapse: boolean): ShownHit {
  return { row, key, shingles: collapse ? shinglesOf(row.text) : undefined, collapsed: [] };
}

/** The hit of the same document in which this chunk mostly stands already. */
function doubleOf(row: HitRow, shown: readonly ShownHit[]): ShownHit | undefined {
  const siblings = shown.filter((hit) => hit.row.document_id === row.document_id);
  if (siblings.length === 0) return undefined;
  const shingles = shinglesOf(row.text);
  return siblings.find((hit) => hit.shingles !== undefined && nearDuplicates(shingles, hit.shingles));
}

function toHit(shown: ShownHit, scoreKind: ScoreKind, marker: Marker, snippetLength: number): SearchHit {
  const { row, key, collapsed } = shown;
  return {
    ...describeHit(row, marker, snippetLength),
    score: scoreKind === "rrf" ? key.score : (key.vector?.score ?? 0),
    scoreKind,
    lexicalRank: key.lexical?.rank ?? null,
    lexicalScore: key.lexical?.score ?? null,
    vectorRank: key.vector?.rank ?? null,
    vectorScore: key.vector?.score ?? null,
    ...(collapsed.length > 0 ? { collapsed } : {}),
  };
}

function explain(
  query: CheckedSearchQuery,
  lists: Lists,
  ids: ReadonlyMap<number, string>,
  weights: { lexical: number; vector: number },
  steps: SearchExplain["steps"],
): SearchExplain {
  const words = explainLexical(query, lists.lexical?.plan ?? { tiers: [], commonWords: [] }, steps);
  const vector = lists.nearest?.explain;
  const ranks = (list: readonly RankedKey[] = []): RankedChunk[] =>
    list.map(({ chunkKey, score }, index) => ({ chunkId: ids.get(chunkKey) ?? "", rank: index + 1, score }));
  return {
    ...words,
    ...(vector === undefined ? {} : { vector }),
    ...(query.mode === "hybrid"
      ? { lists: { lexical: ranks(lists.lexical?.ranked), vector: ranks(lists.nearest?.ranked) }, weights }
      : {}),
  };
}
