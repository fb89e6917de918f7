import type { DocumentFilter } from "../../contracts/documents.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import type { AllowedKeys } from "../../contracts/vectors.ts";
import type { AllowedChunks } from "../allowed-chunks.ts";
import { BestChunks } from "./best-chunks.ts";
import { ChunkLengths } from "./chunk-lengths.ts";
import { type Posting, Postings } from "./postings.ts";
import { varintsOf } from "./segments/varint.ts";

/** So often it is read at most while others write. */
const MOST_TRIES = 3;
/** Deleted chunks whose places are kept, beside as many as there are others. */
const MOST_DELETED = 10_000;

/** Where a corpus is read from. */
export interface CorpusSource {
  db: SqlDatabase;
  /** Says which chunks a filter allows. */
  filters: AllowedChunks;
}

/** One state of the searchable chunks. What a search reads of it is remembered until the next change. */
export class Corpus {
  readonly revision: number;
  /** Chunks that are there. */
  readonly chunks: number;
  readonly lengths: ChunkLengths;
  readonly best: BestChunks;
  readonly #filters: AllowedChunks;
  readonly #postings: Postings;
  /** Places of what a filter allows. */
  readonly #allowed = new WeakMap<AllowedKeys, Uint32Array>();

  constructor({ db, filters }: CorpusSource, revision: number, lengths: ChunkLengths, { rows, tokens }: IndexTotals) {
    this.#filters = filters;
    this.revision = revision;
    this.chunks = rows;
    this.lengths = lengths;
    this.best = new BestChunks(lengths);
    this.#postings = new Postings(db, { lengths, chunks: rows, meanLength: tokens / Math.max(1, rows) });
  }

  /** The chunks for which an expression holds, with what it adds to their scores. */
  posting(expression: string): Promise<Posting> {
    return this.#postings.of(expression);
  }

  /** Places of the chunks that a filter allows. */
  async allowed(filter: DocumentFilter): Promise<Uint32Array> {
    const chunks = await this.#filters.matching(filter);
    let places = this.#allowed.get(chunks);
    if (places === undefined) this.#allowed.set(chunks, (places = this.lengths.placesOf(chunks.keys)));
    return places;
  }
}

/** Looks whether the corpus has changed. */
export class CorpusReader {
  readonly #db: SqlDatabase;
  readonly #filters: AllowedChunks;
  #corpus: Corpus | undefined;
  /** What it was made of beside the chunks' keys: see `beginTextIndexEpoch`. */
  #epoch = "";
  #reading: Promise<Corpus> | undefined;

  constructor({ db, filters }: CorpusSource) {
    this.#db = db;
    this.#filters = filters;
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
    for (let tries = 1; ; tries++) {
      const { revision, epoch } = await this.#state();
      if (this.#corpus?.revision === revision && this.#epoch === epoch) return this.#corpus;
      const totals = await this.#totals();
      const known = this.#corpus?.lengths;
      const tooMany = known !== undefined && known.size > 2 * totals.rows + MOST_DELETED;
      const lengths = known === undefined || tooMany || epoch !== this.#epoch ? new ChunkLengths() : known;
      await lengths.extend(this.#db);
      // Another process may have written in between, and totals and lengths are to be of one state.
      const now = await this.#state();
      if (tries < MOST_TRIES && (now.revision !== revision || now.epoch !== epoch)) continue;
      this.#epoch = epoch;
      this.#corpus = new Corpus({ db: this.#db, filters: this.#filters }, revision, lengths, totals);
      return this.#corpus;
    }
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
