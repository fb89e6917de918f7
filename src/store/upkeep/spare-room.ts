import type { RoomReserve } from "../../contracts/room-reserve.ts";
import type { SqlDatabase } from "../../contracts/sql.ts";
import { StorageError, type StorageErrorContext } from "../../errors.ts";

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
  #taking: Promise<boolean> | undefined;

  /** @param reserve Without one nothing is set aside. */
  constructor(db: SqlDatabase, reserve: RoomReserve | undefined) {
    this.#db = db;
    this.#reserve = reserve;
  }

  /** Sees to it that room is set aside, before something is added.
   *  @throws StorageError QUOTA_EXCEEDED there is not enough left for that */
  async require(context: StorageErrorContext): Promise<void> {
    const reserve = this.#reserve;
    if (this.#held || reserve === undefined) return;
    // What fails for another reason than a full disk must keep nobody from adding: then nothing is set aside.
    this.#taking ??= this.#take(reserve)
      .catch(() => true)
      .finally(() => (this.#taking = undefined));
    this.#held = await this.#taking;
    if (this.#held) return;
    const message = `the disk is full: ${reserve.bytes} bytes that let a full store be tidied cannot be set aside; delete documents and call vacuum(), or make room elsewhere; nothing was written`;
    throw new StorageError("QUOTA_EXCEEDED", message, context);
  }

  /** Gives up what is set aside, for what deletes; to be called outside of transactions, when something could not be written. */
  async giveUp(): Promise<void> {
    this.#held = false;
    if ((await this.#reserve?.giveUp()) === true) await this.#db.all("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Pages that nothing is in any more are room, too. */
  async #take(reserve: RoomReserve): Promise<boolean> {
    if (await reserve.take()) return true;
    const { pageSize = 1 } =
      (await this.#db.get<{ pageSize: number }>(`SELECT page_size AS "pageSize" FROM pragma_page_size`)) ?? {};
    await this.#db.all(`PRAGMA incremental_vacuum(${Math.ceil(reserve.bytes / pageSize)})`);
    await this.#db.all("PRAGMA wal_checkpoint(TRUNCATE)");
    return reserve.take();
  }
}
