import { anySignal } from "../../contracts/any-signal.ts";
import type { SqlExecutor } from "../../contracts/sql.ts";
import type { IngestFailure, IngestFile, IngestProgress, IngestReport, IngestSource } from "../../contracts/store.ts";
import { checkIngestFile, type CheckedIngestOptions } from "../../contracts/check-ingest.ts";
import { StorageError } from "../../errors.ts";
import type { HeldBytes } from "../documents/held-bytes.ts";
import type { PutWhole } from "../documents/put-whole.ts";
import type { SqlDocumentStore } from "../documents/sql-document-store.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import type { StoreJob } from "../jobs/store-job.ts";
import { type AfterIngest, embedAfter } from "./embed-after.ts";
import { DocumentReader, type ReadDocument } from "./document-reader.ts";
import { ProgressTeller } from "./progress.ts";
import { RunRecord, type RunStatus } from "./run-record.ts";
import { filesOf } from "./source-files.ts";
import { sweep } from "./sweep.ts";
import { ingestAborted } from "./ingest-aborted.ts";
import { tidyTextIndex } from "../search/text-index.ts";
import type { SpareRoom } from "../upkeep/spare-room.ts";
import { TurnTaker } from "../../turns.ts";

/** A transaction is committed when it holds this many documents … */
const GROUP_DOCUMENTS = 64;
/** … this much text, for a search that arrives meanwhile waits for one group at most … */
const GROUP_BYTES = 512 * 1024;

/** … or documents that were read this long ago: what is read is soon in, however slow the source. */
const GROUP_MS = 500;

/** The text index is tidied after a run that changed this many documents. */
const TIDY_DOCUMENTS = 256;

/** Errors after which going on makes no sense: the store itself is in trouble, not the file. */
const FATAL: ReadonlySet<string> = new Set([
  "QUOTA_EXCEEDED",
  "CORRUPT",
  "CLOSED",
  "OWNER_LOST",
  "TRANSACTION",
  "POOL",
  "TIMEOUT",
]);

/** What a run works with. */
export interface RunParts {
  db: SqlExecutor;
  documents: SqlDocumentStore;
  desk: JobDesk;
  job: StoreJob;
  /** Ids of the runs that are going on. */
  live: ReadonlySet<string>;
  spare: SpareRoom;
}

/** One run: from its files to their commits. */
export class IngestRun {
  readonly #desk: JobDesk;
  readonly #job: StoreJob;
  readonly #db: SqlExecutor;
  readonly #spare: SpareRoom;
  readonly #documents: SqlDocumentStore;
  readonly #options: CheckedIngestOptions;
  readonly #reader: DocumentReader;
  readonly #progress: ProgressTeller;
  readonly #turns = new TurnTaker();
  readonly #started = performance.now();
  readonly #report: IngestReport;
  readonly #record: RunRecord;
  readonly #seen = new Set<string>();
  #group = new Map<string, ReadDocument>();
  #groupBytes = 0;
  #groupStarted = 0;

  constructor({ db, documents, desk, job, live, spare }: RunParts, given: CheckedIngestOptions, runId: string) {
    const signal = anySignal(given.signal, job.signal);
    const options = { ...given, signal };
    this.#db = db;
    this.#spare = spare;
    this.#documents = documents;
    this.#desk = desk;
    this.#job = job;
    this.#options = options;
    this.#report = {
      runId,
      jobId: job.id,
      added: 0,
      updated: 0,
      skipped: 0,
      removed: 0,
      deduplicated: 0,
      failures: [],
      bytes: 0,
      blocks: 0,
      chunks: 0,
      elapsedMs: 0,
      timings: { readMs: 0, parseMs: 0, idsMs: 0, sqlMs: 0 },
    };
    const { maxFileBytes, chunking, total, sweep: swept } = options;
    this.#record = new RunRecord(
      this.#report.runId,
      {
        maxFileBytes,
        chunking,
        total: total ?? null,
        sweep: swept ?? null,
      },
      live,
    );
    this.#reader = new DocumentReader(
      db,
      {
        pack: (bytes, mediaType) => documents.pack(bytes, mediaType),
        hasExternal: (contentHash, byteLength) => documents.hasExternal(contentHash, byteLength),
      },
      options,
      this.#report.timings,
    );
    this.#progress = new ProgressTeller(options.onProgress, options.total, (progress) => this.#note(progress));
  }

  get report(): IngestReport {
    return this.#report;
  }

  /** Waits for the embedding of what is in. Why it fails is in the report: the documents are in. */
  async embed(embedding: AfterIngest | undefined): Promise<void> {
    let outcome: Awaited<ReturnType<typeof embedAfter>>;
    try {
      outcome = await embedAfter(embedding, this.#options.signal, (progress) =>
        this.#progress.embedding(this.#report, progress),
      );
      this.#throwIfAborted();
    } catch (error) {
      await this.#desk.fail(this.#job, error);
      throw error;
    }
    await this.#desk.settle(this.#job);
    if (outcome !== undefined) this.#report.embedding = outcome;
    this.#report.elapsedMs = performance.now() - this.#started;
  }

  /** Waits for what the caller's `onProgress` returned. What it threw harmed nothing; the run's row has it, and the caller.
   *  @throws what `onProgress` threw first */
  async settleProgress(): Promise<void> {
    const thrown = await this.#progress.settle(this.#options.signal);
    if (thrown === undefined) return;
    await this.#write("completed", `onProgress threw: ${messageOf(thrown.error)}`);
    throw thrown.error;
  }

  async run(source: IngestSource): Promise<void> {
    const { sweep: swept, signal } = this.#options;
    try {
      this.#throwIfAborted();
      for await (const file of filesOf(source, signal)) {
        this.#throwIfAborted();
        await this.#take(file);
        await this.#turns.breathe();
        this.#throwIfAborted();
      }
      // One commit ends the run together with its last documents: a single document is one durable write.
      await this.#flush(swept === undefined ? "completed" : "running");
      if (swept !== undefined) {
        await sweep(this.#documents, swept.prefix, this.#seen, {
          signal,
          onRemoved: () => this.#report.removed++,
        });
        await this.#write("completed", null);
      }
      await this.#tidy();
      this.#progress.end(this.#report);
      await this.#settle();
    } catch (error) {
      await this.#end(error);
      throw error;
    }
  }

  /** Reads one file and puts it into the group; a commit that fails ends the run, whatever its error. */
  async #take(file: IngestFile): Promise<void> {
    const path = pathOf(file);
    // Whatever is wrong with the file, it is there: it is not swept.
    this.#seen.add(path);
    if (this.#group.has(path)) await this.#flush("running");
    const read = await this.#read(file, path);
    if (read !== undefined) {
      this.#group.set(path, read);
      if (this.#group.size === 1) this.#groupStarted = performance.now();
      this.#groupBytes += read.whole.bytes.byteLength;
      if (this.#isGroupFull()) await this.#flush("running");
    }
    this.#progress.update(this.#report, path, this.#group.size);
  }

  #isGroupFull(): boolean {
    return (
      this.#group.size >= GROUP_DOCUMENTS ||
      this.#groupBytes >= GROUP_BYTES ||
      performance.now() - this.#groupStarted >= GROUP_MS
    );
  }

  /** Returns the document, or undefined when it is in already or cannot be read: what is wrong with a file is reported
   *  and stays its own affair. */
  async #read(file: IngestFile, path: string): Promise<ReadDocument | undefined> {
    try {
      const checked = checkIngestFile(file);
      const read = await this.#reader.read(checked);
      if (read === undefined) this.#report.skipped++;
      return read;
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#throwIfAborted();
      this.#report.failures.push(failure(path, error));
      return undefined;
    }
  }

  /** Writes the group and the run's row: one commit, one savepoint per document. */
  async #flush(status: RunStatus): Promise<void> {
    if (this.#group.size === 0 && status === "running") return;
    if (this.#group.size > 0) await this.#spare.require({ capability: "ingest", operation: "ingest" });
    const group = this.#group;
    this.#group = new Map();
    this.#groupBytes = 0;
    const start = performance.now();
    const after = structuredClone(this.#report);
    const held = new Map<string, HeldBytes>();
    try {
      for (const [path, { whole }] of group) {
        const bytes = await this.#documents.hold(whole);
        if (bytes !== undefined) held.set(path, bytes);
      }
      await this.#db.transaction(async (tx) => {
        const documents = this.#documents.over(tx);
        for (const [path, read] of group) {
          try {
            count(after, read, await documents.putHashed(read.whole, held.get(path)));
          } catch (error) {
            if (isFatal(error)) throw error;
            after.failures.push(failure(path, error));
          }
        }
        after.elapsedMs = performance.now() - this.#started;
        await this.#record.write(tx, after, status, null);
        this.#note(this.#progress.of(after, null, 0));
        if (status === "completed" && this.#isOverAfter(after)) await this.#job.end(tx, "completed", null);
        else await this.#job.write(tx);
      });
    } finally {
      for (const bytes of held.values()) await bytes.letGo();
    }
    await this.#documents.collect();
    // Only what is committed counts.
    after.timings.sqlMs += performance.now() - start;
    Object.assign(this.#report.timings, after.timings);
    Object.assign(this.#report, { ...after, timings: this.#report.timings });
  }

  #note(progress: IngestProgress): void {
    const { runId, removed } = this.#report;
    this.#job.note({ ...progress, removed, runId });
  }

  /** Whether nothing is left to do when the last documents are in: the job ends with their commit. */
  #isOverAfter(report: IngestReport): boolean {
    return this.#options.embed !== "wait" && !isTidyDue(report);
  }

  /** Ends the job of a run whose files are in, unless it has ended with them, or goes on with their embedding. */
  async #settle(): Promise<void> {
    if (this.#options.embed === "wait") return;
    const { sweep: swept } = this.#options;
    if (swept === undefined && this.#isOverAfter(this.#report)) await this.#job.leave();
    else await this.#desk.settle(this.#job);
  }

  async #tidy(): Promise<void> {
    if (!isTidyDue(this.#report)) return;
    const start = performance.now();
    await tidyTextIndex(this.#db, () => this.#turns.breathe());
    this.#report.timings.sqlMs += performance.now() - start;
    this.#report.elapsedMs = performance.now() - this.#started;
  }

  /** Ends a run that did not complete. Documents that are read but not written are dropped: they are not in yet. */
  async #end(error: unknown): Promise<void> {
    const cancelled = error instanceof StorageError && error.code === "ABORTED";
    this.#progress.end(this.#report);
    await this.#desk.fail(this.#job, error);
    try {
      await this.#write(cancelled ? "cancelled" : "failed", messageOf(error));
    } catch (cause) {
      // The store that failed the run may also refuse its last row; the next open closes it. The first error counts.
      if (!(cause instanceof StorageError)) throw cause;
    }
  }

  async #write(status: RunStatus, error: string | null): Promise<void> {
    this.#report.elapsedMs = performance.now() - this.#started;
    await this.#record.write(this.#db, this.#report, status, error);
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw ingestAborted(signal);
  }
}

/** The path as reports name it, also where the file is not even an object with a path. */
function pathOf(file: unknown): string {
  const path: unknown = typeof file === "object" && file !== null && "path" in file ? file.path : undefined;
  return typeof path === "string" ? path.normalize("NFC") : "(no path)";
}

function isTidyDue({ added, updated, removed }: IngestReport): boolean {
  return added + updated + removed >= TIDY_DOCUMENTS;
}

function count(report: IngestReport, read: ReadDocument, { deduplicated }: PutWhole): void {
  if (deduplicated) report.deduplicated++;
  if (read.replaces) report.updated++;
  else report.added++;
  report.bytes += read.whole.bytes.byteLength;
  report.blocks += read.whole.blocks.length;
  report.chunks += read.whole.chunks.length;
}

function failure(path: string, error: unknown): IngestFailure {
  return { path, reason: messageOf(error), code: error instanceof StorageError ? error.code : "DRIVER" };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isFatal(error: unknown): boolean {
  return error instanceof StorageError && FATAL.has(error.code);
}
