import type { TransactionalBlobStore } from "../contracts/blobs.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { SearchQuery, SearchResult } from "../contracts/search.ts";
import type { SqlDatabase } from "../contracts/sql.ts";
import type {
  CheckReport,
  IngestOptions,
  IngestReport,
  IngestSource,
  OpenReport,
  Store,
  StoreStats,
} from "../contracts/store.ts";
import { StorageError } from "../errors.ts";
import { migrate } from "../sql/migrate.ts";
import { checkStore } from "./check.ts";
import { SqlDocumentStore } from "./documents/sql-document-store.ts";
import { Ingest } from "./ingest/ingest.ts";
import { LexicalSearch } from "./search/search.ts";
import { ensureTextIndex } from "./search/text-index.ts";
import { readStats } from "./stats.ts";

/** What a store is made of. */
export interface StoreParts {
  db: SqlDatabase;
  /** Keeps asset bytes. */
  blobs: TransactionalBlobStore;
}

/** Brings the schema up to date, repairs what is derived, and returns the store over `parts`. It owns them: closing it closes them.
 *  @throws StorageError UNSUPPORTED (no FTS5), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT */
export async function createStore(parts: StoreParts): Promise<Store> {
  const start = performance.now();
  try {
    await requireFullText(parts.db);
    const migrated = await migrate(parts.db);
    const created = migrated.applied.length === migrated.version;
    const rebuilt = await ensureTextIndex(parts.db, created);
    return new LodestoreStore(parts, {
      created,
      migrations: migrated.applied,
      rebuilt,
      elapsedMs: performance.now() - start,
    });
  } catch (error) {
    await parts.db.close();
    throw error;
  }
}

async function requireFullText(db: SqlDatabase): Promise<void> {
  const { fullText, engine } = await db.capabilities();
  if (fullText) return;
  throw new StorageError(
    "UNSUPPORTED",
    `${engine} has no full-text search (FTS5); on Node, 22.16 is the first version with it`,
    {
      capability: "store",
      operation: "open",
    },
  );
}

class LodestoreStore implements Store {
  readonly documents: DocumentStore;
  readonly #db: SqlDatabase;
  readonly #ingest: Ingest;
  readonly #search: LexicalSearch;
  readonly #opened: OpenReport;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(parts: StoreParts, opened: OpenReport) {
    this.#db = parts.db;
    const documents = new SqlDocumentStore(parts.db, parts.blobs);
    this.documents = documents;
    this.#ingest = new Ingest(parts.db, documents);
    this.#search = new LexicalSearch(parts.db);
    this.#opened = opened;
  }

  async ingest(source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
    this.#checkOpen("ingest");
    const signal =
      options.signal === undefined ? this.#closing.signal : AbortSignal.any([options.signal, this.#closing.signal]);
    const run = this.#ingest.run(source, { ...options, signal });
    const settled = run.then(noop, noop);
    this.#running.add(settled);
    try {
      return await run;
    } finally {
      this.#running.delete(settled);
    }
  }

  async search(query: SearchQuery, options: { signal?: AbortSignal } = {}): Promise<SearchResult> {
    this.#checkOpen("search");
    return this.#search.search(query, options);
  }

  async stats(): Promise<StoreStats> {
    this.#checkOpen("stats");
    return readStats(this.#db);
  }

  async check(): Promise<CheckReport> {
    this.#checkOpen("check");
    return checkStore(this.#db);
  }

  async openReport(): Promise<OpenReport> {
    return this.#opened;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(
      new StorageError("CLOSED", "the store was closed", { capability: "store", operation: "close" }),
    );
    await Promise.all(this.#running);
    await this.#db.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed !== undefined) {
      throw new StorageError("CLOSED", "the store is closed", { capability: "store", operation });
    }
  }
}

function noop(): void {}
