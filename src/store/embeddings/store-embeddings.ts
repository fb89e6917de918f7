import { anySignal } from "../../contracts/any-signal.ts";
import {
  checkChunkVectors,
  checkGeneration,
  checkPutGeneration,
  checkReindexOptions,
  checkRunOptions,
  checkSignalOption,
  checkSweepOptions,
} from "../../contracts/check-embeddings.ts";
import type { Embedder } from "../../contracts/embedder.ts";
import type {
  ChunkVector,
  EmbeddingGeneration,
  EmbeddingReport,
  EmbeddingRunOptions,
  Embeddings,
  EmbeddingStatus,
  EmbeddingSweepOptions,
  EmbeddingSweepReport,
  PutGeneration,
  PutReport,
  ReindexOptions,
  ReindexReport,
  VectorTableExamination,
} from "../../contracts/embeddings.ts";
import type { Job } from "../../contracts/jobs.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import type { CallSite } from "../../contracts/validate.ts";
import type { VectorExamineOptions, VectorOpenReport, VectorTableInfo } from "../../contracts/vectors.ts";
import { StorageError } from "../../errors.ts";
import { type SearchActivity, TurnTaker } from "../../turns.ts";
import type { JobDesk } from "../jobs/job-desk.ts";
import { RunningWork } from "../running-work.ts";
import type { SpareRoom } from "../upkeep/spare-room.ts";
import { eraseBaseless } from "./baseless.ts";
import { RecordEraser } from "./eraser.ts";
import { examineTables } from "./examine-indexes.ts";
import { generationOf } from "./generation.ts";
import { isAnyThere } from "./missing.ts";
import { claimGeneration, forgetGeneration, serveWhenComplete } from "./model-rows.ts";
import { EmbeddingRunner } from "./runner.ts";
import { reindexVectors } from "./reindex.ts";
import { readStatus } from "./status.ts";
import { sweepEmbeddings, sweepToItsEnd } from "./sweep.ts";
import { throwIfAborted, Tidy } from "./tidy.ts";
import { type AnyVectorStore, VectorSide } from "./vector-side.ts";
import { EmbeddingWriter } from "./writer.ts";

/** Most vectors that `put` writes together, and to a store whose upserts are costly. */
const PUT_BATCH = 64;
const COSTLY_PUT_BATCH = 1000;

/** What embeddings are made of. */
export interface EmbeddingParts {
  db: SqlDatabase;
  /** Without one nothing is embedded. */
  vectors?: AnyVectorStore | undefined;
  embedder?: Embedder | undefined;
  spare: SpareRoom;
}

/** What there is with a vector store. */
interface Machinery {
  vectors: VectorSide;
  eraser: RecordEraser;
  writer: EmbeddingWriter;
  tidy: Tidy;
  runner: EmbeddingRunner | undefined;
}

/** The embeddings of a store: in its database and its vector store. */
export class StoreEmbeddings implements Embeddings {
  readonly #db: SqlDatabase;
  readonly #desk: JobDesk;
  readonly #model: EmbeddingGeneration | null;
  readonly #machinery: Machinery | undefined;
  readonly #closing = new AbortController();
  readonly #running = new RunningWork();

  /** @param activity Tells a run whether somebody is searching.
   *  @param desk Where what takes long has its jobs. */
  constructor({ db, vectors, embedder, spare }: EmbeddingParts, activity: SearchActivity, desk: JobDesk) {
    this.#db = db;
    this.#desk = desk;
    this.#model = embedder === undefined ? null : generationOf(embedder);
    if (vectors === undefined) return;
    const side = new VectorSide(vectors);
    const eraser = new RecordEraser(db, side);
    const writer = new EmbeddingWriter(db, side, eraser);
    const tidy = new Tidy(db, side, eraser);
    const runner =
      embedder === undefined
        ? undefined
        : new EmbeddingRunner({ db, vectors: side, writer, embedder, activity, spare }, tidy, desk);
    this.#machinery = { vectors: side, eraser, writer, tidy, runner };
  }

  /** What all writes of vectors go through; `undefined` without a vector store. */
  get side(): VectorSide | undefined {
    return this.#machinery?.vectors;
  }

  /** Whether `run` has something to run. */
  get canRun(): boolean {
    return this.#machinery?.runner !== undefined;
  }

  /** Embeds what is missing in the background; without an embedder and a vector store nothing happens. */
  start(): void {
    this.#machinery?.runner?.start();
  }

  /** @param resumed Id of the job that goes on with the run. */
  async run(options: EmbeddingRunOptions = {}, resumed?: Job): Promise<EmbeddingReport> {
    const site = this.#site("run");
    const checked = checkRunOptions(site, options);
    const { runner } = this.#require(site);
    if (runner === undefined) throw new StorageError("UNSUPPORTED", "the store was opened without an embedder", site);
    if (resumed !== undefined) requireGeneration(resumed, this.#model);
    return this.#running.track(runner.run(checked, resumed?.id));
  }

  async status(): Promise<EmbeddingStatus> {
    this.#site("status");
    const read = await readStatus(this.#db, this.#model);
    const runner = this.#machinery?.runner;
    const { running = false, progress = null, lastError = null } = runner ?? {};
    return { ...read, running, progress, lastError };
  }

  async put(
    generation: PutGeneration,
    records: readonly ChunkVector[],
    options: { signal?: AbortSignal } = {},
  ): Promise<PutReport> {
    const site = this.#site("put");
    const machinery = this.#require(site);
    return this.#running.track(this.#put(machinery, site, generation, records, this.#signalOf(site, options)));
  }

  async #put(
    { vectors, writer, tidy }: Machinery,
    site: CallSite,
    given: PutGeneration,
    records: readonly ChunkVector[],
    signal: AbortSignal,
  ): Promise<PutReport> {
    const { generation, metric } = checkPutGeneration(site, given);
    const known = await vectors.table(generation);
    const asTable = { dimensions: generation.dimensions, metric: metric ?? known?.metric ?? "cosine" };
    const checked = checkChunkVectors(site, records, asTable);
    throwIfAborted(signal, "put");
    const table = await vectors.ensureTable(generation, metric);
    const { maxBatch, costlyUpserts = false } = await vectors.capabilities();
    const most = Math.min(costlyUpserts ? COSTLY_PUT_BATCH : PUT_BATCH, maxBatch);
    const turns = new TurnTaker();
    const stored = new Set<string>();
    const wanted = await this.#db.transaction(async (tx) => {
      // What writes nothing must not take the place of the generation that is being built.
      if (!(await isAnyThere(tx, checked))) return [];
      await claimGeneration(tx, generation);
      return checked;
    });
    for (let at = 0; at < wanted.length; at += most) {
      throwIfAborted(signal, "put");
      const batch = wanted.slice(at, at + most);
      for (const chunkId of await writer.write(table, generation, batch)) stored.add(chunkId);
      await turns.breathe();
    }
    const swapped = await this.#db.transaction((tx) => serveWhenComplete(tx, generation));
    if (swapped) await tidy.retired(Number.POSITIVE_INFINITY, signal);
    const unknown = checked.filter(({ chunkId }) => !stored.has(chunkId)).map(({ chunkId }) => chunkId);
    return { stored: stored.size, unknown };
  }

  async sweep(options: EmbeddingSweepOptions = {}): Promise<EmbeddingSweepReport> {
    const site = this.#site("sweep");
    const checked = checkSweepOptions(site, options);
    const signal = this.#withClosing(checked.signal);
    return this.#running.track(sweepEmbeddings({ db: this.#db, ...this.#require(site) }, { ...checked, signal }));
  }

  /** Deletes records that stand for nothing, as a part of a repair. @returns how many went. */
  async eraseBaseless(signal: AbortSignal | undefined): Promise<number> {
    const { tidy, vectors } = this.#require(this.#site("repair"));
    return this.#running.track(eraseBaseless(tidy, vectors.store, this.#withClosing(signal)));
  }

  /** Sweeps until nothing is left to sweep, pending records of any age included, as a part of a repair. Whoever repairs is the only one
   *  that writes, and what is being written here is waited for. */
  async sweepToItsEnd(
    dryRun: boolean,
    signal: AbortSignal | undefined,
    onDeleted: (deleted: number) => void,
  ): Promise<EmbeddingSweepReport> {
    const parts = { db: this.#db, ...this.#require(this.#site("repair")) };
    return this.#running.track(sweepToItsEnd(parts, { dryRun, signal: this.#withClosing(signal), onDeleted }));
  }

  async drop(generation: EmbeddingGeneration, options: { signal?: AbortSignal } = {}): Promise<number> {
    const site = this.#site("drop");
    const checked = checkGeneration(site, generation);
    const signal = this.#signalOf(site, options);
    const { tidy } = this.#require(site);
    throwIfAborted(signal, "drop");
    await this.#db.transaction((tx) => forgetGeneration(tx, checked));
    return this.#running.track(tidy.generation(checked, Number.POSITIVE_INFINITY, signal));
  }

  async flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    const site = this.#site("flush");
    const signal = this.#signalOf(site, options);
    const { store } = this.#require(site).vectors;
    throwIfAborted(signal, "flush");
    let stop: (error: StorageError) => void = nothing;
    const stopped = new Promise<never>((_resolve, reject) => (stop = reject));
    const onAbort = (): void => {
      const closing = this.#closing.signal.aborted;
      stop(
        closing
          ? closed("flush")
          : new StorageError("ABORTED", "nobody waits for the indexes any more; they go on", site),
      );
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      // Not among what `close` waits for: it ends the work itself.
      await Promise.race([store.flush(), stopped]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async indexes(): Promise<VectorTableInfo[]> {
    const { store } = this.#require(this.#site("indexes")).vectors;
    const infos: VectorTableInfo[] = [];
    for (const { indexId } of await store.tables()) infos.push(await store.info(indexId));
    return infos;
  }

  async examine(options: VectorExamineOptions = {}): Promise<VectorTableExamination[]> {
    const { store } = this.#require(this.#site("examine")).vectors;
    return this.#running.track(examineTables(store, options));
  }

  /** @param resumed Id of the job that goes on with it. */
  async reindex(options: ReindexOptions = {}, resumed?: string): Promise<ReindexReport> {
    const site = this.#site("reindex");
    const checked = checkReindexOptions(site, options);
    const { store } = this.#require(site).vectors;
    const parts = { db: this.#db, vectors: store, desk: this.#desk };
    return this.#running.track(
      reindexVectors(parts, { ...checked, signal: this.#withClosing(checked.signal) }, site, resumed),
    );
  }

  async openReports(): Promise<VectorOpenReport[]> {
    return this.#require(this.#site("openReports")).vectors.store.openReports();
  }

  async selfCheck(
    indexId: string,
    modelVersion: string,
    options: { sample?: number } = {},
  ): Promise<{ recall: number; sample: number }> {
    return this.#require(this.#site("selfCheck")).vectors.store.selfCheck(indexId, modelVersion, options);
  }

  /** Ends what runs at the next batch, and waits for that. Everything later throws CLOSED. */
  async close(): Promise<void> {
    this.#closing.abort(closed("close"));
    await this.#machinery?.runner?.close(this.#closing.signal.reason);
    await this.#running.idle();
  }

  #site(operation: string): CallSite {
    if (this.#closing.signal.aborted) throw closed(operation);
    return { capability: "embeddings", operation };
  }

  #require(site: CallSite): Machinery {
    if (this.#machinery !== undefined) return this.#machinery;
    throw new StorageError("UNSUPPORTED", "the store was opened without a vector store", site);
  }

  #signalOf(site: CallSite, options: unknown): AbortSignal {
    return this.#withClosing(checkSignalOption(site, options).signal);
  }

  #withClosing(signal: AbortSignal | undefined): AbortSignal {
    return anySignal(signal, this.#closing.signal);
  }
}

function nothing(): void {}

/** @throws StorageError UNSUPPORTED the job makes other embeddings than the store's embedder does */
function requireGeneration({ id, payload }: Job, model: EmbeddingGeneration | null): void {
  if (model !== null && JSON.stringify(payload) === JSON.stringify(model)) return;
  const message = `the job "${id}" makes embeddings of ${describeModel(payload)}, and the store was opened with ${describeModel(model)}`;
  throw new StorageError("UNSUPPORTED", message, { capability: "jobs", operation: "resume" });
}

function describeModel(model: Readonly<Record<string, unknown>> | EmbeddingGeneration | null): string {
  if (model === null) return "no embedder";
  const { modelId, modelVersion, dimensions } = model;
  return `${String(modelId)}, version ${String(modelVersion)}, ${String(dimensions)} dimensions`;
}

function closed(operation: string): StorageError {
  return new StorageError("CLOSED", "the store is closed", { capability: "embeddings", operation });
}
