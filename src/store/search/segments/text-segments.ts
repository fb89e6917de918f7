import type { SqlExecutor, SqlParams } from "../../../contracts/sql.ts";
import type { ChunkLengths } from "../chunk-lengths.ts";
import { OccurrenceList, type Occurrences } from "../occurrences.ts";
import { COLUMNS, countDoclist } from "./doclist.ts";
import { LeafReader } from "./leaf-reader.ts";
import { decodeStructure, type Segment } from "./structure.ts";
import { decodeTombstones } from "./tombstones.ts";
import { UnknownForm } from "./unknown-form.ts";

/** So often it is read at most while others write. */
const MOST_TRIES = 3;

/** What the index over whole words puts before a term. */
const WHOLE_WORDS = "0";
/** Comes after every byte of UTF-8. */
const AFTER_ALL = 0xff;

/** Statements begin with it: what they read is of one state of the database, and tells of the segments which one. */
const STRUCTURE = "SELECT -1 AS at, 0 AS page, block FROM chunks_fts_data WHERE id = 10";

/** `$1`: `[id, first leaf, last leaf]` of each segment, `$2`: a term, `$3`: what comes after all that is wanted. The leaves of each segment
 *  from the one on which the term stands, if it is there, to the one on which what comes after it begins. */
const LEAVES = `${STRUCTURE} UNION ALL
  SELECT s.key, d.id & 0x7fffffff, d.block FROM json_each($1) s CROSS JOIN chunks_fts_data d
  ON d.id BETWEEN ((s.value ->> 0) << 37) + max(s.value ->> 1, coalesce(
    (SELECT i.pgno >> 1 FROM chunks_fts_idx i WHERE i.segid = s.value ->> 0 AND i.term <= $2 ORDER BY i.term DESC LIMIT 1), 0))
  AND ((s.value ->> 0) << 37) + max(s.value ->> 1, coalesce(
    (SELECT i.pgno >> 1 FROM chunks_fts_idx i WHERE i.segid = s.value ->> 0 AND i.term > $3 ORDER BY i.term LIMIT 1), s.value ->> 2))`;

/** `$1`: `[id, pages]` of each segment. The ids of tombstone pages are as those of other segments would be. */
const TOMBSTONES = `${STRUCTURE} UNION ALL
  SELECT s.key, d.id & 0x7fffffff, d.block FROM json_each($1) s CROSS JOIN chunks_fts_data d
  ON d.id BETWEEN ((0x10000 + (s.value ->> 0)) << 37) AND ((0x10000 + (s.value ->> 0)) << 37) + (s.value ->> 1) - 1`;

type Reader = Pick<SqlExecutor, "get" | "all">;

interface PageRow {
  /** Index of the segment; -1 for the structure record. */
  at: number;
  page: number;
  block: Uint8Array;
}

/** One state of the index. */
interface Structure {
  record: Uint8Array;
  segments: Segment[];
  /** Deleted rows of each segment, once they are asked for. */
  deleted: Promise<Uint32Array[]> | undefined;
}

const NONE = new Uint32Array();

/** Others wrote while it was read. */
class IndexChanged extends Error {}

/** How often a term stands where. */
export interface FiledOccurrences extends Occurrences {
  /** Whether the index holds such a term at all, be it in other columns or of chunks that were deleted. */
  filed: boolean;
}

/**
 * Counts words chunk by chunk straight from the segments of the text index: asked for the same, FTS5 makes a row of each occurrence, which
 * takes ten times as long.
 *
 * It reads what is committed. Inside a transaction that has written to the index it would miss what is not yet flushed, and between its
 * statements it would not notice an index that was emptied and filled anew with as many rows: that begins an epoch, which the next search sees.
 *
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c
 */
export class TextSegments {
  readonly #db: Reader;
  readonly #lengths: ChunkLengths;
  #structure: Promise<Structure> | undefined;

  /** @param lengths Of the chunks that count; what came later is left out. */
  constructor(db: Reader, lengths: ChunkLengths) {
    this.#db = db;
    this.#lengths = lengths;
  }

  /** Returns in which chunks a word stands and how often, as it is filed; `undefined` where FTS5 has to be asked.
   *  @param prefix Whether all words that begin so count.
   *  @param columns Only the first so many columns of the index are looked at. */
  async occurrences(word: string, prefix: boolean, columns: number = COLUMNS): Promise<FiledOccurrences | undefined> {
    const term = new TextEncoder().encode(`${WHOLE_WORDS}${word}`);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const structure = (this.#structure ??= this.#readStructure());
      try {
        return await this.#count(await structure, term, prefix, columns);
      } catch (error) {
        if (error instanceof UnknownForm) return undefined;
        if (this.#structure === structure) this.#structure = undefined;
        if (!(error instanceof IndexChanged)) throw error;
      }
    }
    return undefined;
  }

  async #count(structure: Structure, term: Uint8Array, prefix: boolean, columns: number): Promise<FiledOccurrences> {
    const doclists = await this.#doclists(structure, term, prefix);
    const filed = doclists.some((lists) => lists.length > 0);
    const deleted = filed ? await (structure.deleted ??= this.#readTombstones(structure)) : [];
    const into = new OccurrenceList();
    for (const [at, lists] of doclists.entries()) {
      for (const fragments of lists) {
        countDoclist(fragments, deleted[at] ?? NONE, { lengths: this.#lengths, columns, into });
      }
    }
    return { filed, ...into.addUp(this.#lengths.size) };
  }

  async #readStructure(): Promise<Structure> {
    const row = await this.#db.get<PageRow>(STRUCTURE);
    const record = row?.block ?? new Uint8Array();
    return { record, segments: decodeStructure(record), deleted: undefined };
  }

  /** Cuts the doclists of a term, or of all that begin so, out of each segment. */
  async #doclists(structure: Structure, term: Uint8Array, prefix: boolean): Promise<LeafReader["doclists"][]> {
    const { segments } = structure;
    const pages = await this.#pages(structure, LEAVES, [
      JSON.stringify(segments.map(({ id, firstLeaf, lastLeaf }) => [id, firstLeaf, lastLeaf])),
      term,
      prefix ? Uint8Array.of(...term, AFTER_ALL) : term,
    ]);
    return segments.map((segment, at) => {
      const reader = new LeafReader(term, prefix);
      walk(pages.get(at) ?? [], segment, reader);
      return reader.doclists;
    });
  }

  async #readTombstones(structure: Structure): Promise<Uint32Array[]> {
    const { segments } = structure;
    if (segments.every(({ tombstonePages }) => tombstonePages === 0)) return [];
    const ranges = segments.map(({ id, tombstonePages }) => [id, tombstonePages]);
    const pages = await this.#pages(structure, TOMBSTONES, [JSON.stringify(ranges)]);
    return segments.map((_, at) => decodeTombstones((pages.get(at) ?? []).map(({ block }) => block)));
  }

  /** Reads pages of the segments, by index of the segment, all of the state that is known.
   *  @throws IndexChanged */
  async #pages({ record }: Structure, sql: string, params: SqlParams): Promise<Map<number, PageRow[]>> {
    const pages = new Map<number, PageRow[]>();
    for (const row of await this.#db.all<PageRow>(sql, params)) {
      const found = pages.get(row.at);
      if (found === undefined) pages.set(row.at, [row]);
      else found.push(row);
    }
    const now = pages.get(-1)?.[0]?.block;
    if (now === undefined || !isSame(now, record)) throw new IndexChanged();
    return pages;
  }
}

/** Gives leaves to a reader until it has all. */
function walk(leaves: readonly PageRow[], { lastLeaf }: Segment, reader: LeafReader): void {
  let before: number | undefined;
  for (const { page, block } of leaves) {
    if (before !== undefined && page !== before + 1) throw new UnknownForm("the order of the leaves");
    before = page;
    if (!reader.take(block)) return;
  }
  // The last leaf that was read must be one on which something else begins, or there is none after it.
  if (before !== lastLeaf) throw new UnknownForm("the list of leaves");
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
