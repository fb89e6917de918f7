import type { EmbeddingGeneration } from "../../contracts/embeddings.ts";
import type { SqlDatabase, SqlExecutor } from "../../contracts/sql.ts";
import { StorageError } from "../../errors.ts";
import { TurnTaker } from "../../turns.ts";
import type { ChooseRecords, RecordEraser } from "./eraser.ts";
import { keyOf } from "./generation.ts";
import { retiredGenerations } from "./generations.ts";
import { isLiving } from "./model-rows.ts";
import { OLD_RECORD, type OldRecord } from "./records.ts";
import type { VectorSide } from "./vector-side.ts";

/** Deletes what a re-embedding and deleted documents leave behind, batch by batch; interrupted, it goes on from where it was. */
export class Tidy {
  readonly #db: SqlDatabase;
  readonly #vectors: VectorSide;
  readonly #eraser: RecordEraser;

  constructor(db: SqlDatabase, vectors: VectorSide, eraser: RecordEraser) {
    this.#db = db;
    this.#vectors = vectors;
    this.#eraser = eraser;
  }

  /** Deletes all generations that nothing reads, and all tombstones. */
  async all(signal: AbortSignal | undefined): Promise<void> {
    await this.retired(Number.POSITIVE_INFINITY, signal);
    await this.erase(chooseTombstones, Number.POSITIVE_INFINITY, signal);
  }

  /** Deletes generations that nothing reads. @returns how many records went. */
  async retired(limit: number, signal: AbortSignal | undefined): Promise<number> {
    let erased = 0;
    for (const generation of await retiredGenerations(this.#db)) {
      erased += await this.generation(generation, limit - erased, signal);
    }
    return erased;
  }

  /** Deletes one generation unless it serves or is being built. @returns how many records went. */
  async generation(generation: EmbeddingGeneration, limit: number, signal: AbortSignal | undefined): Promise<number> {
    const erased = await this.erase(chooseRetired(generation), limit, signal);
    if (erased < limit) await this.#dropIndex(generation);
    return erased;
  }

  /** Drops what the vector store keeps of generations that have no records any more. */
  async indexes(signal: AbortSignal | undefined): Promise<void> {
    const { store } = this.#vectors;
    for (const { indexId, modelId, dimensions } of await store.tables()) {
      for (const modelVersion of await store.generations(indexId)) {
        throwIfAborted(signal, "sweep");
        await this.#dropIndex({ modelId, modelVersion, dimensions });
      }
    }
  }

  /** Deletes what `choose` finds, batch by batch, at most `limit` records. @returns how many went. */
  async erase(choose: ChooseRecords, limit: number, signal: AbortSignal | undefined): Promise<number> {
    const turns = new TurnTaker();
    let erased = 0;
    while (erased < limit) {
      throwIfAborted(signal, "sweep");
      const batch = await this.#eraser.erase(choose, limit - erased);
      if (batch === 0) break;
      erased += batch;
      await turns.breathe();
    }
    return erased;
  }

  /** What the vector store keeps of a generation besides vectors goes once it has no records and nobody began it anew. */
  async #dropIndex(generation: EmbeddingGeneration): Promise<void> {
    const table = await this.#vectors.table(generation);
    const over = await this.#vectors.writerOver();
    if (table === undefined) return;
    await this.#vectors.exclusively(async () => {
      if (over === undefined) {
        if (await isGone(this.#db, generation)) {
          await this.#vectors.store.deleteGeneration(table.indexId, generation.modelVersion);
        }
        return;
      }
      await this.#db.transaction(async (tx) => {
        if (await isGone(tx, generation)) await over(tx).deleteGeneration(table.indexId, generation.modelVersion);
      });
    });
  }
}

/** @throws StorageError ABORTED, CLOSED where the store closes */
export function throwIfAborted(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted === true) throw abortedError(signal, operation);
}

/** What work rejects with whose signal is aborted: ABORTED, or CLOSED where the store closes. */
export function abortedError(signal: AbortSignal, operation: string): StorageError {
  const cause: unknown = signal.reason;
  if (cause instanceof StorageError && cause.code === "CLOSED") return cause;
  return new StorageError("ABORTED", "the work on embeddings was ended; what is committed stays", {
    capability: "embeddings",
    operation,
    cause,
  });
}

async function isGone(tx: SqlExecutor, generation: EmbeddingGeneration): Promise<boolean> {
  if (await isLiving(tx, generation)) return false;
  const left = await tx.get(
    `SELECT 1 FROM embedding_records r WHERE r.status IN ('pending', 'committed', 'tombstone') AND r.model_id = $1
       AND r.model_version = $2 AND r.dimensions = $3 LIMIT 1`,
    keyOf(generation),
  );
  return left === undefined;
}

export const chooseTombstones: ChooseRecords = (tx, limit) =>
  tx.all<OldRecord>(`SELECT ${OLD_RECORD} FROM embedding_records r WHERE r.status = 'tombstone' LIMIT $1`, [limit]);

/** Chooses pending records that were not touched since `before`. */
export function choosePending(before: number): ChooseRecords {
  return (tx, limit) =>
    tx.all<OldRecord>(
      `SELECT ${OLD_RECORD} FROM embedding_records r WHERE r.status = 'pending' AND r.updated_at <= $1 LIMIT $2`,
      [before, limit],
    );
}

/** Chooses the records of a generation as long as it neither serves nor is built: it may have been begun anew. */
function chooseRetired(generation: EmbeddingGeneration): ChooseRecords {
  return async (tx, limit) => {
    if (await isLiving(tx, generation)) return [];
    return tx.all<OldRecord>(
      `SELECT ${OLD_RECORD} FROM embedding_records r WHERE r.status IN ('pending', 'committed', 'tombstone')
         AND r.model_id = $1 AND r.model_version = $2 AND r.dimensions = $3 LIMIT $4`,
      [...keyOf(generation), limit],
    );
  };
}
