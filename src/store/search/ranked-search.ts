import type { CheckedSearchQuery } from "../../contracts/check-search.ts";
import type { RankedChunk, ScoreKind, SearchExplain, SearchHit, SearchResult } from "../../contracts/search.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { decodeRankedCursor, encodeRankedCursor } from "./cursor.ts";
import { fingerprint } from "./fingerprint.ts";
import { type FusedKey, fuse, isTie, placesOf, type RankedKey } from "./fuse.ts";
import { describeHit, type HitRow, readHitRows } from "./hit-rows.ts";
import { explainLexical, type LexicalRanking, type LexicalSearch } from "./lexical-search.ts";
import { nearDuplicates, shinglesOf } from "./near-duplicates.ts";
import { type Marker, prepareMarks } from "./snippet.ts";
import { timing, type Timed } from "./timing.ts";
import { type NearestChunks, type VectorParts, VectorRanking } from "./vector-ranking.ts";

/** Hits of each list that take part at least: all pages of one query come from lists of the same depth, until they end. */
const LEAST_DEPTH = 100;
/** Pages end with lists of this depth. */
const MOST_DEPTH = 1000;
/** Weight of the vector list beside the words' 1, where nobody says another: measured with LSI vectors on Cranfield (DESIGN.md). */
const VECTOR_WEIGHT = 1.2;

/** Both lists of one query. */
interface Lists {
  lexical: LexicalRanking | undefined;
  nearest: NearestChunks | undefined;
  /** What kept vectors from taking part. */
  failure: { code: string; message: string } | undefined;
}

/** What the vector list is asked for. */
interface QueryVector {
  /** Absent for an empty text, and where it could not be made. */
  vector: Float32Array | undefined;
  failure: Lists["failure"];
  /** Whether words may not answer alone. */
  mustWork: boolean;
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
    const cursor =
      query.cursor === undefined ? undefined : decodeRankedCursor(query.cursor, fingerprint(query), MOST_DEPTH);
    const from = cursor?.from ?? 0;
    const first = cursor?.first ?? Math.min(MOST_DEPTH, Math.max(LEAST_DEPTH, 2 * query.k));
    const weights = this.#weights(query);
    // The text is embedded before anything is read: a model may take its time, and what was read would be old by then.
    const asked = await this.#vectorOf(query, cursor?.vectors, timed, options.signal);
    const read = (depth: number): Promise<Lists> => this.#lists(query, asked, depth, timed, options.signal);
    let lists = await read(first);
    let fused = fuseLists(lists, weights);
    let page = await timed("hits", () => this.#page(fused, from, query));
    if (page.next >= fused.length && first < MOST_DEPTH && isFull(lists, first)) {
      lists = await read(MOST_DEPTH);
      fused = withMore(fused, fuseLists(lists, weights));
      page = await timed("hits", () => this.#page(fused, from, query));
    }
    const scoreKind = query.mode === "vector" ? (lists.nearest?.scoreKind ?? "cosine") : "rrf";
    const marker = prepareMarks(lists.lexical?.marks ?? this.#lexical.marksOf(query), query.stemming !== "off");
    const start = performance.now();
    const hits = page.shown.map((shown) => toHit(shown, scoreKind, marker, query.snippetLength));
    steps.push({ name: "snippets", ms: performance.now() - start });
    const revision = lists.lexical?.revision ?? Number(page.shown[0]?.row.revision ?? (await this.#lexical.revision()));
    const { failure } = lists;
    const next = { first, from: page.next, vectors: failure === undefined };
    return {
      hits,
      ...(page.next < fused.length ? { nextCursor: encodeRankedCursor(fingerprint(query), next) } : {}),
      revision,
      ...(failure === undefined ? {} : { withoutVectors: failure }),
      ...(query.explain ? { explain: explain(query, lists, await this.#idsOf(lists), weights, steps) } : {}),
    };
  }

  /** The vector to search with, or what kept it from being made: words still find something while a model cannot be reached.
   *  @param before Whether vectors took part in the pages before this one. */
  async #vectorOf(
    query: CheckedSearchQuery,
    before: boolean | undefined,
    timed: Timed,
    signal?: AbortSignal,
  ): Promise<QueryVector> {
    if (before === false) return { vector: undefined, failure: EARLIER_PAGES, mustWork: false };
    const mustWork = query.mode !== "hybrid" || before === true;
    try {
      return { vector: await this.#ranking.vectorOf(query, timed, signal), failure: undefined, mustWork };
    } catch (error) {
      return { vector: undefined, failure: excuse(error, mustWork), mustWork };
    }
  }

  async #lists(
    query: CheckedSearchQuery,
    { vector, failure, mustWork }: QueryVector,
    depth: number,
    timed: Timed,
    signal?: AbortSignal,
  ): Promise<Lists> {
    const hybrid = query.mode === "hybrid";
    const lexical = hybrid && query.text.trim() !== "" ? await this.#lexical.rank(query, depth, timed) : undefined;
    if (vector === undefined) return { lexical, nearest: undefined, failure };
    try {
      const nearest = await this.#ranking.rank(query, vector, depth, timed, signal);
      return { lexical, nearest, failure: undefined };
    } catch (error) {
      return { lexical, nearest: undefined, failure: excuse(error, mustWork) };
    }
  }

  /** Ids of the chunks of both lists: only for whoever wants to look at them. */
  async #idsOf({ lexical, nearest }: Lists): Promise<Map<number, string>> {
    const keys = [...(lexical?.ranked ?? []), ...(nearest?.ranked ?? [])].map(({ chunkKey }) => chunkKey);
    const rows = await this.#db.all<{ key: number; id: string }>(
      `SELECT c.chunk_key AS key, c.chunk_id AS id FROM json_each($1) j CROSS JOIN chunks c ON c.chunk_key = j.value`,
      [JSON.stringify([...new Set(keys)])],
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
    // What the pages before it showed: a page without near-duplicates must know that, and ties begin on one and end on the next.
    const before: ShownHit[] = [];
    const byWords = this.#weights(query).lexical > 0;
    let at = query.collapse ? 0 : startOfTies(fused, from, byWords);
    while (at < fused.length && shown.length < query.k) {
      let end = Math.min(fused.length, at + Math.max(query.k, 32));
      while (end < fused.length && isTie(fused[end - 1] as FusedKey, fused[end] as FusedKey, byWords)) end++;
      const part = fused.slice(at, end);
      const rows = await readHitRows(
        this.#db,
        part.map(({ chunkKey }) => chunkKey),
      );
      for (const key of settleTies(part, rows, byWords)) {
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

const EARLIER_PAGES = { code: "CONFLICT", message: "the pages before this one stand on words alone" };

/** Vectors that cannot be read: words find all that they did before. */
const DAMAGES: ReadonlySet<string> = new Set(["CORRUPT", "BAD_FORMAT", "SCHEMA_TOO_NEW", "DRIVER"]);

/** What kept vectors from taking part, where words may answer alone.
 *  @throws what was thrown, where they may not */
function excuse(error: unknown, mustWork: boolean): { code: string; message: string } {
  if (mustWork || !(error instanceof StorageError)) throw error;
  const ofEmbedder = error.capability === "embedder" && error.code !== "ABORTED";
  if (!ofEmbedder && !(error.capability === "vectors" && DAMAGES.has(error.code))) throw error;
  return { code: error.code, message: error.message };
}

/** Whether one of the lists was cut off: what ends at its depth may go on. */
function isFull({ lexical, nearest }: Lists, depth: number): boolean {
  return lexical?.ranked.length === depth || nearest?.ranked.length === depth;
}

function fuseLists({ lexical, nearest }: Lists, weights: { lexical: number; vector: number }): FusedKey[] {
  return fuse(lexical?.ranked ?? [], nearest?.ranked ?? [], weights);
}

/** What the pages so far came from, and after it what deeper lists add: a chunk that stands deep in both would rise among those that
 *  were shown. */
function withMore(shown: readonly FusedKey[], all: readonly FusedKey[]): FusedKey[] {
  const keys = new Set(shown.map(({ chunkKey }) => chunkKey));
  return [...shown, ...all.filter(({ chunkKey }) => !keys.has(chunkKey))];
}

/** The place from which on nothing ties with what comes before. */
function startOfTies(fused: readonly FusedKey[], place: number, byWords: boolean): number {
  let from = place;
  while (from > 0 && from < fused.length && isTie(fused[from - 1] as FusedKey, fused[from] as FusedKey, byWords))
    from--;
  return from;
}

/** Orders what ties by chunk id: keys tell which chunk came first, and two stores that hold the same should answer the same.
 *  @param part All that ties with one of them is there. */
function settleTies(part: readonly FusedKey[], rows: ReadonlyMap<number, HitRow>, byWords: boolean): FusedKey[] {
  const idOf = ({ chunkKey }: FusedKey): string => rows.get(chunkKey)?.chunk_id ?? "";
  const settled: FusedKey[] = [];
  for (let from = 0; from < part.length;) {
    const first = part[from] as FusedKey;
    let to = from + 1;
    while (to < part.length && isTie(first, part[to] as FusedKey, byWords)) to++;
    settled.push(...part.slice(from, to).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)));
    from = to;
  }
  return settled;
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
  // A chunk that went meanwhile has no id any more.
  const ranks = (list: readonly RankedKey[] = []): RankedChunk[] => {
    const places = placesOf(list);
    return list.flatMap(({ chunkKey }, index) => {
      const chunkId = ids.get(chunkKey);
      const place = places[index];
      return chunkId === undefined || place === undefined ? [] : [{ chunkId, ...place }];
    });
  };
  return {
    ...words,
    ...(vector === undefined ? {} : { vector }),
    ...(query.mode === "hybrid"
      ? { lists: { lexical: ranks(lists.lexical?.ranked), vector: ranks(lists.nearest?.ranked) }, weights }
      : {}),
  };
}
