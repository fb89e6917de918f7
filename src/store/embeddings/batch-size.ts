import type { MissingChunk } from "./missing.ts";

/** Most chunks of one batch, */
const MOST = 256;
/** most bytes of their texts, */
const MOST_TEXT_BYTES = 512 * 1024;
/** and of their vectors. */
const MOST_VECTOR_BYTES = 4 * 1024 * 1024;
/** A commit of vectors, for which everything else waits, takes about this long while somebody searches, and while nobody does; */
const COMMIT_MS = { watched: 3, alone: 24 };
/** but has no fewer: flushing to the disk costs the same for few. */
const FEWEST = { watched: 8, alone: 32 };
/** An embedder that computes on this thread gets as many texts as take it about this long. */
const AIM_MS = { watched: 2, alone: 12 };
const FIRST = 16;

/** Whether somebody is searching. */
export type Watched = () => boolean;

/** Chooses how many chunks are embedded together: as many as the embedder takes, unless it keeps the thread busy meanwhile. */
export class BatchSize {
  readonly #most: number;
  readonly #watched: Watched;
  #size: number;

  constructor(limits: { embedder: number; vectors: number; dimensions: number }, watched: Watched) {
    this.#watched = watched;
    const fits = Math.floor(MOST_VECTOR_BYTES / (4 * limits.dimensions));
    this.#most = Math.max(1, Math.min(MOST, limits.embedder, limits.vectors, fits));
    this.#size = Math.min(FIRST, this.#most);
  }

  /** Returns the chunks of the next batch; one too long for a batch is a batch of its own. */
  next(chunks: readonly MissingChunk[], from: number): readonly MissingChunk[] {
    let end = from;
    let bytes = 0;
    while (end < chunks.length && end - from < this.#size) {
      bytes += chunks[end]?.bytes ?? 0;
      if (end > from && bytes > MOST_TEXT_BYTES) break;
      end++;
    }
    return chunks.slice(from, end);
  }

  /** Learns from a batch. @param busyMs How long the embedder kept the thread before it first let go of it. */
  learn(count: number, busyMs: number): void {
    const perText = busyMs / Math.max(1, count);
    const wanted = perText === 0 ? this.#most : Math.floor(AIM_MS[this.#watched() ? "watched" : "alone"] / perText);
    this.#size = Math.max(1, Math.min(this.#most, this.#size * 2, wanted));
  }
}

/** Vectors for a store whose upserts are costly wait for others at most so long, in milliseconds. */
const LONGEST_WAIT_MS = 500;

/** Chooses how many vectors are committed together. */
export class CommitSize {
  readonly #watched: Watched;
  readonly #costly: boolean;
  #perRow = 0;
  #since: number | undefined;

  /** @param costly Whether a commit of few costs as much as one of many. */
  constructor(watched: Watched, costly: boolean) {
    this.#watched = watched;
    this.#costly = costly;
  }

  /** Whether so many vectors are to be committed now. */
  isDue(waiting: number): boolean {
    if (waiting === 0) return false;
    if (!this.#costly || waiting >= MOST) return true;
    this.#since ??= performance.now();
    return performance.now() - this.#since >= LONGEST_WAIT_MS;
  }

  get rows(): number {
    if (this.#costly) return MOST;
    const how = this.#watched() ? "watched" : "alone";
    const wanted = this.#perRow === 0 ? 0 : Math.floor(COMMIT_MS[how] / this.#perRow);
    return Math.max(FEWEST[how], Math.min(MOST, wanted));
  }

  learn(rows: number, elapsedMs: number): void {
    this.#since = undefined;
    const perRow = Math.max(elapsedMs, 0.1) / rows;
    this.#perRow = this.#perRow === 0 ? perRow : (this.#perRow + perRow) / 2;
  }
}
