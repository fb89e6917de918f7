import type { ArchiveImportReport, ArchiveOptions, ArchiveSource } from "../contracts/archive.ts";
import type { TransactionalBlobStore } from "../contracts/blobs.ts";
import { requireEmbedder } from "../contracts/check-embedder.ts";
import type { DocumentStore } from "../contracts/documents.ts";
import type { Embedder } from "../contracts/embedder.ts";
import type { Embeddings } from "../contracts/embeddings.ts";
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
  VectorEngineReport,
} from "../contracts/store.ts";
import { requireSignal } from "../contracts/validate.ts";
import { StorageError } from "../errors.ts";
import { migrate } from "../sql/migrate.ts";
import { SearchActivity } from "../turns.ts";
import { StoreArchive } from "./archive/store-archive.ts";
import { undoUnfinishedImport } from "./archive/undo-import.ts";
import { checkStore } from "./check.ts";
import { SqlDocumentStore } from "./documents/sql-document-store.ts";
import { adoptVectors, type OpenVectors } from "./embeddings/adopt-vectors.ts";
import { StoreEmbeddings } from "./embeddings/store-embeddings.ts";
import type { AnyVectorStore } from "./embeddings/vector-side.ts";
import { Ingest } from "./ingest/ingest.ts";
import { Search } from "./search/search.ts";
import { ensureTextIndex } from "./search/text-index.ts";
import { readStats } from "./stats.ts";

/** What a store is made of. */
export interface StoreParts {
  db: SqlDatabase;
  /** Keeps asset bytes. */
  blobs: TransactionalBlobStore;
  /** Keeps the vectors of chunks. Without one the store finds by words only. */
  vectors?: AnyVectorStore;
  /** Opens what kept the vectors of this store until now, where that is something else than `vectors`. */
  vectorsBefore?: OpenVectors;
  /** Why `vectors` is not what was preferred. */
  vectorsFallback?: string;
  /** Makes the vectors. Without one they are the caller's to put. */
  embedder?: Embedder;
  /** Whether embeddings that are missing when the store opens are made in the background; true by default. */
  embedOnOpen?: boolean;
  /** Told of every search; the vector store's, where it works in the background. */
  activity?: SearchActivity;
}

/** Brings the schema up to date, repairs what is derived, and returns the store over `parts`. It owns them: closing it closes them.
 *  @throws StorageError UNSUPPORTED (no FTS5), SCHEMA_TOO_NEW, MIGRATION_CHANGED, MIGRATION_MISSING, MIGRATION_FAILED, BAD_FORMAT, CORRUPT */
export async function createStore(parts: StoreParts): Promise<Store> {
  const start = performance.now();
  try {
    await requireFullText(parts.db);
    const migrated = await migrate(parts.db);
    const created = migrated.applied.length === migrated.version;
    const undone = created ? [] : await undoUnfinishedImport(parts.db, parts.vectors);
    const rebuilt = [...undone, ...(await ensureTextIndex(parts.db, created))];
    if (parts.embedder !== undefined) requireEmbedder(OPEN, "embedder", parts.embedder);
    const vectors = await openVectors(parts);
    return new LodestoreStore(parts, {
      created,
      migrations: migrated.applied,
      rebuilt,
      vectors,
      elapsedMs: performance.now() - start,
    });
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}

/** Brings vectors that another engine kept into the one of now. */
async function openVectors(parts: StoreParts): Promise<VectorEngineReport | null> {
  const { db, vectors, vectorsBefore, vectorsFallback = null } = parts;
  if (vectors === undefined) return null;
  const moved = await adoptVectors(db, vectors, vectorsBefore);
  return { driver: (await vectors.capabilities()).driver, fallback: vectorsFallback, moved };
}

const OPEN = { capability: "store", operation: "open" } as const;

/** The vector store writes its last to the database, so the database is the last to close, whatever else fails. */
async function closeParts({ db, vectors, embedder }: StoreParts): Promise<void> {
  try {
    await embedder?.close?.();
  } finally {
    try {
      await vectors?.close();
    } finally {
      await db.close();
    }
  }
}

async function requireFullText(db: SqlDatabase): Promise<void> {
  const { fullText, engine } = await db.capabilities();
  if (fullText) return;
  throw new StorageError(
    "UNSUPPORTED",
    `${engine} has no full-text search (FTS5); on Node, 22.16 is the first version with it`,
    OPEN,
  );
}

class LodestoreStore implements Store {
  readonly documents: DocumentStore;
  readonly embeddings: Embeddings;
  readonly #embeddings: StoreEmbeddings;
  readonly #parts: StoreParts;
  readonly #db: SqlDatabase;
  readonly #ingest: Ingest;
  readonly #search: Search;
  readonly #archive: StoreArchive;
  readonly #opened: Omit<OpenReport, "indexes">;
  readonly #activity: SearchActivity;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(parts: StoreParts, opened: Omit<OpenReport, "indexes">) {
    this.#parts = parts;
    this.#db = parts.db;
    this.#activity = parts.activity ?? new SearchActivity();
    this.#embeddings = new StoreEmbeddings(parts, this.#activity);
    this.embeddings = this.#embeddings;
    const documents = new SqlDocumentStore(parts.db, parts.blobs);
    this.documents = documents;
    this.#ingest = new Ingest(parts.db, documents, this.#embeddings);
    this.#search = new Search(
      parts.db,
      parts.vectors === undefined ? undefined : { vectors: parts.vectors, embedder: parts.embedder },
    );
    this.#archive = new StoreArchive(parts, this.#closing.signal);
    this.#opened = opened;
    if (parts.embedOnOpen !== false) this.#embeddings.start();
  }

  async ingest(source: IngestSource, options: IngestOptions = {}): Promise<IngestReport> {
    this.#checkOpen("ingest");
    const asked = requireSignal({ capability: "ingest", operation: "ingest" }, options);
    const signal = asked === undefined ? this.#closing.signal : AbortSignal.any([asked, this.#closing.signal]);
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
    requireSignal({ capability: "search", operation: "search" }, options);
    this.#activity.note();
    try {
      return await this.#search.search(query, options);
    } finally {
      this.#activity.note();
    }
  }

  async stats(): Promise<StoreStats> {
    this.#checkOpen("stats");
    return readStats(this.#db);
  }

  async check(): Promise<CheckReport> {
    this.#checkOpen("check");
    return checkStore(this.#db, this.#parts.vectors);
  }

  async openReport(): Promise<OpenReport> {
    return { ...this.#opened, indexes: (await this.#parts.vectors?.openReports()) ?? [] };
  }

  export(options: ArchiveOptions = {}): AsyncIterableIterator<Uint8Array> {
    this.#checkOpen("export");
    return this.#archive.export(options);
  }

  async import(archive: ArchiveSource, options: ArchiveOptions = {}): Promise<ArchiveImportReport> {
    this.#checkOpen("import");
    const report = await this.#archive.import(archive, options);
    // What could not be carried over, or is of another model.
    if (this.#parts.embedOnOpen !== false) this.#embeddings.start();
    return report;
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
    await this.#archive.idle();
    await this.#embeddings.close();
    await closeParts(this.#parts);
  }

  #checkOpen(operation: string): void {
    if (this.#closed !== undefined) {
      throw new StorageError("CLOSED", "the store is closed", { capability: "store", operation });
    }
  }
}

function noop(): void {}
