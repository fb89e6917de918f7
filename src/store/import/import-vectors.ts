import { requireModelId, requireModelVersion, requireVector } from "../../contracts/check-vectors.ts";
import { requireWorkspacePath } from "../../contracts/check-paths.ts";
import type { ChunkVector, PutGeneration } from "../../contracts/embeddings.ts";
import type { Store } from "../../contracts/store.ts";
import { type CallSite, describe, refusal } from "../../contracts/validate.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import type { ImportText } from "./import-texts.ts";
import { IMPORT_SOURCE, importedDocument, importedPath } from "./imported-document.ts";
import type { VectorFile } from "./vector-file.ts";

/** What an import writes to. */
export type ImportStore = Pick<Store, "documents" | "embeddings">;

/** Options of {@link importVectors}. */
export interface ImportVectorsOptions {
  /** Model that made the vectors, 1 to 200 characters: searches compare with a query that the same model embedded. */
  modelId: string;
  /** 1 to 100 characters; "1" by default. */
  modelVersion?: string;
  /** Texts by label: each becomes a document with one chunk. See {@link parseDocstore}. */
  texts?: ReadonlyMap<string, ImportText>;
  /** Chunks of the store by label. Without `texts` and `chunks` the labels are chunk ids themselves. */
  chunks?: ReadonlyMap<string, string>;
  /** Workspace path under which documents of `texts` are put; "imported" by default. */
  prefix?: string;
  /** Stops after the batch at hand; what is in stays, and a second import goes over it without harm. The promise rejects with ABORTED. */
  signal?: AbortSignal;
  /** Called after every batch, and at the end. */
  onProgress?: (progress: ImportProgress) => void;
}

/** How far an import is. */
export interface ImportProgress {
  /** Vectors that were written, or have no text or chunk. */
  done: number;
  /** Vectors of the file. */
  total: number;
  elapsedMs: number;
}

/** What an import did. */
export interface ImportReport extends Required<PutGeneration> {
  /** Vectors of the file, without deleted ones. */
  vectors: number;
  /** Vectors that are committed now. */
  stored: number;
  documents: { added: number; replaced: number; unchanged: number };
  /** Labels without a text or a chunk: how many, and the first 100. */
  unmatched: { count: number; labels: string[] };
  /** Labels whose chunk the store has not: how many, and the first 100. */
  unknown: { count: number; labels: string[] };
  /** Texts or chunks whose label no vector has. */
  unused: number;
  elapsedMs: number;
}

const OPERATION = "importVectors";
const SITE: CallSite = { capability: "embeddings", operation: OPERATION };
/** Vectors that are written between two looks at the signal. */
const BATCH = 256;
const MAX_LISTED = 100;
const CHUNK_ID = /^[0-9a-f]{32}$/;

/** Puts the vectors of a file into a store, as embeddings of chunks that are there or of documents that it makes of texts.
 *
 *  All of it is checked before the first is written: labels, chunks that two labels name, vectors that the store does not take, the
 *  metric, documents of other origin at the paths. Importing again replaces what is there. The graph is built anew by the store.
 *  @throws StorageError INVALID_INPUT naming the label, CONFLICT (the model's vectors are compared by another metric; a document of other
 *  origin is at a path), ABORTED, UNSUPPORTED (no vector store), QUOTA_EXCEEDED, CLOSED
 *  @example
 *    const file = readVectorFile(await readFile("hnswlib.index"), { metric: "cosine" });
 *    const texts = parseDocstore(await readFile("docstore.json", "utf8"));
 *    await importVectors(store, file, { modelId: "text-embedding-ada-002", texts }); */
export async function importVectors(
  store: ImportStore,
  file: VectorFile,
  options: ImportVectorsOptions,
): Promise<ImportReport> {
  const modelId = requireModelId(SITE, "modelId", options.modelId);
  const modelVersion = requireModelVersion(SITE, "modelVersion", options.modelVersion ?? "1");
  if (options.texts !== undefined && options.chunks !== undefined) {
    throw refusal(SITE, "texts and chunks both say what the labels stand for; give one of them");
  }
  const prefix = requireWorkspacePath(SITE, "prefix", options.prefix ?? "imported");
  const generation = { modelId, modelVersion, dimensions: file.dimensions, metric: file.metric };
  const run = new ImportRun(store, file, generation, { ...options, prefix });
  return run.run();
}

/** A vector, and where it goes. */
interface Entry {
  label: string;
  /** Its place in the file. */
  at: number;
  goal: { chunkId: string } | { path: string; text: ImportText };
}

class ImportRun {
  readonly #store: ImportStore;
  readonly #file: VectorFile;
  readonly #generation: Required<PutGeneration>;
  readonly #options: ImportVectorsOptions & { prefix: string };
  readonly #started = performance.now();
  readonly #turns = new TurnTaker();
  readonly #report: ImportReport;

  constructor(
    store: ImportStore,
    file: VectorFile,
    generation: Required<PutGeneration>,
    options: ImportVectorsOptions & { prefix: string },
  ) {
    this.#store = store;
    this.#file = file;
    this.#generation = generation;
    this.#options = options;
    this.#report = {
      ...generation,
      vectors: file.labels.length,
      stored: 0,
      documents: { added: 0, replaced: 0, unchanged: 0 },
      unmatched: { count: 0, labels: [] },
      unknown: { count: 0, labels: [] },
      unused: 0,
      elapsedMs: 0,
    };
  }

  async run(): Promise<ImportReport> {
    this.#throwIfAborted();
    const entries = this.#entries();
    this.#requireVectors(entries);
    await this.#requireMetric();
    await this.#requireOwnPaths(entries);
    for (let at = 0; at < entries.length; at += BATCH) {
      await this.#write(entries.slice(at, at + BATCH));
      this.#tell();
    }
    this.#tell();
    this.#report.elapsedMs = performance.now() - this.#started;
    return this.#report;
  }

  /** Pairs labels with what they stand for. */
  #entries(): Entry[] {
    const { texts, chunks, prefix } = this.#options;
    const entries: Entry[] = [];
    const labelOf = new Map<string, string>();
    for (const [at, label] of this.#file.labels.entries()) {
      const text = texts?.get(label);
      const chunkId = texts === undefined ? (chunks === undefined ? label : chunks.get(label)) : undefined;
      if (text !== undefined) {
        entries.push({ label, at, goal: { path: importedPath(prefix, label), text } });
      } else if (chunkId === undefined) {
        note(this.#report.unmatched, label);
      } else {
        if (!CHUNK_ID.test(chunkId)) throw refusal(SITE, notAnId(label, chunkId, chunks !== undefined));
        const other = labelOf.get(chunkId);
        if (other !== undefined) {
          throw refusal(SITE, `labels ${describe(other)} and ${describe(label)} both stand for chunk "${chunkId}"`);
        }
        labelOf.set(chunkId, label);
        entries.push({ label, at, goal: { chunkId } });
      }
    }
    const given = texts?.size ?? chunks?.size;
    if (given !== undefined) this.#report.unused = given - entries.length;
    return entries;
  }

  /** The store refuses a vector with its whole batch; here it is named by its label. */
  #requireVectors(entries: readonly Entry[]): void {
    const { vectors, dimensions, metric } = this.#file;
    for (const { label, at } of entries) {
      const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
      if (metric === "cosine" && vector.every((value) => value === 0)) {
        throw refusal(SITE, `the vector of label ${describe(label)} is zero, and cosine compares directions`);
      }
      requireVector(SITE, `the vector of label ${describe(label)}`, vector, { dimensions, metric });
    }
  }

  async #requireMetric(): Promise<void> {
    const { modelId, dimensions, metric } = this.#generation;
    const tables = await this.#store.embeddings.indexes();
    const there = tables.find((table) => table.modelId === modelId && table.dimensions === dimensions);
    if (there === undefined || there.metric === metric) return;
    const message = `the embeddings of ${describe(modelId)} are compared by ${there.metric}, and those of the file by ${metric}`;
    throw new StorageError("CONFLICT", message, SITE);
  }

  /** Documents of other origin stay. */
  async #requireOwnPaths(entries: readonly Entry[]): Promise<void> {
    if (this.#options.texts === undefined) return;
    const { documents } = this.#store;
    const taken = new Set(await documents.allWorkspacePaths());
    for (const { label, goal } of entries) {
      if (!("path" in goal) || !taken.has(goal.path)) continue;
      this.#throwIfAborted();
      const there = await documents.getDocumentByWorkspacePath(goal.path);
      if (there === undefined || there.sourceType === IMPORT_SOURCE) continue;
      const message = `label ${describe(label)} would replace "${goal.path}", which was not imported; choose another prefix`;
      throw new StorageError("CONFLICT", message, SITE);
    }
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    const records: ChunkVector[] = [];
    const labelOf = new Map<string, string>();
    for (const { label, at, goal } of batch) {
      this.#throwIfAborted();
      const chunkId = "chunkId" in goal ? goal.chunkId : await this.#putDocument(label, goal.path, goal.text);
      labelOf.set(chunkId, label);
      records.push({ chunkId, vector: this.#vector(at) });
      await this.#turns.breathe();
    }
    const { signal } = this.#options;
    const { stored, unknown } = await this.#store.embeddings.put(
      this.#generation,
      records,
      signal === undefined ? {} : { signal },
    );
    this.#report.stored += stored;
    for (const chunkId of unknown) note(this.#report.unknown, labelOf.get(chunkId) ?? chunkId);
  }

  async #putDocument(label: string, path: string, text: ImportText): Promise<string> {
    const { documents } = this.#store;
    const { whole, chunkId } = importedDocument(path, label, text);
    const before = await documents.getDocumentByWorkspacePath(path);
    try {
      await documents.putWhole(whole);
    } catch (cause) {
      if (!(cause instanceof StorageError) || cause.code !== "INVALID_INPUT") throw cause;
      const message = `the text of label ${describe(label)} makes no document: ${cause.message}`;
      throw new StorageError("INVALID_INPUT", message, { ...SITE, cause });
    }
    const outcome = before === undefined ? "added" : before.id === whole.document.id ? "unchanged" : "replaced";
    this.#report.documents[outcome]++;
    return chunkId;
  }

  #vector(at: number): Float32Array {
    const { vectors, dimensions } = this.#file;
    return vectors.slice(at * dimensions, (at + 1) * dimensions);
  }

  #tell(): void {
    const { stored, unmatched, unknown, vectors } = this.#report;
    const elapsedMs = performance.now() - this.#started;
    this.#options.onProgress?.({ done: stored + unmatched.count + unknown.count, total: vectors, elapsedMs });
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true) return;
    const cause: unknown = signal.reason;
    throw new StorageError("ABORTED", "the import was cancelled; what is in stays", { ...SITE, cause });
  }
}

function note(list: { count: number; labels: string[] }, label: string): void {
  list.count++;
  if (list.labels.length < MAX_LISTED) list.labels.push(label);
}

function notAnId(label: string, chunkId: string, mapped: boolean): string {
  const takes = "a chunk id of 32 lower-case hex digits";
  if (mapped) return `chunks has ${describe(chunkId)} for label ${describe(label)}; it takes ${takes}`;
  return `label ${describe(label)} is no chunk id; give texts, or chunks by label`;
}
