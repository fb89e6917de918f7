import type { SqlExecutor, SqlParams } from "../../../contracts/sql.ts";
import type { ChunkLengths } from "../chunk-lengths.ts";
import { OccurrenceList, type Occurrences } from "../occurrences.ts";
import { countDoclist } from "./doclist.ts";
import { LeafReader } from "./leaf-reader.ts";
import { decodeStructure, type Segment } from "./structure.ts";
import { decodeTombstones } from "./tombstones.ts";

/** So often it is read at most while others write. */
const MOST_TRIES = 3;
/** Leaves that the first statement reads which follows doclists beyond their first leaf; each one after it reads four times as many, */
const NEXT_LEAVES = 4;
/** up to this. */
const MOST_LEAVES = 1024;

/** What the index over whole words puts before a term. */
const WHOLE_WORDS = "0";

/** Statements begin with it: what they read belongs together, and to the segments that it tells of. */
const STRUCTURE = "SELECT -1 AS at, 0 AS page, block FROM chunks_fts_data WHERE id = 10";

/** `$1`: `[id, first leaf]` of each segment, `$2`: a term. The leaf of each segment on which the term stands, if it is there. */
const FIRST_LEAVES = `${STRUCTURE} UNION ALL
  SELECT f.at, f.page, d.block FROM (
    SELECT s.key AS at, s.value ->> 0 AS id, max(s.value ->> 1, coalesce(
      (SELECT i.pgno >> 1 FROM chunks_fts_idx i WHERE i.segid = s.value ->> 0 AND i.term <= $2 ORDER BY i.term DESC LIMIT 1), 0
    )) AS page FROM json_each($1) s
  ) f CROSS JOIN chunks_fts_data d ON d.id = (f.id << 37) + f.page`;

/** `$1`: `[index, id, first page, last page]`. Tombstones have ids of their own, as if of other segments. */
const PAGES = `${STRUCTURE} UNION ALL
  SELECT s.value ->> 0, d.id & 0x7fffffff, d.block FROM json_each($1) s CROSS JOIN chunks_fts_data d
  ON d.id BETWEEN ((s.value ->> 1) << 37) + (s.value ->> 2) AND ((s.value ->> 1) << 37) + (s.value ->> 3)`;
const TOMBSTONES_FROM = 0x10000;

type Reader = Pick<SqlExecutor, "get" | "all">;

interface PageRow {
  /** Index of the segment; -1 for the structure record. */
  at: number;
  page: number;
  block: Uint8Array;
}

interface Structure {
  record: Uint8Array;
  segments: Segment[];
  /** Deleted rows of each segment, once they are read. */
  deleted: Float64Array[] | undefined;
}

const ALL_COLUMNS = 3;

const NONE = new Float64Array();

/** The form of the index is not known here, or it changed while it was read. */
class Unread extends Error {
  readonly changed: boolean;

  constructor(changed: boolean) {
    super(changed ? "the text index changed" : "the text index is of another form");
    this.changed = changed;
  }
}

/** A way over the leaves of one segment. */
class Walk {
  readonly segment: Segment;
  readonly reader: LeafReader;
  /** The leaf that comes next; 0 at the beginning, which is wherever the term stands. */
  next = 0;
  ended = false;

  constructor(segment: Segment, reader: LeafReader) {
    this.segment = segment;
    this.reader = reader;
  }

  /** @param leaves One or more, in order. */
  follow(leaves: readonly PageRow[]): void {
    if (leaves.length === 0) throw new Unread(false);
    for (const { page, block } of leaves) {
      if (this.next !== 0 && page !== this.next) throw new Unread(false);
      this.next = page + 1;
      this.ended = !known(this.reader.take(block)) || page >= this.segment.lastLeaf;
      if (this.ended) return;
    }
  }
}

/**
 * Reads where words stand straight from the segments of the text index, as FTS5 files them: asked for the same, FTS5 makes a row of each
 * occurrence, which takes twenty times as long.
 *
 * @see https://sqlite.org/src/file/ext/fts5/fts5_index.c
 */
export class TextSegments {
  readonly #db: Reader;
  readonly #lengths: ChunkLengths;
  #structure: Structure | undefined;

  /** @param lengths Of the chunks that count; what came later is left out. */
  constructor(db: Reader, lengths: ChunkLengths) {
    this.#db = db;
    this.#lengths = lengths;
  }

  /** Returns where a word stands as it is filed, or all that begin so; `undefined` where FTS5 has to be asked.
   *  @param beginning Whether all words that begin so count.
   *  @param columns Only the first so many columns of the index are looked at. */
  async occurrences(word: string, beginning: boolean, columns: number = ALL_COLUMNS): Promise<Occurrences | undefined> {
    const term = new TextEncoder().encode(`${WHOLE_WORDS}${word}`);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      try {
        return await this.#read(term, beginning, columns);
      } catch (error) {
        if (!(error instanceof Unread)) throw error;
        if (!error.changed) return undefined;
        this.#structure = undefined;
      }
    }
    return undefined;
  }

  async #read(term: Uint8Array, beginning: boolean, columns: number): Promise<Occurrences> {
    const structure = (this.#structure ??= await this.#readStructure());
    const walks = structure.segments.map((segment) => new Walk(segment, new LeafReader(term, beginning)));
    await this.#readLeaves(structure, walks, term);
    if (walks.some(({ reader }) => reader.doclists.length > 0))
      structure.deleted ??= await this.#readTombstones(structure);
    const found = new OccurrenceList();
    for (const [at, { reader }] of walks.entries()) {
      const deleted = structure.deleted?.[at] ?? NONE;
      for (const pieces of reader.doclists) {
        if (!countDoclist(pieces, deleted, this.#lengths, columns, found)) throw new Unread(false);
      }
    }
    return found.addUp(this.#lengths.size);
  }

  async #readStructure(): Promise<Structure> {
    const row = await this.#db.get<{ block: Uint8Array }>(STRUCTURE);
    const record = row?.block ?? new Uint8Array();
    return { record, segments: known(decodeStructure(record)), deleted: undefined };
  }

  /** Walks over the leaves of each segment, from where the term stands to where its occurrences end. */
  async #readLeaves(structure: Structure, walks: readonly Walk[], term: Uint8Array): Promise<void> {
    let rows = await this.#pages(structure, FIRST_LEAVES, [
      JSON.stringify(walks.map(({ segment }) => [segment.id, segment.firstLeaf])),
      term,
    ]);
    for (let leaves = NEXT_LEAVES; ; leaves = Math.min(4 * leaves, MOST_LEAVES)) {
      for (const [at, walk] of walks.entries()) if (!walk.ended) walk.follow(rows.filter((row) => row.at === at));
      const ranges = walks.flatMap(({ ended, segment, next }, at) =>
        ended ? [] : [[at, segment.id, next, Math.min(segment.lastLeaf, next + leaves - 1)]],
      );
      if (ranges.length === 0) return;
      rows = await this.#pages(structure, PAGES, [JSON.stringify(ranges)]);
    }
  }

  async #readTombstones(structure: Structure): Promise<Float64Array[]> {
    const { segments } = structure;
    const ranges = segments.flatMap(({ id, tombstonePages }, at) =>
      tombstonePages === 0 ? [] : [[at, TOMBSTONES_FROM + id, 0, tombstonePages - 1]],
    );
    const rows = ranges.length === 0 ? [] : await this.#pages(structure, PAGES, [JSON.stringify(ranges)]);
    return segments.map((_, at) =>
      known(decodeTombstones(rows.filter((row) => row.at === at).map(({ block }) => block))),
    );
  }

  /** Reads pages of the segments, all of one state of the index. */
  async #pages(structure: Structure, sql: string, params: SqlParams): Promise<PageRow[]> {
    const rows = await this.#db.all<PageRow>(sql, params);
    const record = rows.find(({ at }) => at === -1)?.block;
    if (record === undefined || !isSame(record, structure.record)) throw new Unread(true);
    return rows.filter(({ at }) => at >= 0);
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Unread(false);
  return value;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
