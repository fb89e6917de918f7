import type { DocumentFilter } from "../../contracts/documents.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { type AllowedChunks, type AllowedKeys } from "../../contracts/allowed-chunks.ts";
import { BestChunks } from "./best-chunks.ts";
import { ChunkLengths } from "./chunk-lengths.ts";
import { type Posting, Postings } from "./postings.ts";

/** Most expressions whose count is remembered. */
const MOST_COUNTS = 2000;
/** Deleted chunks whose places are kept, beside as many as there are others. */
const MOST_DELETED = 10_000;

/** One state of the searchable chunks. What a search reads of it is remembered until the next change. */
export class Corpus {
  readonly revision: number;
  /** Chunks that are there. */
  readonly chunks: number;
  readonly lengths: ChunkLengths;
  readonly best: BestChunks;
  readonly #db: SqlDatabase;
  readonly #postings: Postings;
  readonly #allowed: AllowedChunks;
  readonly #counts = new Map<string, number>();
  readonly #places = new WeakMap<AllowedKeys, Uint32Array>();

  constructor(
    db: SqlDatabase,
    allowed: AllowedChunks,
    revision: number,
    lengths: ChunkLengths,
    { rows, tokens }: IndexTotals,
  ) {
    this.#db = db;
    this.#allowed = allowed;
    this.revision = revision;
    this.chunks = rows;
    this.lengths = lengths;
    this.best = new BestChunks(lengths);
    this.#postings = new Postings(db, { lengths, chunks: rows, meanLength: tokens / Math.max(1, rows) });
  }

  /** How many chunks an expression holds for. */
  async count(expression: string): Promise<number> {
    const known = this.#counts.get(expression);
    if (known !== undefined) return known;
    const row = await this.#db.get<{ n: number }>("SELECT count(*) AS n FROM chunks_fts WHERE chunks_fts MATCH $1", [
      expression,
    ]);
    const found = row?.n ?? 0;
    if (this.#counts.size >= MOST_COUNTS) this.#counts.clear();
    this.#counts.set(expression, found);
    return found;
  }

  /** The chunks for which an expression holds, with what it adds to their scores. */
  posting(expression: string): Promise<Posting> {
    return this.#postings.of(expression);
  }

  /** Places of the chunks that a filter allows. */
  async allowed(filter: DocumentFilter): Promise<Uint32Array> {
    const allowed = await this.#allowed.matching(filter);
    const known = this.#places.get(allowed);
    if (known !== undefined) return known;
    const places = this.lengths.placesOf(allowed.keys.toSorted());
    this.#places.set(allowed, places);
    return places;
  }
}

/** Looks whether the corpus has changed. */
export class CorpusReader {
  readonly #db: SqlDatabase;
  readonly #allowed: AllowedChunks;
  #corpus: Corpus | undefined;
  /** What it was made of beside the chunks' keys: see `beginTextIndexEpoch`. */
  #epoch = "";
  #reading: Promise<Corpus> | undefined;

  constructor(db: SqlDatabase, allowed: AllowedChunks) {
    this.#db = db;
    this.#allowed = allowed;
  }

  /** Returns the corpus as it is now. */
  async current(): Promise<Corpus> {
    // Searches that come at once read it once; the second look is at what was written since.
    await this.#reading?.catch(() => undefined);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Corpus> {
    const { revision, epoch } = await this.#state();
    if (this.#corpus?.revision === revision && this.#epoch === epoch) return this.#corpus;
    const totals = await this.#totals();
    const known = this.#corpus?.lengths;
    const tooMany = known !== undefined && known.size > 2 * totals.rows + MOST_DELETED;
    const lengths = known === undefined || tooMany || epoch !== this.#epoch ? new ChunkLengths() : known;
    await lengths.extend(this.#db);
    this.#epoch = epoch;
    this.#corpus = new Corpus(this.#db, this.#allowed, revision, lengths, totals);
    return this.#corpus;
  }

  async #state(): Promise<{ revision: number; epoch: string }> {
    const row = await this.#db.get<{ revision: string | null; epoch: string | null }>(
      `SELECT (SELECT value FROM kv WHERE key = 'corpus_revision') AS revision,
              (SELECT value FROM kv WHERE key = 'text_index_epoch') AS epoch`,
    );
    return { revision: Number(row?.revision ?? 0), epoch: row?.epoch ?? "" };
  }

  /** The record that FTS5 keeps of its averages. @see https://www.sqlite.org/fts5.html */
  async #totals(): Promise<IndexTotals> {
    const row = await this.#db.get<{ block: Uint8Array }>("SELECT block FROM chunks_fts_data WHERE id = 1");
    const [rows = 0, ...tokens] = varintsOf(row?.block ?? new Uint8Array());
    return { rows, tokens: tokens.reduce((sum, value) => sum + value, 0) };
  }
}

/** What BM25 needs to know of all chunks together. */
interface IndexTotals {
  rows: number;
  tokens: number;
}

/** Reads SQLite's variable-length integers, each below 2^53. */
function varintsOf(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = 128 * value + (byte & 0x7f);
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
  }
  return values;
}
