import type { RoomReserve } from "../../contracts/room-reserve.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError, type StorageErrorContext } from "../../errors.ts";

/** Bytes that one step gives back of the pages that are free. */
const STEP_BYTES = 1024 * 1024;

/**
 * Keeps room for what makes room.
 *
 * Where a disk is full, deleting needs room, too: the WAL holds what is committed until it is taken into the database, which cannot grow, and
 * nothing can be appended. So room is set aside before anything is added; when there is no other left it is given up and the WAL taken in, and
 * until it can be set aside again only what was there can be deleted.
 */
export class SpareRoom {
  readonly #db: SqlDatabase;
  readonly #reserve: RoomReserve | undefined;
  #held = false;
  /** It is taken and given up one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param reserve Without one nothing is set aside. */
  constructor(db: SqlDatabase, reserve: RoomReserve | undefined) {
    this.#db = db;
    this.#reserve = reserve;
  }

  /** Sees to it that room is set aside, before something is added; to be called outside of transactions.
   *  @throws StorageError QUOTA_EXCEEDED there is not enough left for that */
  async require(context: StorageErrorContext): Promise<void> {
    const reserve = this.#reserve;
    if (this.#held || reserve === undefined) return;
    const held = await this.#inTurn(async () => (this.#held ||= await this.#take(reserve)));
    if (held) return;
    const message = `no room is left: ${reserve.bytes} bytes that let a full store be tidied cannot be set aside; delete documents and call vacuum(), or make room elsewhere; what is in the store stays`;
    throw new StorageError("QUOTA_EXCEEDED", message, context);
  }

  /** Gives up what is set aside, for what deletes; to be called outside of transactions, when something could not be written.
   *  @returns whether there is more room now. */
  async giveUp(): Promise<boolean> {
    const reserve = this.#reserve;
    if (reserve === undefined) return false;
    return this.#inTurn(async () => {
      const given = await reserve.giveUp();
      this.#held = false;
      if (given) await this.#takeJournalIn();
      return given;
    });
  }

  async #take(reserve: RoomReserve): Promise<boolean> {
    try {
      if (await reserve.take()) return true;
    } catch {
      // What fails for another reason than want of room must keep nobody from adding: then nothing is set aside.
      return true;
    }
    try {
      return await this.#takeFreePages(reserve);
    } catch (error) {
      if (error instanceof StorageError) return false;
      throw error;
    }
  }

  /** Pages that nothing is in any more are room, too: they are given back step by step, for the journal needs room as well. */
  async #takeFreePages(reserve: RoomReserve): Promise<boolean> {
    for (let given = 0; given < reserve.bytes; given += STEP_BYTES) {
      const { free = 0, pageSize = STEP_BYTES } =
        (await this.#db.get<{ free: number; pageSize: number }>(
          `SELECT freelist_count AS free, page_size AS "pageSize" FROM pragma_freelist_count, pragma_page_size`,
        )) ?? {};
      if (free === 0) break;
      await this.#db.all(`PRAGMA incremental_vacuum(${Math.ceil(STEP_BYTES / pageSize)})`);
      await this.#takeJournalIn();
    }
    return reserve.take();
  }

  async #takeJournalIn(): Promise<void> {
    await this.#db.all("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(nothing);
    return turn;
  }
}

/** Whoever waits for the turn is told how it ended. */
function nothing(): void {}
