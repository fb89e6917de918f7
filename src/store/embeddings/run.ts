import type { Embedder } from "../../contracts/embedder.ts";
import type {
  EmbeddingFailure,
  EmbeddingGeneration,
  EmbeddingProgress,
  EmbeddingReport,
} from "../../contracts/embeddings.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import type { VectorTable } from "../../contracts/vectors.ts";
import type { StorageError } from "../../errors.ts";
import { type SearchActivity, TurnTaker } from "../../turns.ts";
import type { SpareRoom } from "../upkeep/spare-room.ts";
import { BatchSize, CommitSize } from "./batch-size.ts";
import { embedTexts, type RefusedChunk } from "./embed-texts.ts";
import { generationOf } from "./generation.ts";
import {
  chunksAllOver,
  countEmbedded,
  isAnyAfter,
  isAnyMissingBut,
  missingAfter,
  type MissingChunk,
  textsOf,
} from "./missing.ts";
import { claimGeneration, serveWhenComplete, serveWithGaps } from "./model-rows.ts";
import { RunProgress } from "./progress.ts";
import type { RunJob } from "./run-job.ts";
import { servingVersion } from "./serving.ts";
import { throwIfAborted } from "./tidy.ts";
import type { VectorSide } from "./vector-side.ts";
import type { EmbeddedChunk, EmbeddingWriter } from "./writer.ts";

/** Most failures of a report. */
const MAX_FAILURES = 100;
/** An embedder that refused this many texts and never took one is tried with texts from all over the store; */
const MAX_REFUSED = 32;
/** with so many. If it takes none of these either, it refuses everything: the run ends. */
const PROBES = 16;

const RUN = { capability: "embeddings", operation: "run" } as const;

/** What a run works with. */
export interface RunParts {
  db: SqlDatabase;
  vectors: VectorSide;
  writer: EmbeddingWriter;
  embedder: Embedder;
  activity: SearchActivity;
  spare: SpareRoom;
}

/** One run: embeds what is missing, by chunk key, batch by batch. */
export class EmbeddingRun {
  readonly generation: EmbeddingGeneration;
  readonly #parts: RunParts;
  readonly #signal: AbortSignal;
  readonly #progress: RunProgress;
  readonly #job: RunJob;
  /** A search has several steps, and between two slices of a run it takes them all. */
  readonly #turns = new TurnTaker(0);
  #commit: CommitSize;
  /** Embedded, and not committed yet. */
  #waiting: EmbeddedChunk[] = [];
  /** Keys of the chunks that were left out. */
  readonly #refused = new Set<number>();
  readonly #failures: EmbeddingFailure[] = [];
  #lastFailure: StorageError | null = null;
  /** Whether the embedder was seen to take a text. */
  #takes = false;
  /** Chunk key up to which nothing was missing, but what was refused, when it was looked at last. */
  #cursor: number;

  /** @param from Chunk key to begin after: where the last run ended. A guess is enough. */
  constructor(
    parts: RunParts,
    signal: AbortSignal,
    tell: (progress: EmbeddingProgress) => void,
    job: RunJob,
    from: number,
  ) {
    this.#parts = parts;
    this.#signal = signal;
    this.#job = job;
    this.#progress = new RunProgress((progress) => {
      job.note(progress);
      tell(progress);
    });
    this.#cursor = from;
    this.generation = generationOf(parts.embedder);
    this.#commit = new CommitSize(() => parts.activity.recent, false);
  }

  get cursor(): number {
    return this.#cursor;
  }

  get progress(): EmbeddingProgress {
    return this.#progress.now();
  }

  /** The error of a chunk that was left out, null when none was. */
  get lastFailure(): StorageError | null {
    return this.#lastFailure;
  }

  /** Embeds until nothing is missing but what was refused. What was embedded serves then. May be called again. */
  async toEnd(): Promise<void> {
    const { db, vectors } = this.#parts;
    throwIfAborted(this.#signal, "run");
    if (await this.#isComplete()) return;
    await this.#parts.spare.require(RUN);
    const table = await vectors.ensureTable(this.generation);
    await db.transaction(async (tx) => {
      await claimGeneration(tx, this.generation);
      this.#job.note(this.#progress.now());
      await this.#job.begin(tx);
    });
    const { maxBatch, costlyUpserts = false } = await vectors.capabilities();
    const limits = {
      embedder: this.#parts.embedder.maxBatch,
      vectors: maxBatch,
      dimensions: this.generation.dimensions,
    };
    const watched = (): boolean => this.#parts.activity.recent;
    const size = new BatchSize(limits, watched);
    this.#commit = new CommitSize(watched, costlyUpserts);
    try {
      await this.#passes(table, size);
    } catch (error) {
      // What was embedded before is not lost with it. What cannot be written either stays missing, and the next run makes it.
      await this.#write(table).catch(() => undefined);
      throw error;
    }
  }

  /** Looks at the chunks after the cursor first, where what is missing is as a rule, then at all of them, then at those that came
   *  meanwhile, and at all again if others went on missing: a sweep or another process deleted their embeddings. */
  async #passes(table: VectorTable, size: BatchSize): Promise<void> {
    const { db } = this.#parts;
    let from = this.#cursor;
    for (let seenAll = from === 0; ; seenAll = true) {
      const written = await this.#pass(table, size, from);
      if (await db.transaction((tx) => serveWhenComplete(tx, this.generation))) return;
      if (await this.#isComplete()) return;
      if (await db.transaction((tx) => this.#serveWithoutRefused(tx))) return;
      const othersCame = await isAnyAfter(db, this.#cursor);
      // A pass through all that could write nothing would be followed by others like it: some chunk cannot have its embedding.
      if (from === 0 && written === 0 && !othersCame) return;
      from = seenAll && othersCame ? this.#cursor : 0;
    }
  }

  /** Lets the generation serve where nothing is missing but what was refused. @returns whether that is so. */
  async #serveWithoutRefused(tx: SqlExecutor): Promise<boolean> {
    if (await isAnyMissingBut(tx, this.generation, this.#refused)) return false;
    await serveWithGaps(tx, this.generation);
    return true;
  }

  async report(): Promise<EmbeddingReport> {
    this.#progress.tell(true);
    const { embedded, failed, elapsedMs } = this.#progress;
    const { modelId, dimensions } = this.generation;
    const serving = (await servingVersion(this.#parts.db, modelId, dimensions)) ?? null;
    return { ...this.generation, jobId: this.#job.id, embedded, failed, failures: this.#failures, serving, elapsedMs };
  }

  /** Whether every chunk has its embedding, in a generation that serves. */
  async #isComplete(): Promise<boolean> {
    const { db } = this.#parts;
    const { modelId, modelVersion, dimensions } = this.generation;
    const { chunks, committed } = await countEmbedded(db, this.generation);
    this.#progress.counted(committed, chunks);
    if (committed < chunks) return false;
    return chunks === 0 || (await servingVersion(db, modelId, dimensions)) === modelVersion;
  }

  /** Goes through the chunks after `from` once, and embeds what is missing and was not refused. @returns how many embeddings it wrote. */
  async #pass(table: VectorTable, size: BatchSize, from: number): Promise<number> {
    const before = this.#progress.embedded;
    for (let after = from; ;) {
      throwIfAborted(this.#signal, "run");
      const { rows, through } = await missingAfter(this.#parts.db, this.generation, after);
      const wanted = rows.filter(({ chunkKey }) => !this.#refused.has(chunkKey));
      for (let at = 0; at < wanted.length;) {
        const batch = size.next(wanted, at);
        await this.#embed(table, size, batch);
        await this.#endIfAllRefused(table, size);
        at += batch.length;
        await this.#turns.breathe();
      }
      await this.#write(table);
      if (through === null) return this.#progress.embedded - before;
      after = through;
      this.#cursor = through;
      await this.#turns.breathe();
    }
  }

  async #embed(table: VectorTable, size: BatchSize, batch: readonly MissingChunk[]): Promise<void> {
    throwIfAborted(this.#signal, "run");
    const { db, embedder } = this.#parts;
    const texts = await textsOf(db, batch);
    if (texts.length === 0) return;
    const { rows, refused, busyMs } = await embedTexts(embedder, table, texts, this.#signal);
    throwIfAborted(this.#signal, "run");
    size.learn(texts.length, busyMs);
    this.#waiting.push(...rows);
    if (this.#commit.isDue(this.#waiting.length)) await this.#write(table);
    this.#leaveOut(refused);
  }

  #leaveOut(refused: readonly RefusedChunk[]): void {
    for (const { chunkId, chunkKey, error } of refused) {
      this.#refused.add(chunkKey);
      if (this.#failures.length < MAX_FAILURES) {
        this.#failures.push({ chunkId, reason: error.message, code: error.code });
      }
      this.#lastFailure = error;
    }
    this.#progress.failed = this.#refused.size;
  }

  /** @throws StorageError the last refusal, where there is nothing that the embedder ever took */
  async #endIfAllRefused(table: VectorTable, size: BatchSize): Promise<void> {
    if (this.#takes || this.#refused.size < MAX_REFUSED || this.#progress.now().done > 0) return;
    const { db, embedder } = this.#parts;
    const all = await chunksAllOver(db, PROBES);
    const probes = all.filter(({ chunkKey }) => !this.#refused.has(chunkKey));
    for (let at = 0; at < probes.length && !this.#takes;) {
      throwIfAborted(this.#signal, "run");
      const batch = size.next(probes, at);
      const { rows } = await embedTexts(embedder, table, await textsOf(db, batch), this.#signal);
      this.#takes = rows.length > 0;
      at += batch.length;
    }
    if (!this.#takes && this.#lastFailure !== null) throw this.#lastFailure;
  }

  /** Writes what waits in slices, between which searches have their turn. */
  async #write(table: VectorTable): Promise<void> {
    const rows = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < rows.length;) {
      const slice = rows.slice(at, at + this.#commit.rows);
      await this.#parts.spare.require(RUN);
      const start = performance.now();
      const written = await this.#parts.writer.write(table, this.generation, slice);
      this.#commit.learn(slice.length, performance.now() - start);
      at += slice.length;
      this.#progress.stored(written.size);
      await this.#turns.breathe();
    }
  }
}
